import { describe, expect, test } from "vitest";
import { isTidemarkError, type TidemarkError } from "../base/errors.ts";
import { kvCoder } from "../coders/composites.ts";
import { stringCoder, varintCoder } from "../coders/primitives.ts";
import { valueCoder } from "../coders/value.ts";
import type { DoFn, KV } from "../fn/do-fn.ts";
import { output } from "../fn/do-fn.ts";
import type { Sink } from "../fn/sink.ts";
import { eventTime, type Source } from "../fn/source.ts";
import { valueState } from "../fn/state.ts";
import { eventTimer } from "../fn/timer.ts";
import type { Collection, PipelineGraph, Step, StepSpec } from "../graph/graph.ts";
import { minutes, seconds } from "../model/time.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import {
  afterAll,
  afterCount,
  afterEach,
  afterProcessingTime,
  afterWatermark,
  always,
  continuationTrigger,
  never,
  repeatedly,
} from "../windowing/triggers.ts";
import { fixedWindows, globalWindows, sessions, slidingWindows } from "../windowing/window-fns.ts";
import type { PCollection } from "./collection.ts";
import type { Pipeline } from "./pipeline.ts";
import { pipeline } from "./program.ts";
import { transform } from "./transform.ts";

const UNBOUNDED: Source<string> = {
  name: "endless",
  bounded: false,
  splits: () => [0],
  open: () => {
    throw new Error("never opened here");
  },
};
const SINK: Sink<unknown> = {
  name: "sink",
  open: () => {
    throw new Error("never opened here");
  },
};

async function graphOf(build: (p: Pipeline) => unknown, allowUnsafeTriggers = false): Promise<PipelineGraph> {
  return (await pipeline({ name: "test", allowUnsafeTriggers, build }).build()).graph;
}

/** The coded error with which building fails. */
async function refusal(build: (p: Pipeline) => unknown, allowUnsafeTriggers = false): Promise<TidemarkError> {
  try {
    await graphOf(build, allowUnsafeTriggers);
  } catch (error) {
    if (isTidemarkError(error)) return error;
    throw error;
  }
  throw new Error("the program was accepted");
}

