import { describe, expect, test } from "vitest";
import { isTidemarkError, type TidemarkError } from "../base/errors.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type { KV } from "../fn/do-fn.ts";
import type { PipelineGraph, Step, StepSpec } from "../graph/graph.ts";
import { seconds } from "../model/time.ts";
import { pipeline, type PCollection, type Pipeline } from "../pipeline/index.ts";
import { afterCount, repeatedly } from "../windowing/triggers.ts";
import { fixedWindows, globalWindows } from "../windowing/window-fns.ts";
import {
  coGroupByKey,
  combineGlobally,
  combineGloballyAsSingleton,
  combinePerKey,
  countGlobally,
  countPerElement,
  countPerKey,
  flatten,
  groupByKey,
  keys,
  kvSwap,
  maxGlobally,
  maxPerKey,
  meanGlobally,
  meanPerKey,
  minGlobally,
  minPerKey,
  partition,
  reshuffle,
  sumFn,
  sumGlobally,
  sumPerKey,
  topPerKey,
  topPerWindow,
  values,
  windowInto,
  withKeys,
  withTimestamps,
} from "./index.ts";

async function graphOf(build: (p: Pipeline) => unknown): Promise<PipelineGraph> {
  return (await pipeline({ name: "test", build }).build()).graph;
}

async function refusal(build: (p: Pipeline) => unknown): Promise<TidemarkError> {
  const error: unknown = await graphOf(build).catch((thrown: unknown) => thrown);
  if (!isTidemarkError(error)) throw new Error("the program was accepted");
  return error;
}

const outline = (graph: PipelineGraph): string[] =>
  graph.steps.map(
    ({ name, spec, inputs }) =>
      `${name}: ${spec.kind}(${inputs.map((id) => graph.steps[graph.collections[id]?.producer as number]?.name).join(", ")})`,
  );

