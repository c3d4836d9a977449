import { describe, expect, test } from "vitest";
import type { PipelineGraph } from "../graph/graph.ts";
import {
  afterCount,
  afterWatermark,
  eventTimer,
  fixedWindows,
  flatten,
  globalWindows,
  type KV,
  type Pipeline,
  pipeline,
  type PCollection,
  type Program,
  repeatedly,
  sessions,
  slidingWindows,
  sumFn,
  valueState,
  type WindowIntoOptions,
  type WindowFn,
} from "../index.ts";
import { planStages } from "./stages.ts";

async function graphOf(build: (p: Pipeline) => unknown): Promise<PipelineGraph> {
  const program = pipeline({ name: "plan", allowUnsafeTriggers: true, build }) as Program;
  return (await program.build({})).graph;
}

/** The names of each stage's steps, stage by stage. */
async function fusedSteps(build: (p: Pipeline) => unknown): Promise<string[]> {
  const graph = await graphOf(build);
  return planStages(graph).map(({ steps }) => steps.map((id) => graph.steps[id]?.name).join(" "));
}

const pairs = (p: Pipeline): PCollection<KV<string, number>> => p.create<KV<string, number>>([["a", 1]]);

describe("fusion", () => {
  test("plain steps join the stage of their input, branches too", async () => {
    const stages = await fusedSteps((p) => {
      const a = p
        .create("Create", [1])
        .map("A", (n) => n)
        .filter("B", () => true);
      a.flatMap("C", (n) => [n]);
      a.parDo<number>("D", { process: (n) => [n] });
      a.windowInto("W", fixedWindows(1))
        .withTimestamps("T", () => 0)
        .reshuffle("R");
    });
    expect(stages).toEqual(["Create A B C D W T R"]);
  });

  test("groupings, state, calls, sinks and side inputs begin a stage; what follows joins it", async () => {
    const sink = { name: "sink", open: () => ({}) as never };
    const stages = await fusedSteps((p) => {
      const grouped = pairs(p)
        .groupByKey("Group")
        .map("M1", ([key]): KV<string, number> => [key, 1]);
      grouped.parDo<number>("State", { state: { cell: valueState<number>() }, process: () => [] }).map("M2", (n) => n);
      grouped
        .parDo<number>("Timers", { timers: { t: eventTimer() }, process: () => [], onTimer: { t() {} } })
        .map("M3", (n) => n);
      grouped.map("Async", async (n) => n).map("M4", (n) => n);
      grouped.map("Retried", (n) => n, { retry: { attempts: 2 } });
      const view = grouped.asList("View");
      grouped.map("Side", (n, { sideInputs }) => [n, sideInputs.view], { sideInputs: { view } }).map("M5", (n) => n);
      grouped.parDo<number>("Bundles", { process: () => [], finishBundle: async () => {} });
      grouped.write("Write", sink);
    });
    expect(stages).toEqual([
      "Create",
      "Group M1",
      "State M2",
      "Timers M3",
      "Async M4",
      "Retried",
      "View",
      "Side M5",
      "Bundles",
      "Write",
    ]);
  });

  test("a flatten joins the one stage of its inputs, and begins one where they come from several, or from none", async () => {
    const stages = await fusedSteps((p) => {
      const numbers = p.create("Create", [1]);
      flatten("Same", [numbers.map("A", (n) => n), numbers.map("B", (n) => n)]).map("AfterSame", (n) => n);
      flatten("Several", [numbers, p.create("Other", [2])]).map("AfterSeveral", (n) => n);
      p.flatten("None");
    });
    expect(stages).toEqual(["Create A B Same AfterSame", "Other", "Several AfterSeveral", "None"]);
  });
});

