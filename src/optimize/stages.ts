/**
 * Cuts a pipeline into stages: a stage begins at every step that needs a watermark, state, side inputs or calls of its
 * own; everything else is fused onto the stage of its input.
 *
 * A flatten of collections of one stage is fused into it; otherwise it begins a stage with several inputs.
 * Cost: O(steps + collections).
 */
import type { CallOptions } from "../fn/call-options.ts";
import { isAsyncFunction, isKeyedDoFn } from "../fn/inspect.ts";
import type { CollectionId, PipelineGraph, Step, StepId } from "../graph/graph.ts";
import type { Lane, Stage } from "../host/stage.ts";
import type { WindowingStrategy } from "../model/windowing.ts";

/** Whether the calls of a step go through the host one by one: async, retried, timed, or transactional. */
export function makesCalls(step: Step): boolean {
  const { spec } = step;
  if (spec.kind === "map" || spec.kind === "flatMap" || spec.kind === "filter") {
    return isAsyncFunction(spec.fn) || optionsAskForCalls(spec.call);
  }
  if (spec.kind !== "parDo") return false;
  const { doFn } = spec;
  const asyncMethod =
    isAsyncFunction(doFn.process) ||
    isAsyncFunction(doFn.onWindowExpiration) ||
    Object.values(doFn.onTimer ?? {}).some((callback) => isAsyncFunction(callback));
  return asyncMethod || optionsAskForCalls(spec.call) || step.outputs["deadLetter"] !== undefined;
}

function optionsAskForCalls(call: CallOptions): boolean {
  return call.async === true || call.retry !== undefined || call.timeout !== undefined;
}

/**
 * Whether the bundles of a DoFn take time: they begin or end by promises, or calls have to settle between their beginning and
 * their end.
 */
export function hasAsyncBundles(step: Step): boolean {
  if (step.spec.kind !== "parDo") return false;
  const { startBundle, finishBundle } = step.spec.doFn;
  if (startBundle === undefined && finishBundle === undefined) return false;
  return isAsyncFunction(startBundle) || isAsyncFunction(finishBundle) || makesCalls(step);
}

/** Whether a step keeps state or timers for each key. */
export function isStateful({ spec }: Step): boolean {
  return spec.kind === "parDo" && isKeyedDoFn(spec.doFn);
}

/**
 * How a grouping step files its elements, and why.
 * @param combines whether it keeps accumulators rather than lists
 * @param looks whether it has side inputs: a slice of time is in several windows, which have views of their own
 */
export function laneOf(windowing: WindowingStrategy, combines: boolean, looks = false): { lane: Lane; why: string } {
  const { windowFn, trigger, timestampCombiner, onTimeBehavior } = windowing;
  if (windowFn.merge !== undefined) return { lane: "general", why: "its windows merge" };
  const plain =
    trigger.kind === "default" ||
    (trigger.kind === "afterWatermark" && !trigger.early && !trigger.late && windowing.allowedLateness === 0);
  if (!plain) return { lane: "general", why: `its trigger is ${trigger.kind}` };
  if (timestampCombiner !== "endOfWindow")
    return { lane: "general", why: `its timestamp combiner is ${timestampCombiner}` };
  if (windowing.closingBehavior === "fireAlways" || onTimeBehavior === "fireIfNonEmpty") {
    return { lane: "general", why: "its closing or on-time behaviour is not the default" };
  }
  if (combines && looks && windowFn.kind === "sliding")
    return {
      lane: "window",
      why: "sliding windows with side inputs, which are each window's own: one timer per window",
    };
  if (combines && windowFn.kind === "sliding")
    return { lane: "slice", why: "sliding windows with the default trigger: one accumulator per slice of time" };
  return { lane: "window", why: "non-merging windows with the default trigger: one timer per window" };
}

interface Beginning {
  readonly kind: Stage["kind"];
  readonly why: string;
  readonly lane?: Lane;
}

interface Draft {
  readonly steps: StepId[];
  readonly begin: Beginning;
  readonly views: number[];
}

