/**
 * Goes on from the checkpoint of another version of the program: what has another name now is renamed, what fits is taken over, and
 * what would be lost is refused unless the user gives it up.
 */
import { TidemarkError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { Engine } from "../../engine/engine.ts";
import type { PipelineGraph } from "../../graph/graph.ts";
import type { CheckpointStore, StoredCheckpoint } from "../../host/checkpoint-store.ts";
import type { Snapshot } from "../../host/snapshot.ts";
import { planStages } from "../../optimize/stages.ts";
import { engineStage } from "./engine-stages.ts";
import { type CellChange, changeLines, type StepChange } from "../../host/layouts.ts";

/** @param allowed steps whose state may be lost @returns the checkpoint as it is now @throws CHECKPOINT_INCOMPATIBLE, STEP_UNKNOWN */
export function adaptCheckpoint(
  store: CheckpointStore,
  engine: Engine,
  graph: PipelineGraph,
  allowed: readonly string[],
): StoredCheckpoint {
  let from = store.newest() as StoredCheckpoint;
  const renamed = renamedSteps(graph, from.snapshot.steps());
  if (renamed.size > 0) {
    store.upgrade({ renamed, dropped: [] });
    from = store.newest() as StoredCheckpoint;
  }
  const changes = engine.changesSince(from.snapshot);
  checkAllowed(allowed, changes);
  refuseLosses(changes.filter(({ step, loses }) => loses && !allowed.includes(step)));
  const dropped = changes.flatMap(({ step, change }) => (change === "dropped" || change === "retyped" ? [step] : []));
  if (dropped.length === 0) return from;
  store.upgrade({ renamed: new Map(), dropped });
  return store.newest() as StoredCheckpoint;
}

/**
 * What becomes of each step's state when the program goes on from a checkpoint. Runs nothing.
 * @throws CHECKPOINT_INCOMPATIBLE, STEP_UNKNOWN of a mapping that does not fit
 */
export function changesSince(graph: PipelineGraph, snapshot: Snapshot): readonly StepChange[] {
  const modes = { strict: false, trace: undefined };
  const stages = planStages(graph).map((stage) => engineStage(graph, stage, modes, () => {}));
  const engine = new Engine(stages, { now: () => 0, options: undefined, onWake: () => {} });
  const renamed = renamedSteps(graph, snapshot.steps());
  return engine.changesSince(withNames(snapshot, renamed));
}

/** As it would be with the new names. */
function withNames(snapshot: Snapshot, renamed: ReadonlyMap<string, string>): Snapshot {
  const olds = new Map(Array.from(renamed, ([old, now]) => [now, old]));
  const old = (step: string): string => olds.get(step) ?? step;
  return {
    steps: () => new Set(Array.from(snapshot.steps(), (step) => renamed.get(step) ?? step)),
    chunks: (kind, step) => snapshot.chunks(kind, old(step)),
    entries: (kind, step) => snapshot.entries(kind, old(step)),
    folded: snapshot.folded,
    rows: (step) => snapshot.rows(old(step)),
    changes: (step) => snapshot.changes(old(step)),
  };
}

/** What the checkpoint's steps are called now, of those that are called something else. */
function renamedSteps(graph: PipelineGraph, before: ReadonlySet<string>): ReadonlyMap<string, string> {
  const names = new Set(graph.steps.map(({ name }) => name));
  const renamed = new Map<string, string>();
  for (const [old, now] of Object.entries(graph.transformNameMapping)) {
    if (![...names].some((name) => name === now || name.startsWith(`${now}/`))) throw mappedToNothing(graph, old, now);
    for (const step of before) {
      const rest = step === old ? "" : step.startsWith(`${old}/`) ? step.slice(old.length) : undefined;
      // One that the program still has is not the one that is meant.
      if (rest === undefined || names.has(step)) continue;
      if (before.has(`${now}${rest}`)) throw mappedTwice(graph, step, `${now}${rest}`);
      renamed.set(step, `${now}${rest}`);
    }
  }
  return renamed;
}

function mappedToNothing(graph: PipelineGraph, old: string, now: string): TidemarkError {
  const meant = nearest(
    now,
    graph.steps.map(({ name }) => name),
  );
  return new TidemarkError("STEP_UNKNOWN", {
    what: `transformNameMapping of "${graph.name}" says that "${old}" is called "${now}" now, and there is no such step`,
    fix: meant === undefined ? "name a step of the program" : `did you mean "${meant}"?`,
  });
}

function mappedTwice(graph: PipelineGraph, old: string, now: string): TidemarkError {
  return new TidemarkError("CHECKPOINT_INCOMPATIBLE", {
    what: `transformNameMapping of "${graph.name}" says that "${old}" is called "${now}" now, and the checkpoint has both`,
    why: "the state of two steps cannot become that of one",
    fix: `take "${old}" out of transformNameMapping, or start anew in an empty checkpoint folder`,
  });
}

function checkAllowed(allowed: readonly string[], changes: readonly StepChange[]): void {
  const names = changes.map(({ step }) => step);
  const unknown = allowed.find((step) => !names.includes(step));
  if (unknown === undefined) return;
  const meant = nearest(unknown, names);
  throw new TidemarkError("STEP_UNKNOWN", {
    what: `the state of step "${unknown}" may be dropped, and neither the checkpoint nor the program has such a stage`,
    fix: meant === undefined ? `there are ${names.map((one) => `"${one}"`).join(", ")}` : `did you mean "${meant}"?`,
  });
}

/** @throws CHECKPOINT_INCOMPATIBLE where there are any */
export function refuseLosses(losses: readonly StepChange[]): void {
  if (losses.length === 0) return;
  const isLost = ({ change }: CellChange): boolean => change === "dropped" || change === "retyped";
  const lines = losses.flatMap(({ cells = [], ...one }) => changeLines({ ...one, cells: cells.filter(isLost) }));
  throw new TidemarkError("CHECKPOINT_INCOMPATIBLE", {
    what: `the checkpoint does not fit the program:\n    ${lines.join("\n    ")}`,
    why: "state that is left out or read as something else would give wrong results",
    fix:
      "say in transformNameMapping what has another name now, give cells of another type a version and a migration, or give state " +
      `up: ${losses.map(({ step }) => `--allow-dropped-state "${step}"`).join(" ")}`,
  });
}
