/**
 * Combiner lifting: each `combinePerKey` becomes a grouping with parts of the combine around it, for runners that group bytes
 * and know no CombineFn. Pure, so that a runner and its worker come to the same graph.
 *
 * L1 Ahead of the grouping values are combined only where nobody can see it: not under triggers that count or watch the
 *    clock of single elements, nor where late elements are read, nor where windows merge. One with side inputs stays whole.
 */
import type { Coder } from "../coders/coder.ts";
import { iterableCoder, keyCoderOf, kvCoder, valueCoderOf } from "../coders/composites.ts";
import { canonicalCoder } from "../coders/key.ts";
import { valueCoder } from "../coders/value.ts";
import type { Collection, CollectionId, PipelineGraph, Step, StepId, StepSpec } from "../graph/graph.ts";
import type { Trigger } from "../model/trigger.ts";
import type { WindowingStrategy } from "../model/windowing.ts";

type Combine = Extract<StepSpec, { kind: "combinePerKey" }>;

/** See L1. */
export function canLift({ trigger, windowFn }: WindowingStrategy, lateIsRead: boolean): boolean {
  return !lateIsRead && windowFn.merge === undefined && isBlindToElements(trigger);
}

function isBlindToElements(trigger: Trigger): boolean {
  if (trigger.kind === "default" || trigger.kind === "never") return true;
  return trigger.kind === "afterWatermark" && !trigger.early && !trigger.late;
}

/** The graph with every combine in parts. Its collections keep their ids; steps are numbered anew. */
export function liftCombines(graph: PipelineGraph): PipelineGraph {
  const steps: Step[] = [];
  const collections: Collection[] = [...graph.collections];
  /** The first and last of the steps that stand for a step. */
  const newIds: StepId[] = [];

  const add = (step: Omit<Step, "id">): StepId => {
    const id = steps.length;
    steps.push(Object.freeze({ ...step, id }));
    for (const collection of Object.values(step.outputs))
      collections[collection] = Object.freeze({ ...(collections[collection] as Collection), producer: id });
    return id;
  };
  const between = (windowing: WindowingStrategy, bounded: boolean, coder: Coder<unknown>): CollectionId => {
    const id = collections.length;
    collections.push({ id, producer: -1, tag: "main", windowing, bounded, coder });
    return id;
  };

  for (const step of graph.steps) {
    newIds[step.id] = step.spec.kind === "combinePerKey" ? liftStep(graph, step, step.spec, add, between) : add(step);
  }
  const views = graph.views.map((view) => Object.freeze({ ...view, step: newIds[view.step] as StepId }));
  return Object.freeze({ ...graph, steps, collections, views });
}

function liftStep(
  graph: PipelineGraph,
  step: Step,
  { combineFn, keyCoder }: Combine,
  add: (step: Omit<Step, "id">) => StepId,
  between: (windowing: WindowingStrategy, bounded: boolean, coder: Coder<unknown>) => CollectionId,
): StepId {
  const input = graph.collections[step.inputs[0] as number] as Collection;
  const main = graph.collections[step.outputs["main"] as number] as Collection;
  const key = keyCoder ?? canonicalCoder;
  const accumulators = combineFn.accumulatorCoder ?? valueCoder;
  const part = (name: string, spec: StepSpec, from: CollectionId, outputs: Step["outputs"]): StepId =>
    add({
      ...step,
      name: `${step.name}/${name}`,
      spec,
      inputs: [from],
      outputs,
      sideInputs: spec.kind === "combinePart" ? step.sideInputs : {},
    });
  const keyed = keyCoder === undefined ? {} : { keyCoder };
  const group: StepSpec = { kind: "groupByKey", ...keyed };
  const late = step.outputs["late"];
  if (Object.keys(step.sideInputs).length > 0 || !canLift(input.windowing, late !== undefined)) {
    const values = partsOf(input.coder)[1];
    const grouped = between(main.windowing, main.bounded, kvCoder(key, iterableCoder(values)));
    part("Group", group, input.id, { main: grouped, ...(late !== undefined && { late }) });
    return part("Combine", { kind: "combinePart", part: "grouped", combineFn, ...keyed }, grouped, { main: main.id });
  }
  const ahead = between(input.windowing, input.bounded, kvCoder(key, accumulators));
  part("Precombine", { kind: "combinePart", part: "precombine", combineFn, ...keyed }, input.id, { main: ahead });
  const grouped = between(main.windowing, main.bounded, kvCoder(key, iterableCoder(accumulators)));
  part("Group", group, ahead, { main: grouped });
  const merged = between(main.windowing, main.bounded, kvCoder(key, accumulators));
  part("Merge", { kind: "combinePart", part: "merge", combineFn, ...keyed }, grouped, { main: merged });
  return part("Extract", { kind: "combinePart", part: "extract", combineFn, ...keyed }, merged, { main: main.id });
}

/** The coders of keys and values of a collection of pairs. */
function partsOf(coder: Coder<unknown> | undefined): readonly [Coder<unknown>, Coder<unknown>] {
  return [keyCoderOf(coder) ?? canonicalCoder, valueCoderOf(coder) ?? valueCoder];
}