test("stage Q2: a stage comes after those whose outputs and views it uses; its inputs and outputs are what crosses its edge", async () => {
  const graph = await graphOf((p) => {
    const a = pairs(p);
    const view = a.map("Values", ([, n]) => n).asList("View");
    const grouped = a.groupByKey("Group");
    grouped.map("Look", (_, { sideInputs }) => sideInputs.view, { sideInputs: { view } });
    grouped.map("Alone", () => 1);
  });
  const stages = planStages(graph);
  const producer = (collection: number): string | undefined =>
    graph.steps[graph.collections[collection]?.producer as number]?.name;
  expect(
    stages.map(({ id, name, kind, inputs, outputs, views }) => ({
      id,
      name,
      kind,
      inputs: inputs.map(producer),
      outputs: outputs.map(producer),
      views: [...views],
    })),
  ).toEqual([
    { id: 0, name: "Create", kind: "source", inputs: [], outputs: ["Create", "Values"], views: [] },
    { id: 1, name: "View", kind: "view", inputs: ["Values"], outputs: [], views: [] },
    { id: 2, name: "Group", kind: "keyed", inputs: ["Create"], outputs: ["Group"], views: [] },
    { id: 3, name: "Look", kind: "chain", inputs: ["Group"], outputs: [], views: [0] },
  ]);
});

describe("lanes", () => {
  async function lane(windowFn: WindowFn<never>, options: WindowIntoOptions = {}): Promise<string | undefined> {
    const graph = await graphOf((p) => pairs(p).windowInto("W", windowFn, options).groupByKey("Group"));
    return planStages(graph).find(({ name }) => name === "Group")?.lane;
  }

  test.each<[string, WindowFn<never>, WindowIntoOptions]>([
    ["the default trigger", fixedWindows(10) as never, {}],
    [
      "the default trigger with lateness, accumulating",
      fixedWindows(10) as never,
      { allowedLateness: 5, accumulation: "accumulating" },
    ],
    ["sliding windows", slidingWindows({ size: 10, every: 5 }) as never, {}],
    ["the global window", globalWindows() as never, {}],
    [
      "afterWatermark without lateness: it fires as the default does",
      fixedWindows(10) as never,
      { trigger: afterWatermark() },
    ],
  ])("window: %s", async (_, windowFn, options) => {
    expect(await lane(windowFn, options)).toBe("window");
  });

  test("window, and why: sliding windows of a combine with side inputs, in place of slices", async () => {
    const graph = await graphOf((p) => {
      const input = pairs(p).windowInto(slidingWindows({ size: 10, every: 5 }));
      const most = p.create("Most", [5]).asSingleton();
      input.combinePerKey("Plain", sumFn());
      input.combinePerKey("Looks", (all: Iterable<number>, side) => Math.min(side.most, ...all), {
        sideInputs: { most },
      });
    });
    const stages = planStages(graph).filter(({ kind }) => kind === "keyed");
    expect(stages.map(({ name, lane: chosen, why }) => [name, chosen, why])).toEqual([
      ["Plain", "slice", expect.stringContaining("one accumulator per slice")],
      [
        "Looks",
        "window",
        "groups by key; waits for side inputs; sliding windows with side inputs, which are each window's own: one timer per window",
      ],
    ]);
  });

  test.each<[string, WindowFn<never>, WindowIntoOptions]>([
    ["windows that merge", sessions(10) as never, {}],
    ["any other trigger", fixedWindows(10) as never, { trigger: repeatedly(afterCount(2)) }],
    ["early panes", fixedWindows(10) as never, { trigger: afterWatermark({ early: afterCount(1) }) }],
    [
      "afterWatermark with lateness: it closes the window",
      fixedWindows(10) as never,
      { trigger: afterWatermark(), allowedLateness: 5 },
    ],
    ["another timestamp combiner", fixedWindows(10) as never, { timestampCombiner: "earliest" }],
    ["fireAlways at the end", fixedWindows(10) as never, { closingBehavior: "fireAlways" }],
    ["no empty on-time pane", fixedWindows(10) as never, { onTimeBehavior: "fireIfNonEmpty" }],
  ])("general: %s", async (_, windowFn, options) => {
    expect(await lane(windowFn, options)).toBe("general");
  });

  test("state: a DoFn with cells or timers, its calls included", async () => {
    const graph = await graphOf((p) => {
      pairs(p).parDo<number>("Sync", { state: { cell: valueState<number>() }, process: () => [] });
      pairs(p).parDo<number>("Async", { state: { cell: valueState<number>() }, process: async () => [] });
    });
    const stages = planStages(graph).filter(({ kind }) => kind !== "source");
    expect(stages.map(({ name, kind, lane: chosen }) => [name, kind, chosen])).toEqual([
      ["Sync", "keyed", "state"],
      ["Async", "calls", "state"],
    ]);
  });
});