function step(graph: PipelineGraph, name: string): Step {
  const found = graph.steps.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no step ${name} among ${graph.steps.map((s) => s.name).join(", ")}`);
  return found;
}

function specOf<K extends StepSpec["kind"]>(
  graph: PipelineGraph,
  name: string,
  kind: K,
): StepSpec & { readonly kind: K } {
  const { spec } = step(graph, name);
  expect(spec.kind).toBe(kind);
  return spec as StepSpec & { readonly kind: K };
}

function windowingOf(graph: PipelineGraph, name: string): WindowingStrategy {
  return (graph.collections[step(graph, name).outputs["main"] as number] as Collection).windowing;
}

const names = (graph: PipelineGraph): readonly string[] => graph.steps.map((s) => s.name);
const pairs = (p: Pipeline): PCollection<KV<string, number>> => p.read(UNBOUNDED).map("Pair", (word) => [word, 1]);

describe("names", () => {
  test("builder N1: derived names are numbered where they repeat", async () => {
    const graph = await graphOf((p) =>
      p
        .create([1])
        .map((n) => n)
        .map((n) => n)
        .filter(() => true)
        .map("Map3", (n) => n)
        .map((n) => n),
    );
    expect(names(graph)).toEqual(["Create", "Map", "Map2", "Filter", "Map3", "Map4"]);
  });

  test("names of steps in composites are paths, and only there have to be unique", async () => {
    const twice = transform("Twice", (words: PCollection<string>) =>
      words.map("Double", (w) => w + w).apply("Inner", (ws: PCollection<string>) => ws.map("Deep", (w) => w)),
    );
    const graph = await graphOf((p) =>
      p
        .create(["a"])
        .apply(twice)
        .apply(twice)
        .apply("Third", twice)
        .map("Double", (w) => w),
    );
    expect(names(graph)).toEqual([
      "Create",
      "Twice/Double",
      "Twice/Inner/Deep",
      "Twice2/Double",
      "Twice2/Inner/Deep",
      "Third/Double",
      "Third/Inner/Deep",
      "Double",
    ]);
  });

  test("builder N1: a given name that is taken is DUPLICATE_STEP_NAME, with both places", async () => {
    const error = await refusal((p) => {
      const numbers = p.create([1]);
      numbers.map("Parse", (n) => n);
      numbers.filter("Parse", () => true);
    });
    expect(error.code).toBe("DUPLICATE_STEP_NAME");
    expect(error.context.step).toBe("Parse");
    const places = error.what.match(/pipeline\.test\.ts:\d+:\d+/g) ?? [];
    expect(places).toHaveLength(2);
    expect(places[0]).not.toBe(places[1]);
  });

  test("two steps that write one file are SINK_TWICE, with the line of the second", async () => {
    const error = await refusal((p) => {
      const words = p.create(["a"]);
      words.write("First", { ...SINK, replaces: "/out/words.txt" });
      words.write("Other", { ...SINK, replaces: "/out/others.txt" });
      words.write("Second", { ...SINK, replaces: "/out/words.txt" });
    });
    expect(error.code).toBe("SINK_TWICE");
    expect(error.what).toBe('the steps "First" and "Second" both write /out/words.txt');
    expect(error.context.at).toMatch(/pipeline\.test\.ts:\d+:\d+$/);
  });

  test("a composite cannot take a step's name either", async () => {
    const error = await refusal((p) =>
      p.create("Words", ["a"]).apply("Words", (words: PCollection<string>) => words.map((w) => w)),
    );
    expect(error.code).toBe("DUPLICATE_STEP_NAME");
  });

  test.each(["", " ", "a/b"])("%j is STEP_NAME_INVALID", async (name) => {
    expect((await refusal((p) => p.create(name, [1]))).code).toBe("STEP_NAME_INVALID");
  });

  test("frames F1: a step knows the user's line that applied it", async () => {
    const graph = await graphOf((p) => p.create(["a"]));
    expect(graph.steps[0]?.at).toMatch(/\/src\/pipeline\/pipeline\.test\.ts:\d+:\d+$/);
  });
});

describe("the graph", () => {
  test("builder N2: ids are positions, and steps know inputs and outputs by them", async () => {
    const graph = await graphOf((p) => {
      const a = p.create("A", [1]);
      p.flatten("Both", a, p.create("B", ["x"])).write("Out", SINK);
    });
    expect(graph.steps.map(({ name, inputs, outputs }) => [name, inputs, outputs])).toEqual([
      ["A", [], { main: 0 }],
      ["B", [], { main: 1 }],
      ["Both", [0, 1], { main: 2 }],
      ["Out", [2], {}],
    ]);
    expect(graph.collections.map(({ id, producer, tag }) => [id, producer, tag])).toEqual([
      [0, 0, "main"],
      [1, 1, "main"],
      [2, 2, "main"],
    ]);
  });

  test("builder N3: it is frozen", async () => {
    const graph = await graphOf((p) => p.create([1]));
    for (const part of [
      graph,
      graph.steps,
      graph.steps[0],
      graph.steps[0]?.outputs,
      graph.steps[0]?.spec,
      graph.collections[0],
      graph.views,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test("builder N3: nothing can be applied after build has returned", async () => {
    let kept: PCollection<number> | undefined;
    await graphOf((p) => (kept = p.create([1])));
    expect(() => kept?.map((n) => n)).toThrow(expect.objectContaining({ code: "PIPELINE_CLOSED" }) as Error);
  });

  test("late and dead-letter outputs are there only where they are asked for", async () => {
    const build = (asked: boolean) => (p: Pipeline) => {
      const grouped = pairs(p)
        .windowInto(fixedWindows(minutes(1)))
        .groupByKey();
      const mapped = grouped.map("Format", String);
      if (!asked) return;
      grouped.late.map((late) => late.reason);
      grouped.late.map((late) => late.lateBy);
      mapped.deadLetter().map((dead) => dead.error.message);
    };
    const [plain, asked] = [await graphOf(build(false)), await graphOf(build(true))];
    expect(Object.keys(step(plain, "GroupByKey").outputs)).toEqual(["main"]);
    expect(Object.keys(step(plain, "Format").outputs)).toEqual(["main"]);
    expect(Object.keys(step(asked, "GroupByKey").outputs)).toEqual(["main", "late"]);
    expect(Object.keys(step(asked, "Format").outputs)).toEqual(["main", "deadLetter"]);
    // Late elements come out in the global window, where nothing drops them again; failed ones in their own.
    const windowsOf = (name: string, tag: string): string | undefined =>
      asked.collections[step(asked, name).outputs[tag] as number]?.windowing.windowFn.name;
    expect(windowsOf("GroupByKey", "late")).toBe("global");
    expect(windowsOf("Format", "deadLetter")).toBe(fixedWindows(minutes(1)).name);
  });

  test("a DoFn's outputs are collections by tag", async () => {
    const doFn = {
      outputs: { main: output<string>(), bad: output<number>({ coder: varintCoder }) },
      process: (): string[] => [],
    };
    const graph = await graphOf((p) => {
      const result = p.create(["a"]).parDo("Check", doFn);
      result.outputs.bad.map("Bad", (n) => n + 1);
    });
    expect(Object.keys(step(graph, "Check").outputs)).toEqual(["main", "bad"]);
    expect(step(graph, "Bad").inputs).toEqual([step(graph, "Check").outputs["bad"]]);
    expect(graph.collections[step(graph, "Check").outputs["bad"] as number]?.coder).toBe(varintCoder);
  });

  test("a DoFn may not declare an output that steps make themselves", async () => {
    const doFn = { outputs: { late: output<string>() }, process: (): string[] => [] };
    expect((await refusal((p) => p.create(["a"]).parDo(doFn))).code).toBe("OUTPUT_TAG_RESERVED");
  });

  test("call options are the step's; side inputs are views by name", async () => {
    const graph = await graphOf((p) => {
      const total = p.create("Total", [3]).asSingleton();
      const rates = p.create("Rates", [["a", 1]]).asMap("RateView");
      p.create(["a"]).map("Scale", (w, { sideInputs }) => sideInputs.rates.get(w), {
        sideInputs: { total, rates },
        retry: { attempts: 3 },
        coder: valueCoder as never,
      });
    });
    expect(specOf(graph, "Scale", "map").call).toEqual({ retry: { attempts: 3 } });
    expect(step(graph, "Scale").sideInputs).toEqual({ total: 0, rates: 1 });
    expect(graph.views.map(({ kind, step: by }) => [kind, graph.steps[by]?.name])).toEqual([
      ["singleton", "AsSingleton"],
      ["map", "RateView"],
    ]);
    expect(graph.collections[step(graph, "Scale").outputs["main"] as number]?.coder).toBe(valueCoder);
  });

  test("a partition has an output for each part", async () => {
    const graph = await graphOf((p) => p.create([1, 2]).partition("Split", 3, (n) => n));
    expect(Object.keys(step(graph, "Split").outputs)).toEqual(["0", "1", "2"]);
    expect((await refusal((p) => p.create([1]).partition(0, (n) => n))).code).toBe("PARTITION_INVALID");
  });

  test("boundedness: a flatten is bounded where all its inputs are", async () => {
    const graph = await graphOf((p) => {
      p.flatten("Mixed", p.create(["a"]), p.read(UNBOUNDED));
      p.flatten("Bounded", p.create(["a"]), p.impulse());
      p.flatten("None");
    });
    const bounded = (name: string): boolean | undefined =>
      graph.collections[step(graph, name).outputs["main"] as number]?.bounded;
    expect([bounded("Mixed"), bounded("Bounded"), bounded("None"), bounded("Read")]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test("read takes its timestamps from the source unless a policy is given", async () => {
    const timestamps = eventTime((word: string) => word.length, { outOfOrderness: seconds(10) });
    const graph = await graphOf((p) => {
      p.read("Plain", UNBOUNDED);
      p.read("Timed", UNBOUNDED, { timestamps });
    });
    expect(specOf(graph, "Plain", "read").timestamps).toEqual({ kind: "source" });
    expect(specOf(graph, "Timed", "read").timestamps).toBe(timestamps);
  });

  test("mapValues is called as its function is: async, or with the context, where that is", async () => {
    const graph = await graphOf((p) => {
      const scores = p.create([["a", 1]]);
      scores.mapValues("Plain", (n) => n + 1);
      scores.mapValues("Async", async (n) => n + 1);
      scores.mapValues("Context", (n, { timestamp }) => n + timestamp);
    });
    const call = (name: string): ((element: unknown, context?: unknown) => unknown) =>
      specOf(graph, name, "map").fn as never;
    expect(call("Plain")(["a", 1])).toEqual(["a", 2]);
    expect(call("Plain")).toHaveLength(1);
    await expect(call("Async")(["a", 1])).resolves.toEqual(["a", 2]);
    expect(Object.prototype.toString.call(call("Async"))).toBe("[object AsyncFunction]");
    expect(call("Context")(["a", 1], { timestamp: 5 })).toEqual(["a", 6]);
    expect(call("Context")).toHaveLength(2);
  });
});

describe("windowing", () => {
  test("windowInto sets it, other steps hand it on, and a grouping continues the trigger", async () => {
    const graph = await graphOf((p) =>
      pairs(p)
        .windowInto(slidingWindows({ size: seconds(60), every: seconds(5) }), {
          trigger: afterWatermark({ early: afterProcessingTime(seconds(1)), late: afterCount(10) }),
          accumulation: "accumulating",
          allowedLateness: seconds(30),
        })
        .filter(() => true)
        .groupByKey()
        .keys(),
    );
    const windowing = (name: string): unknown =>
      graph.collections[step(graph, name).outputs["main"] as number]?.windowing;
    expect(windowing("Pair")).toMatchObject({ windowFn: { kind: "global" }, trigger: { kind: "default" } });
    expect(windowing("Filter")).toBe(windowing("WindowInto"));
    expect(windowing("Filter")).toMatchObject({ allowedLateness: 30_000, accumulation: "accumulating" });
    expect(windowing("GroupByKey")).toMatchObject({
      windowFn: { kind: "sliding" },
      trigger: {
        kind: "afterWatermark",
        early: { kind: "afterSynchronizedProcessingTime" },
        late: { kind: "afterCount", count: 1 },
      },
      allowedLateness: 30_000,
    });
    expect(windowing("Keys")).toBe(windowing("GroupByKey"));
  });

  test("after a grouping in merging windows the windowing stays", async () => {
    const graph = await graphOf((p) =>
      pairs(p)
        .windowInto(sessions(seconds(10)))
        .groupByKey()
        .keys(),
    );
    expect(graph.collections[step(graph, "Keys").outputs["main"] as number]?.windowing.windowFn.kind).toBe("sessions");
  });

  test.each([
    ["the default trigger", undefined],
    ["a trigger for the window's end", afterWatermark({ late: always() })],
    ["that again and again", repeatedly(afterWatermark())],
    ["that and a count", afterAll(afterWatermark(), afterCount(1))],
    ["that, then a count", afterEach(afterWatermark(), afterCount(1))],
  ])("GBK_NEVER_EMITS: an unbounded input in the global window with %s", async (_, trigger) => {
    const windowed = (p: Pipeline): PCollection<KV<string, number>> =>
      pairs(p).windowInto(globalWindows(), trigger && { trigger });
    const error = await refusal((p) => windowed(p).groupByKey("Group"));
    expect(error).toMatchObject({ code: "GBK_NEVER_EMITS", context: { step: "Group" } });
    expect(error.context.at).toMatch(/pipeline\.test\.ts/);
    expect((await refusal((p) => windowed(p).combinePerKey((all) => Math.max(...all)))).code).toBe("GBK_NEVER_EMITS");
    expect((await refusal((p) => windowed(p).asList())).code).toBe("VIEW_NEVER_READY");
  });

  test("groupings that can emit are accepted: bounded, windowed, or with a trigger that fires", async () => {
    await graphOf((p) => {
      p.create([["a", 1]]).groupByKey();
      const input = pairs(p);
      input.windowInto(fixedWindows(seconds(1))).groupByKey();
      input.windowInto(globalWindows(), { trigger: repeatedly(afterCount(1)) }).groupByKey();
      input.windowInto(globalWindows(), { trigger: never() }).groupByKey();
      p.readTestStream<KV<string, number>>([], { bounded: true }).groupByKey();
    });
    expect((await refusal((p) => p.readTestStream<KV<string, number>>([]).groupByKey())).code).toBe("GBK_NEVER_EMITS");
  });

  test("UNSAFE_TRIGGER: a trigger that may finish is refused where it groups, unless the program allows it", async () => {
    const build = (p: Pipeline): unknown =>
      pairs(p)
        .windowInto(globalWindows(), { trigger: afterCount(3) })
        .groupByKey("Group");
    expect(await refusal(build)).toMatchObject({ code: "UNSAFE_TRIGGER", context: { step: "Group" } });
    const allowed = await graphOf(build, true);
    expect(specOf(allowed, "Group", "groupByKey").kind).toBe("groupByKey");
    expect(windowingOf(allowed, "WindowInto").trigger).toEqual(afterCount(3));
    expect(windowingOf(allowed, "Group").trigger).toEqual(continuationTrigger(afterCount(3)));
  });

  test("UNSAFE_TRIGGER: afterWatermark without late firings, where lateness is allowed", async () => {
    const build = (allowedLateness: number) => (p: Pipeline) =>
      pairs(p)
        .windowInto(fixedWindows(seconds(1)), { trigger: afterWatermark({ early: afterCount(1) }), allowedLateness })
        .groupByKey("Group");
    expect(await refusal(build(1))).toMatchObject({ code: "UNSAFE_TRIGGER", context: { step: "Group" } });
    const allowed = await graphOf(build(0));
    expect(windowingOf(allowed, "Group")).toMatchObject({
      allowedLateness: 0,
      trigger: continuationTrigger(afterWatermark({ early: afterCount(1) })),
    });
  });

  test("FLATTEN_WINDOWING_MISMATCH says which inputs differ in what", async () => {
    const error = await refusal((p) => {
      const words = p.create(["a"]);
      p.flatten(words, words.windowInto(fixedWindows(seconds(1)), { accumulation: "accumulating" }));
    });
    expect(error.code).toBe("FLATTEN_WINDOWING_MISMATCH");
    expect(error.what).toContain("inputs 1 and 2");
    expect(error.what).toContain(
      `windows global and ${fixedWindows(seconds(1)).name}, accumulation discarding and accumulating`,
    );
  });

  test("a flatten takes inputs that are windowed alike by different calls", async () => {
    const graph = await graphOf((p) => {
      const words = p.create(["a"]);
      const windowed = (name: string): PCollection<string> =>
        words.windowInto(name, fixedWindows(seconds(1)), { trigger: repeatedly(afterCount(2)) });
      p.flatten(windowed("A"), windowed("B"));
    });
    const inputs = step(graph, "Flatten").inputs.map(
      (id) => graph.steps[graph.collections[id]?.producer as number]?.name,
    );
    expect(inputs).toEqual(["A", "B"]);
    expect(windowingOf(graph, "Flatten")).toEqual(windowingOf(graph, "A"));
    expect(windowingOf(graph, "Flatten").windowFn.name).toBe(fixedWindows(seconds(1)).name);
  });

  test("SIDE_INPUT_MERGING_WINDOWS: a view of sessions", async () => {
    const error = await refusal((p) =>
      p
        .create(["a"])
        .windowInto(sessions(seconds(10)))
        .asIterable("View"),
    );
    expect(error).toMatchObject({ code: "SIDE_INPUT_MERGING_WINDOWS", context: { step: "View" } });
  });
});

describe("what is refused while building", () => {
  test("PIPELINE_EMPTY: a program that builds nothing", async () => {
    expect((await refusal(() => {})).code).toBe("PIPELINE_EMPTY");
  });

  test("OTHER_PIPELINE: collections and views of another pipeline", async () => {
    let words: PCollection<string> | undefined;
    await graphOf((p) => (words = p.create(["a"])));
    const foreign = words as PCollection<string>;
    expect((await refusal((p) => p.flatten(p.create(["b"]), foreign))).code).toBe("OTHER_PIPELINE");
    const error = await refusal(async (p) => {
      let view: ReturnType<PCollection<string>["asList"]> | undefined;
      await graphOf((other) => (view = other.create(["a"]).asList()));
      p.create(["b"]).map("Look", (w) => w, { sideInputs: { list: view as NonNullable<typeof view> } });
    });
    expect(error).toMatchObject({ code: "OTHER_PIPELINE", context: { step: "Look" } });
  });

  const notKeyed: [string, (p: Pipeline) => unknown][] = [
    ["values that are no pairs", (p) => p.create(["a"])],
    ["an impulse", (p) => p.impulse()],
    ["a coder of strings", (p) => p.create(["a"]).map((w) => w, { coder: stringCoder })],
    ["late elements", (p) => p.create([["a", 1]]).groupByKey().late],
  ];
  test.each(notKeyed)("KEYED_STEP_NEEDS_KV, STATE_NEEDS_KEY: %s, where the types were cast away", async (_, make) => {
    const keyed = (p: Pipeline): PCollection<KV<string, number>> => make(p) as PCollection<KV<string, number>>;
    const stateful: DoFn<KV<string, number>, string> = { state: { n: valueState<number>() }, process: () => [] };
    expect((await refusal((p) => keyed(p).groupByKey())).code).toBe("KEYED_STEP_NEEDS_KV");
    expect((await refusal((p) => keyed(p).asMap())).code).toBe("KEYED_STEP_NEEDS_KV");
    expect(await refusal((p) => keyed(p).parDo("Count", stateful))).toMatchObject({
      code: "STATE_NEEDS_KEY",
      context: { step: "Count" },
    });
  });

  test("TIMER_INVALID: a timer without a callback, and a callback without a timer", async () => {
    const nobody = await refusal((p) => pairs(p).parDo("Wait", { timers: { due: eventTimer() }, process() {} }));
    expect(nobody).toMatchObject({ code: "TIMER_INVALID", context: { step: "Wait" } });
    expect(nobody.what).toContain('the timer "due"');
    const never = { timers: { due: eventTimer() }, process() {}, onTimer: { due() {}, du() {} } };
    const nothing = await refusal((p) => pairs(p).parDo("Wait", never as never));
    expect(nothing).toMatchObject({ code: "TIMER_INVALID", what: expect.stringContaining('"du"') as string });
  });

  test("STATE_IN_MERGING_WINDOWS: state of sessions cannot merge", async () => {
    const stateful: DoFn<KV<string, number>, string> = { state: { n: valueState<number>() }, process: () => [] };
    const error = await refusal((p) =>
      pairs(p)
        .windowInto(sessions(seconds(1)))
        .parDo(stateful),
    );
    expect(error.code).toBe("STATE_IN_MERGING_WINDOWS");
  });

  test("KEY_CODER_NOT_DETERMINISTIC: a given key coder, or that of the pairs", async () => {
    const loose = { ...stringCoder, name: "loose", deterministic: false };
    const given = await refusal((p) => p.create([["a", 1]]).groupByKey({ keyCoder: loose as never }));
    expect(given).toMatchObject({
      code: "KEY_CODER_NOT_DETERMINISTIC",
      what: expect.stringContaining("loose") as string,
    });
    const ofPairs = await refusal((p) =>
      p.create([["a", 1]], { coder: kvCoder(loose, varintCoder) as never }).groupByKey(),
    );
    expect(ofPairs.code).toBe("KEY_CODER_NOT_DETERMINISTIC");
    const graph = await graphOf((p) => p.create([["a", 1]]).groupByKey("Group", { keyCoder: stringCoder }));
    expect(specOf(graph, "Group", "groupByKey").keyCoder).toBe(stringCoder);
  });

  const asyncFn = async (): Promise<never> => Promise.reject(new Error("never called"));
  const sum = {
    createAccumulator: () => 0,
    addInput: (a: number, b: number) => a + b,
    mergeAccumulators: (all: readonly number[]) => all[0] ?? 0,
    extractOutput: (a: number) => a,
  };
  const asyncUses: [string, (p: Pipeline) => unknown][] = [
    ["a partition function", (p) => p.create([1]).partition(2, asyncFn as never)],
    ["a timestamp function", (p) => p.create([1]).withTimestamps(asyncFn as never)],
    ["a policy's timestamp function", (p) => p.read(UNBOUNDED, { timestamps: eventTime(asyncFn as never) })],
    ["timestamps of create", (p) => p.create([1], { timestamps: asyncFn as never })],
    ["a combining function", (p) => p.create([["a", 1]]).combinePerKey(asyncFn as never)],
    ["CombineFn.addInput", (p) => p.create([["a", 1]]).combinePerKey({ ...sum, addInput: asyncFn } as never)],
    ["CombineFn.compact", (p) => p.create([["a", 1]]).combinePerKey({ ...sum, compact: asyncFn } as never)],
    ["WindowFn.assign", (p) => p.create([1]).windowInto({ ...fixedWindows(1), assign: asyncFn } as never)],
    ["a composite", (p) => p.create([1]).apply("Composite", asyncFn)],
  ];
  test.each(asyncUses)("ASYNC_NOT_ALLOWED: %s", async (_, build) => {
    expect((await refusal(build)).code).toBe("ASYNC_NOT_ALLOWED");
  });

  const wrongArguments: [string, string, (p: Pipeline) => unknown][] = [
    ["TRANSFORM_INVALID", "a map of no function", (p) => p.create([1]).map("x", 5 as never)],
    ["TRANSFORM_INVALID", "apply of an object", (p) => p.create([1]).apply({} as never)],
    ["OPTION_UNKNOWN", "a DoFn with states", (p) => pairs(p).parDo({ states: {}, process: () => {} } as never)],
    ["OPTION_UNKNOWN", "a DoFn with finishbundle", (p) => pairs(p).parDo({ finishbundle() {}, process() {} } as never)],
    ["TRANSFORM_INVALID", "apply of what makes a transform", (p) => p.create([1]).apply((() => () => {}) as never)],
    ["TRANSFORM_INVALID", "a DoFn class in place of an instance", (p) => p.create([1]).parDo(class {} as never)],
    ["TRANSFORM_INVALID", "windowInto of a number", (p) => p.create([1]).windowInto(5 as never)],
    ["TRANSFORM_INVALID", "windowInto of nothing", (p) => p.create([1]).windowInto({})],
    ["OPTION_UNKNOWN", "a misspelt change", (p) => p.create([1]).windowInto({ triger: 1 } as never)],
    ["TRANSFORM_INVALID", "no concurrency", (p) => p.create([1]).map((n) => n, { concurrency: 0 })],
    ["TRANSFORM_INVALID", "a concurrency of NaN", (p) => p.create([1]).map((n) => n, { concurrency: NaN })],
    ["TRANSFORM_INVALID", "no attempt", (p) => p.create([1]).map((n) => n, { retry: { attempts: 0 } })],
    [
      "TRANSFORM_INVALID",
      "a backoff of NaN",
      (p) => p.create([1]).map((n) => n, { retry: { attempts: 2, backoff: NaN } }),
    ],
    ["TRANSFORM_INVALID", "a time-out of nothing", (p) => p.create([1]).map((n) => n, { timeout: 0 })],
    ["TRANSFORM_INVALID", "a write without a sink", (p) => p.create([1]).write(undefined as never)],
    ["TRANSFORM_INVALID", "a read without a source", (p) => p.read("x.txt" as never)],
    ["TRANSFORM_INVALID", "create of no array", (p) => p.create(new Set([1]) as never)],
    ["TRANSFORM_INVALID", "a flatten of no collection", (p) => p.flatten(5 as never)],
    [
      "SIDE_INPUT_INVALID",
      "a collection as a side input",
      (p) => p.create([1]).map((n) => n, { sideInputs: { x: p.create([2]) } as never }),
    ],
    [
      "COMBINE_FN_INVALID",
      "a CombineFn that lacks a member",
      (p) => p.create([["a", 1]]).combinePerKey({ ...sum, extractOutput: undefined } as never),
    ],
    [
      "COMBINE_FN_INVALID",
      "a CombineFn that is a name",
      (p) => p.create([["a", 1]]).combinePerKey("Sum", "sum" as never),
    ],
    [
      "TIMESTAMP_SKEW_INVALID",
      "a negative skew",
      (p) => p.create([1]).withTimestamps((n) => n, { allowedTimestampSkew: -1 }),
    ],
  ];
  test.each(wrongArguments)("%s: %s", async (code, _, build) => {
    const error = await refusal(build);
    expect(error.code).toBe(code);
    expect(error.fix).toBeDefined();
    expect(error.context.step).toBeDefined();
  });
});