function beginning(graph: PipelineGraph, step: Step): Beginning | undefined {
  const input = step.inputs[0];
  const windowing = input === undefined ? undefined : graph.collections[input]?.windowing;
  switch (step.spec.kind) {
    case "impulse":
    case "read":
    case "testStream":
      return { kind: "source", why: "a source" };
    case "groupByKey":
    case "combinePerKey": {
      const looks = Object.keys(step.sideInputs).length > 0;
      const { lane, why } = laneOf(windowing as WindowingStrategy, step.spec.kind === "combinePerKey", looks);
      return { kind: "keyed", lane, why: `groups by key;${looks ? " waits for side inputs;" : ""} ${why}` };
    }
    case "view":
      return { kind: "view", why: "makes a side input", lane: "general" };
    case "write":
      return { kind: "sink", why: "a sink" };
    case "map":
    case "flatMap":
    case "filter":
    case "parDo": {
      const stateful = isStateful(step);
      if (makesCalls(step))
        return { kind: "calls", why: "async, retried or timed calls", ...(stateful && { lane: "state" as const }) };
      if (stateful) return { kind: "keyed", lane: "state", why: "state or timers for each key" };
      if (Object.keys(step.sideInputs).length > 0) return { kind: "chain", why: "waits for side inputs" };
      return hasAsyncBundles(step) ? { kind: "chain", why: "begins or ends its bundles by promises" } : undefined;
    }
    default:
      return undefined;
  }
}

/** In which stage a collection is made. */
type StageOf = (id: CollectionId) => number;

/** Who runs the stages: one engine all of them, or a runner those without functions of the program and a worker the others. */
export type StageHosts = "embedded" | "runnerAndWorker";

/**
 * Whether a runner executes a stage itself: sources, grouping and the gathering of side inputs. What a source is or how a
 * window is made are functions of the program all the same.
 */
export function isRunnersOwn({ kind, lane }: Pick<Stage, "kind" | "lane">): boolean {
  return kind === "source" || kind === "view" || (kind === "keyed" && lane !== "state");
}

/** The stages of `graph`, in an order that respects inputs and side inputs. */
export function planStages(graph: PipelineGraph, hosts: StageHosts = "embedded"): readonly Stage[] {
  const drafts: Draft[] = [];
  const stageOf: number[] = [];
  const stageOfCollection: StageOf = (id) =>
    stageOf[(graph.collections[id] as { producer: StepId }).producer] as number;

  const beginOf = (id: CollectionId): Beginning => (drafts[stageOfCollection(id)] as Draft).begin;
  for (const step of graph.steps) {
    const begin =
      beginning(graph, step) ?? beginsByInputs(step, stageOfCollection) ?? beginsByHost(step, hosts, beginOf);
    if (begin === undefined) {
      const stage = stageOfCollection(step.inputs[0] as CollectionId);
      stageOf[step.id] = stage;
      (drafts[stage] as Draft).steps.push(step.id);
    } else {
      stageOf[step.id] = drafts.length;
      drafts.push({ steps: [step.id], begin, views: Object.values(step.sideInputs) });
    }
  }
  return freezeStages(graph, drafts, stageOfCollection);
}

/** What follows a stage of the runner's own is the worker's. */
function beginsByHost(step: Step, hosts: StageHosts, beginOf: (id: CollectionId) => Beginning): Beginning | undefined {
  const input = step.inputs[0];
  if (hosts === "embedded" || input === undefined || !isRunnersOwn(beginOf(input))) return undefined;
  return { kind: "chain", why: "comes from the runner to the worker" };
}

/** A flatten whose inputs come from different stages (or from none) begins a stage. */
function beginsByInputs(step: Step, stageOfCollection: StageOf): Beginning | undefined {
  const stages = new Set(step.inputs.map(stageOfCollection));
  return stages.size === 1
    ? undefined
    : { kind: "chain", why: stages.size === 0 ? "an empty flatten" : "brings several stages together" };
}

function freezeStages(graph: PipelineGraph, drafts: readonly Draft[], stageOf: StageOf): readonly Stage[] {
  // Only a stage's first step looks outside it, so drafts are already in an order that respects inputs and views.
  return drafts.map((draft, id): Stage => {
    const inputs = [...new Set(draft.steps.flatMap((s) => graph.steps[s]?.inputs ?? []))].filter(
      (c) => stageOf(c) !== id,
    );
    const isUsed = (by: Draft, c: CollectionId): boolean => by.steps.some((s) => graph.steps[s]?.inputs.includes(c));
    const leaves = (c: CollectionId): boolean => drafts.some((other) => other !== draft && isUsed(other, c));
    const outputs = graph.collections.filter((c) => stageOf(c.id) === id && leaves(c.id));
    return Object.freeze({
      id,
      name: graph.steps[draft.steps[0] as number]?.name ?? "",
      steps: Object.freeze(draft.steps),
      kind: draft.begin.kind,
      inputs: Object.freeze(inputs),
      outputs: Object.freeze(outputs.map((c) => c.id)),
      views: Object.freeze(draft.views),
      ...(draft.begin.kind === "source" && {
        sourceOutput: graph.steps[draft.steps[0] as number]?.outputs["main"] as CollectionId,
      }),
      ...(draft.begin.lane && { lane: draft.begin.lane }),
      why: draft.begin.why,
    });
  });
}