function step(graph: PipelineGraph, name: string): Step {
  const found = graph.steps.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no step ${name} in ${outline(graph).join("; ")}`);
  return found;
}

/** The function of a `map` or `flatMap` step. */
function fnOf(graph: PipelineGraph, name: string): (element: unknown, context?: unknown) => unknown {
  return (step(graph, name).spec as StepSpec & { readonly kind: "map" }).fn as never;
}

function combineFnOf(graph: PipelineGraph, name: string): CombineFn<unknown, unknown, unknown> {
  return (step(graph, name).spec as StepSpec & { readonly kind: "combinePerKey" }).combineFn;
}

function combined(fn: CombineFn<unknown, unknown, unknown>, inputs: readonly unknown[]): unknown {
  return fn.extractOutput(
    inputs.reduce((accumulator, input) => fn.addInput(accumulator, input), fn.createAccumulator()),
  );
}

const scores = (p: Pipeline): PCollection<KV<string, number>> => p.create("Scores", [["a", 1]]);

describe("one step under the name given to apply, or under one of its own", () => {
  const steps: [
    string,
    StepSpec["kind"],
    (input: PCollection<KV<string, number>>) => unknown,
    (input: PCollection<KV<string, number>>) => unknown,
  ][] = [
    ["GroupByKey", "groupByKey", (c) => c.apply(groupByKey()), (c) => c.apply("X", groupByKey())],
    [
      "CombinePerKey",
      "combinePerKey",
      (c) => c.apply(combinePerKey(sumFn())),
      (c) => c.apply("X", combinePerKey(sumFn())),
    ],
    ["CountPerKey", "combinePerKey", (c) => c.apply(countPerKey()), (c) => c.apply("X", countPerKey())],
    ["SumPerKey", "combinePerKey", (c) => c.apply(sumPerKey()), (c) => c.apply("X", sumPerKey())],
    ["MeanPerKey", "combinePerKey", (c) => c.apply(meanPerKey()), (c) => c.apply("X", meanPerKey())],
    ["MinPerKey", "combinePerKey", (c) => c.apply(minPerKey()), (c) => c.apply("X", minPerKey())],
    ["MaxPerKey", "combinePerKey", (c) => c.apply(maxPerKey()), (c) => c.apply("X", maxPerKey())],
    ["TopPerKey", "combinePerKey", (c) => c.apply(topPerKey(2)), (c) => c.apply("X", topPerKey(2))],
    ["Keys", "map", (c) => c.apply(keys()), (c) => c.apply("X", keys())],
    ["Values", "map", (c) => c.apply(values()), (c) => c.apply("X", values())],
    ["KvSwap", "map", (c) => c.apply(kvSwap()), (c) => c.apply("X", kvSwap())],
    [
      "WithKeys",
      "map",
      (c) => c.apply(withKeys(([key]) => key)),
      (c) =>
        c.apply(
          "X",
          withKeys(([key]) => key),
        ),
    ],
    [
      "WithTimestamps",
      "timestamps",
      (c) => c.apply(withTimestamps(() => 0)),
      (c) =>
        c.apply(
          "X",
          withTimestamps(() => 0),
        ),
    ],
    [
      "WindowInto",
      "windowInto",
      (c) => c.apply(windowInto(fixedWindows(1))),
      (c) => c.apply("X", windowInto(fixedWindows(1))),
    ],
    [
      "Partition",
      "partition",
      (c) => c.apply(partition(2, () => 0)),
      (c) =>
        c.apply(
          "X",
          partition(2, () => 0),
        ),
    ],
    ["Reshuffle", "reshuffle", (c) => c.apply(reshuffle()), (c) => c.apply("X", reshuffle())],
    ["Flatten", "flatten", (c) => flatten([c, c]), (c) => flatten("X", [c, c])],
  ];
  test.each(steps)("%s", async (derived, kind, unnamed, named) => {
    const graph = await graphOf((p) => {
      const input = scores(p);
      unnamed(input);
      named(input);
    });
    expect(graph.steps.map((s) => [s.name, s.spec.kind])).toEqual([
      ["Scores", "read"],
      [derived, kind],
      ["X", kind],
    ]);
  });
});

describe("simple functions", () => {
  test("keys, values, kvSwap and withKeys", async () => {
    const graph = await graphOf((p) => {
      const input = scores(p);
      input.apply(keys());
      input.apply(values());
      input.apply(kvSwap());
      input.apply(withKeys(([key]) => key + key));
    });
    expect(["Keys", "Values", "KvSwap", "WithKeys"].map((name) => fnOf(graph, name)(["a", 1]))).toEqual([
      "a",
      1,
      [1, "a"],
      ["aa", ["a", 1]],
    ]);
  });

  test("ASYNC_NOT_ALLOWED: an async key function", async () => {
    const asyncKey = async (): Promise<string> => "a";
    // @ts-expect-error the compiler refuses it too
    const byAsyncKey = withKeys(asyncKey);
    const error = await refusal((p) => scores(p).apply("Key", byAsyncKey));
    expect(error).toMatchObject({ code: "ASYNC_NOT_ALLOWED", context: { step: "Key" } });
  });

  test("countPerElement counts each element under itself", async () => {
    const graph = await graphOf((p) => p.create("Words", ["a"]).apply(countPerElement()));
    expect(outline(graph)).toEqual([
      "Words: read()",
      "CountPerElement/Key: map(Words)",
      "CountPerElement/Count: combinePerKey(CountPerElement/Key)",
    ]);
    expect(fnOf(graph, "CountPerElement/Key")("a")).toEqual(["a", null]);
    expect(combined(combineFnOf(graph, "CountPerElement/Count"), [null, null])).toBe(2);
  });
});

describe("combineGlobally", () => {
  test("with a default: an impulse waits for what is combined, and gives the empty value where there is nothing", async () => {
    const graph = await graphOf((p) => p.create<number>("Numbers", []).apply("Total", combineGlobally(sumFn())));
    expect(outline(graph)).toEqual([
      "Numbers: read()",
      "Total/Key: map(Numbers)",
      "Total/Combine: combinePerKey(Total/Key)",
      "Total/Values: map(Total/Combine)",
      "Total/Seen: view(Total/Values)",
      "Total/Start: impulse()",
      "Total/Default: flatMap(Total/Start)",
      "Total/Window: windowInto(Total/Default)",
      "Total/Output: flatten(Total/Values, Total/Window)",
    ]);
    const giveDefault = fnOf(graph, "Total/Default");
    expect(giveDefault(new Uint8Array(), { sideInputs: { "combined values": [] } })).toEqual([0]);
    expect(giveDefault(new Uint8Array(), { sideInputs: { "combined values": [7] } })).toEqual([]);
  });

  test("the default joins what is combined under a trigger of the global window", async () => {
    const trigger = repeatedly(afterCount(2));
    const graph = await graphOf((p) =>
      p.create([1]).apply(windowInto(globalWindows(), { trigger })).apply("Total", combineGlobally(sumFn())),
    );
    expect(graph.collections[step(graph, "Total/Output").outputs["main"] as number]?.windowing.trigger).toEqual(
      repeatedly(afterCount(1)),
    );
  });

  test("COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW: other windows exist only where elements are", async () => {
    const windowed = (p: Pipeline): PCollection<number> => p.create([1]).apply(windowInto(fixedWindows(seconds(1))));
    const error = await refusal((p) => windowed(p).apply("Total", combineGlobally(sumFn())));
    expect(error).toMatchObject({
      code: "COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW",
      fix: expect.stringContaining("withDefault: false") as string,
    });
    const graph = await graphOf((p) => windowed(p).apply("Total", combineGlobally(sumFn(), { withDefault: false })));
    expect(outline(graph).slice(-1)).toEqual(["Total/Values: map(Total/Combine)"]);
  });

  test("a plain function may combine", async () => {
    const graph = await graphOf((p) =>
      p.create([1]).apply(
        "Max",
        combineGlobally((all: Iterable<number>) => Math.max(...all)),
      ),
    );
    expect(combined(combineFnOf(graph, "Max/Combine"), [1, 3, 2])).toBe(3);
  });

  test("late elements come out without the key of all", async () => {
    const graph = await graphOf((p) => {
      const total = p
        .create([1])
        .apply(windowInto(fixedWindows(1)))
        .apply("Total", combineGlobally(sumFn(), { withDefault: false }));
      total.late.map("Late", ({ element }) => element + 1);
      expect(total.late).toBe(total.late);
    });
    expect(step(graph, "Total/Late").inputs).toEqual([step(graph, "Total/Combine").outputs["late"]]);
    expect(step(graph, "Late").inputs).toEqual([step(graph, "Total/Late").outputs["main"]]);
  });

  test("combineGloballyAsSingleton has the empty value as its default, in any windows", async () => {
    const graph = await graphOf((p) =>
      p
        .create([1])
        .apply(windowInto(fixedWindows(1)))
        .apply(combineGloballyAsSingleton(sumFn())),
    );
    expect(step(graph, "CombineGloballyAsSingleton/View").spec).toMatchObject({
      kind: "view",
      view: "singleton",
      defaultValue: { value: 0 },
    });
  });

  test.each([
    ["CountGlobally", countGlobally(), 3],
    ["SumGlobally", sumGlobally(), 9],
    ["MeanGlobally", meanGlobally(), 3],
    ["MinGlobally", minGlobally(), 1],
    ["MaxGlobally", maxGlobally(), 6],
  ])("%s", async (name, apply, expected) => {
    const graph = await graphOf((p) => p.create<number>([]).apply(apply));
    expect(combined(combineFnOf(graph, `${name}/Combine`), [1, 2, 6])).toBe(expected);
  });
});

describe("top", () => {
  test("of counts: a key that panes repeat appears once, with its greatest count; equal counts in the order of their keys", async () => {
    const graph = await graphOf((p) => p.create(["a"]).apply(countPerElement()).apply("Top", topPerWindow(3)));
    const panes = [
      ["b", 1],
      ["a", 1],
      ["b", 2],
      ["d", 1],
      ["b", 5],
      ["c", 2],
    ];
    expect(combined(combineFnOf(graph, "Top/Combine"), panes)).toEqual([
      ["b", 5],
      ["c", 2],
      ["a", 1],
    ]);
  });

  test("by an order: equal elements are all kept", async () => {
    const graph = await graphOf((p) =>
      p.create([1]).apply(
        "Top",
        topPerWindow(3, (a: number, b: number) => a - b),
      ),
    );
    expect(combined(combineFnOf(graph, "Top/Combine"), [4, 1, 4, 2])).toEqual([4, 4, 2]);
  });

  test("keys that are equal by content are one", async () => {
    const graph = await graphOf((p) =>
      p
        .create([{ tag: "a" }])
        .apply(countPerElement())
        .apply("Top", topPerWindow(2)),
    );
    expect(
      combined(combineFnOf(graph, "Top/Combine"), [
        [{ tag: "a" }, 1],
        [{ tag: "a" }, 2],
      ]),
    ).toEqual([[{ tag: "a" }, 2]]);
  });

  test("per key", async () => {
    const graph = await graphOf((p) => scores(p).apply(topPerKey(2)));
    expect(combined(combineFnOf(graph, "TopPerKey"), [1, 3, 2])).toEqual([3, 2]);
  });
});

describe("coGroupByKey", () => {
  const join = (p: Pipeline): unknown =>
    coGroupByKey("Join", { scores: scores(p), flags: p.create("Flags", [["a", true]]) });

  test("tags values, groups them, and takes them apart by tag", async () => {
    const graph = await graphOf(join);
    expect(outline(graph)).toEqual([
      "Scores: read()",
      "Flags: read()",
      "Join/Tag scores: map(Scores)",
      "Join/Tag flags: map(Flags)",
      "Join/All: flatten(Join/Tag scores, Join/Tag flags)",
      "Join/Group: groupByKey(Join/All)",
      "Join/Join: map(Join/Group)",
    ]);
    const [, score] = fnOf(graph, "Join/Tag scores")(["a", 1]) as KV<string, unknown>;
    const [, flag] = fnOf(graph, "Join/Tag flags")(["a", true]) as KV<string, unknown>;
    expect(fnOf(graph, "Join/Join")(["a", [score, flag, score]])).toEqual(["a", { scores: [1, 1], flags: [true] }]);
  });

  test("a key that a collection does not have has an empty array there", async () => {
    expect(fnOf(await graphOf(join), "Join/Join")(["b", []])).toEqual(["b", { scores: [], flags: [] }]);
  });

  test("FLATTEN_WINDOWING_MISMATCH: the collections are windowed alike", async () => {
    const error = await refusal((p) =>
      coGroupByKey({ a: scores(p), b: p.create([["a", 1]]).apply(windowInto(fixedWindows(1))) }),
    );
    expect(error).toMatchObject({ code: "FLATTEN_WINDOWING_MISMATCH", context: { step: "CoGroupByKey/All" } });
  });

  test("TRANSFORM_INVALID: nothing to join, nothing to flatten", async () => {
    expect((await refusal(() => coGroupByKey({}))).code).toBe("TRANSFORM_INVALID");
    expect((await refusal(() => flatten([]))).code).toBe("TRANSFORM_INVALID");
  });
});
