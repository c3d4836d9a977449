/**
 * Checks a graph against the rules of graph.ts, G1 to G4, before anything is planned from it; errors quote the rule.
 *
 * Graphs come from the builder, which keeps these rules; a breach is a bug of Tidemark, or a graph made by hand.
 * Cost: O(steps + collections + views).
 */
import { TidemarkError } from "../base/errors.ts";
import type { Collection, PipelineGraph, Step, StepSpec, ViewNode } from "./graph.ts";

/** How many inputs a kind of step has: none, exactly one, or any number. */
const INPUTS: Readonly<Record<StepSpec["kind"], "none" | "one" | "any">> = {
  combinePart: "one",
  impulse: "none",
  read: "none",
  testStream: "none",
  map: "one",
  flatMap: "one",
  filter: "one",
  parDo: "one",
  partition: "one",
  timestamps: "one",
  windowInto: "one",
  groupByKey: "one",
  combinePerKey: "one",
  flatten: "any",
  reshuffle: "one",
  view: "one",
  write: "one",
};

/** @throws GRAPH_INVALID naming the rule and the first step that breaks it */
export function validateGraph(graph: PipelineGraph): void {
  const names = new Set<string>();
  graph.steps.forEach((step, position) => {
    check(step.id === position, "G1", step, `step ${step.id} stands at position ${position}`);
    check(!names.has(step.name), "G2", step, `the name "${step.name}" is taken`);
    check(isPathName(step.name), "G2", step, `"${step.name}" is not a path name`);
    names.add(step.name);
    checkInputs(graph, step);
    checkOutputs(graph, step);
  });
  graph.collections.forEach((collection, position) => checkCollection(graph, collection, position));
  graph.views.forEach((view, position) => checkView(graph, view, position));
}

function checkInputs(graph: PipelineGraph, step: Step): void {
  const wanted = INPUTS[step.spec.kind];
  const found = step.inputs.length;
  check(wanted === "any" || found === (wanted === "none" ? 0 : 1), "G3", step, `it has ${found} inputs, not ${wanted}`);
  for (const id of step.inputs) {
    const input = graph.collections[id];
    check(input !== undefined, "G1", step, `there is no collection ${id}`);
    check(
      input.producer < step.id,
      "G1",
      step,
      `its input ${id} is produced by step ${input.producer}, not an earlier one`,
    );
  }
  for (const [name, id] of Object.entries(step.sideInputs)) {
    const view = graph.views[id];
    check(view !== undefined, "G1", step, `there is no view ${id} for its side input "${name}"`);
    check(view.step < step.id, "G1", step, `its side input "${name}" is made by step ${view.step}, not an earlier one`);
  }
}

function checkOutputs(graph: PipelineGraph, step: Step): void {
  const { spec } = step;
  const tags = Object.keys(step.outputs);
  for (const tag of tags) {
    const collection = graph.collections[step.outputs[tag] as number];
    check(
      collection?.producer === step.id && collection.tag === tag,
      "G3",
      step,
      `its output "${tag}" is not marked as its own`,
    );
  }
  if (spec.kind === "view" || spec.kind === "write") {
    check(tags.length === 0, "G3", step, `a ${spec.kind} step has no outputs, and this one has ${tags.join(", ")}`);
  } else if (spec.kind === "partition") {
    for (let part = 0; part < spec.parts; part++)
      check(tags.includes(String(part)), "G3", step, `part ${part} is missing`);
  } else {
    check(tags.includes("main"), "G3", step, "it has no main output");
  }
}

function checkCollection(graph: PipelineGraph, collection: Collection, position: number): void {
  const producer = graph.steps[collection.producer];
  check(collection.id === position, "G1", producer, `collection ${collection.id} stands at position ${position}`);
  check(producer !== undefined, "G3", producer, `collection ${position} has no producer`);
  check(
    producer.outputs[collection.tag] === position,
    "G3",
    producer,
    `collection ${position} is not its output "${collection.tag}"`,
  );
}

function checkView(graph: PipelineGraph, view: ViewNode, position: number): void {
  const step = graph.steps[view.step];
  check(view.id === position, "G1", step, `view ${view.id} stands at position ${position}`);
  check(step?.spec.kind === "view", "G4", step, `view ${position} is not made by a view step`);
  check(
    step.spec.viewId === position && step.spec.view === view.kind,
    "G4",
    step,
    `it does not make view ${position} (${view.kind})`,
  );
  const input = graph.collections[step.inputs[0] as number];
  check(input?.windowing === view.windowing, "G4", step, "its view is windowed otherwise than its input");
}

function isPathName(name: string): boolean {
  return name.split("/").every((part) => part.trim() !== "");
}

function check(holds: boolean, rule: string, step: Step | undefined, what: string): asserts holds {
  if (holds) return;
  throw new TidemarkError("GRAPH_INVALID", {
    what: step === undefined ? what : `step "${step.name}": ${what}`,
    why: `rule ${rule} of src/graph/validate.ts`,
    domain: "internal",
    ...(step !== undefined && { step: step.name }),
    ...(step?.at !== undefined && { at: step.at }),
  });
}
