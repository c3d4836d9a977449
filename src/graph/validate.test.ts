import { expect, test } from "vitest";
import { fixedWindows } from "../windowing/window-fns.ts";
import { DEFAULT_WINDOWING, windowingStrategy } from "../windowing/strategy.ts";
import type { Collection, PipelineGraph, Step, StepSpec, ViewNode } from "./graph.ts";
import { validateGraph } from "./validate.ts";

function step(id: number, name: string, spec: StepSpec, parts: Partial<Step> = {}): Step {
  return { id, name, spec, inputs: [], outputs: {}, sideInputs: {}, at: undefined, ...parts };
}
function collection(id: number, producer: number, tag = "main"): Collection {
  return { id, producer, tag, windowing: DEFAULT_WINDOWING, bounded: true, coder: undefined };
}

const MAP: StepSpec = { kind: "map", fn: (x: never) => x, call: {} };
const VIEW: StepSpec = { kind: "view", view: "list", viewId: 0 };
const PARTITION: StepSpec = { kind: "partition", parts: 2, fn: () => 0 };
const LIST: ViewNode = { id: 0, step: 1, kind: "list", windowing: DEFAULT_WINDOWING };

/** Impulse -> list view; impulse -> map, which looks into the view; -> partition. */
function valid(): {
  name: string;
  steps: Step[];
  collections: Collection[];
  views: ViewNode[];
  transformNameMapping: {};
} {
  return {
    name: "test",
    steps: [
      step(0, "Impulse", { kind: "impulse" }, { outputs: { main: 0 } }),
      step(1, "View", VIEW, { inputs: [0] }),
      step(2, "Outer/Map", MAP, { inputs: [0], outputs: { main: 1 }, sideInputs: { list: 0 } }),
      step(3, "Parts", PARTITION, { inputs: [1], outputs: { "0": 2, "1": 3 } }),
    ],
    collections: [collection(0, 0), collection(1, 2), collection(2, 3, "0"), collection(3, 3, "1")],
    views: [LIST],
    transformNameMapping: {},
  };
}

/** The valid graph with the step at `position` changed. */
function withStep(position: number, change: Partial<Step>): PipelineGraph {
  const graph = valid();
  graph.steps[position] = { ...(graph.steps[position] as Step), ...change };
  return graph;
}

test("a graph that keeps the rules is accepted", () => {
  expect(() => validateGraph(valid())).not.toThrow();
});

test.each<[string, string, PipelineGraph]>([
  ["G1", "a step out of place", withStep(2, { id: 7 })],
  ["G1", "an input that is not there", withStep(2, { inputs: [9] })],
  ["G1", "an input of a later step", withStep(2, { inputs: [2] })],
  ["G1", "its own output as input", withStep(2, { inputs: [1] })],
  ["G1", "a side input that is not there", withStep(2, { sideInputs: { list: 4 } })],
  ["G1", "a side input made later", { ...withStep(2, {}), views: [{ ...LIST, step: 3 }] }],
  ["G1", "a collection out of place", { ...valid(), collections: [collection(1, 0), ...valid().collections.slice(1)] }],
  ["G2", "a name that is taken", withStep(2, { name: "Impulse" })],
  ["G2", "an empty part of a path", withStep(2, { name: "Outer//Map" })],
  ["G3", "a source with an input", withStep(3, { spec: { kind: "impulse" }, outputs: { main: 2 } })],
  ["G3", "a map without input", withStep(2, { inputs: [] })],
  ["G3", "a map without main output", withStep(2, { outputs: {} })],
  ["G3", "an output of another step", withStep(2, { outputs: { main: 0 } })],
  ["G3", "an output under another tag", withStep(2, { outputs: { main: 1, other: 1 } })],
  ["G3", "a partition without all its parts", withStep(3, { spec: { ...PARTITION, parts: 3 } })],
  ["G3", "a view with an output", withStep(1, { outputs: { main: 0 } })],
  ["G3", "a collection without producer", { ...valid(), collections: [...valid().collections, collection(4, 9)] }],
  [
    "G3",
    "a collection that its producer does not name",
    { ...valid(), collections: [...valid().collections, collection(4, 2, "late")] },
  ],
  ["G4", "a view made by no view step", { ...valid(), views: [{ ...LIST, step: 0 }] }],
  ["G4", "a view of another kind than its step's", { ...valid(), views: [{ ...LIST, kind: "map" }] }],
  [
    "G4",
    "a view windowed otherwise than its input",
    { ...valid(), views: [{ ...LIST, windowing: windowingStrategy(fixedWindows(1)) as never }] },
  ],
])("%s: %s", (rule, _, graph) => {
  expect(() => validateGraph(graph)).toThrow(
    expect.objectContaining({
      code: "GRAPH_INVALID",
      domain: "internal",
      why: expect.stringContaining(rule) as string,
    }) as Error,
  );
});
