/**
 * Which stages stop a source from being read: worked out once, from the plan.
 *
 * P1 A stage that is busy (a full sink, calls in flight, a bundle that waits) stops every source above it: it goes on by itself.
 *    Stages with timers likewise leave those unfired that are due.
 * P2 A stage in which elements wait for a side input stops only sources that the side input does not wait for in turn: else
 *    nothing could go on. Where views and sources depend on each other, what waits has no bound.
 * Cost: O(sources² · stages), once.
 */
import type { ViewId } from "../graph/graph.ts";
import type { Stage } from "../host/stage.ts";

/** What is needed of a stage: its connections, and the views it makes. */
export interface Connected {
  readonly stage: Stage;
  readonly makes?: readonly { readonly view: ViewId }[];
}

/** Stages by id. */
export interface Stoppers {
  /** Those that stop the source while they are busy. */
  readonly busy: readonly number[];
  /** Those that stop it while too much waits in them for side inputs. */
  readonly waiting: readonly number[];
}

/** The stages that stop each source stage, by the source stage's id. @param plans in the order of their ids */
export function stoppers(plans: readonly Connected[]): ReadonlyMap<number, Stoppers> {
  const reaches = plans.filter(({ stage }) => stage.kind === "source").map(({ stage }) => reachOf(stage.id, plans));
  /** The sources that a stage's side inputs come from. */
  const feeders = ({ views }: Stage): readonly Reach[] =>
    reaches.filter((reach) => views.some((view) => reach.feeds.has(view)));
  // Who waits for whom: a source for those that feed the views its elements wait for, and for those that these wait for.
  const waitsFor = new Map(reaches.map((reach) => [reach.source, new Set<number>()]));
  for (const { source, below } of reaches) {
    for (const { stage } of below) for (const feeder of feeders(stage)) waitsFor.get(source)?.add(feeder.source);
  }
  for (const through of waitsFor.keys()) {
    for (const set of waitsFor.values()) {
      if (set.has(through)) for (const further of waitsFor.get(through) ?? []) set.add(further);
    }
  }
  return new Map(
    reaches.map(({ source, below }) => {
      const waitsForSource = (feeder: Reach): boolean =>
        feeder.source === source || waitsFor.get(feeder.source)?.has(source) === true;
      const waiting = below.filter(({ stage }) => !feeders(stage).some(waitsForSource));
      return [source, { busy: below.map(({ stage }) => stage.id), waiting: waiting.map(({ stage }) => stage.id) }];
    }),
  );
}

/** The stages that what a stage emits comes to, itself left out. Cost: O(stages). */
export function stagesBelow(stage: number, plans: readonly Connected[]): readonly number[] {
  return reachOf(stage, plans).below.flatMap(({ stage: { id } }) => (id === stage ? [] : [id]));
}

/** What a source's elements come to, side inputs included. */
interface Reach {
  readonly source: number;
  readonly below: readonly Connected[];
  readonly feeds: ReadonlySet<ViewId>;
}

function reachOf(source: number, plans: readonly Connected[]): Reach {
  const below: Connected[] = [];
  const collections = new Set<number>();
  const feeds = new Set<ViewId>();
  // Every stage comes after those whose outputs or views it uses.
  for (const plan of plans) {
    const { id, inputs, outputs, views } = plan.stage;
    if (id !== source && !inputs.some((c) => collections.has(c)) && !views.some((view) => feeds.has(view))) continue;
    below.push(plan);
    for (const output of outputs) collections.add(output);
    for (const { view } of plan.makes ?? []) feeds.add(view);
  }
  return { source, below, feeds };
}
