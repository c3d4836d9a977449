/** The ready-made transforms, run by the embedded engine: what their documentation says comes out, does. */
import { describe, expect, test } from "vitest";
import { seconds } from "../../src/model/time.ts";
import type { PCollection, Pipeline } from "../../src/pipeline/index.ts";
import { type Collected, collectSink } from "../../src/testing/collect.ts";
import { runTest } from "../../src/testing/run-test.ts";
import {
  coGroupByKey,
  combineGlobally,
  combineGloballyAsSingleton,
  composeCombineFns,
  countGlobally,
  countPerElement,
  flatten,
  groupByKey,
  kvSwap,
  maxPerKey,
  meanFn,
  partition,
  reshuffle,
  sumFn,
  sumGlobally,
  topPerKey,
  topPerWindow,
  windowInto,
  withKeys,
  withTimestamps,
} from "../../src/transforms/index.ts";
import { afterCount, afterWatermark } from "../../src/windowing/triggers.ts";
import { fixedWindows } from "../../src/windowing/window-fns.ts";

/** What a pipeline's collection holds, in the order of its elements' JSON. */
async function resultOf<T>(build: (p: Pipeline) => PCollection<T>): Promise<T[]> {
  const into: Collected<T>[] = [];
  await runTest((p) => build(p).write(collectSink("result", into)));
  return into.map(({ value }) => value).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

const words = (p: Pipeline): PCollection<string> => p.create(["to", "be", "or", "not", "to", "be", "to"]);
const amounts = (p: Pipeline): PCollection<[string, number]> =>
  p.create([
    ["a", 1],
    ["a", 3],
    ["a", 2],
    ["b", 9],
  ]);

describe("per key", () => {
  test("counts and tops", async () => {
    expect(await resultOf((p) => words(p).apply(countPerElement()))).toEqual([
      ["be", 2],
      ["not", 1],
      ["or", 1],
      ["to", 3],
    ]);
    expect(await resultOf((p) => words(p).apply(countPerElement()).apply(topPerWindow(3)))).toEqual([
      [
        ["to", 3],
        ["be", 2],
        ["not", 1],
      ],
    ]);
    expect(await resultOf((p) => amounts(p).apply(topPerKey(2)))).toEqual([
      ["a", [3, 2]],
      ["b", [9]],
    ]);
    expect(await resultOf((p) => amounts(p).apply(maxPerKey()))).toEqual([
      ["a", 3],
      ["b", 9],
    ]);
  });

  test("elements that are equal by content are one key", async () => {
    expect(
      await resultOf((p) =>
        p
          .create([
            { x: 1, y: 2 },
            { y: 2, x: 1 },
          ])
          .apply(countPerElement())
          .values(),
      ),
    ).toEqual([2]);
  });

  test("keys, swaps, groups", async () => {
    expect(
      await resultOf((p) =>
        words(p)
          .apply(withKeys((word) => word.length))
          .apply(groupByKey())
          .mapValues((all) => all.length),
      ),
    ).toEqual([
      [2, 6],
      [3, 1],
    ]);
    expect(await resultOf((p) => amounts(p).apply(kvSwap()).apply(reshuffle()).keys())).toEqual([1, 2, 3, 9]);
  });
});

describe("of whole windows", () => {
  test("the combined value, or that of nothing", async () => {
    expect(await resultOf((p) => p.create([1, 2, 6]).apply(sumGlobally()))).toEqual([9]);
    expect(await resultOf((p) => p.create<number>([]).apply(sumGlobally()))).toEqual([0]);
    expect(await resultOf((p) => p.create<number>([]).apply(combineGlobally(sumFn(), { withDefault: false })))).toEqual(
      [],
    );
    expect(
      await resultOf((p) =>
        p.create([1, 2, 6]).apply(combineGlobally(composeCombineFns({ sum: sumFn(), mean: meanFn() }))),
      ),
    ).toEqual([{ sum: 9, mean: 3 }]);
  });

  test("in windows of time, where there are elements", async () => {
    const counts = await resultOf((p) =>
      p
        .create([1, 2, 11])
        .apply(withTimestamps((n) => seconds(n)))
        .apply(windowInto(fixedWindows(seconds(5))))
        .apply(countGlobally({ withDefault: false })),
    );
    expect(counts).toEqual([1, 2]);
  });

  test("as a side input, also of nothing", async () => {
    const share =
      (values: number[]) =>
      (p: Pipeline): PCollection<number> => {
        const total = p.create<number>("Values", values).apply(combineGloballyAsSingleton(sumFn()));
        return p.create([5]).map((n, { sideInputs }) => n + sideInputs.total, { sideInputs: { total } });
      };
    expect(await resultOf(share([1, 2]))).toEqual([8]);
    expect(await resultOf(share([]))).toEqual([5]);
  });

  test("accumulating panes that repeat a key do not fill the list of the top keys", async () => {
    const tops: Collected<unknown>[] = [];
    await runTest((p) =>
      words(p)
        .apply(
          windowInto(fixedWindows(seconds(1)), {
            trigger: afterWatermark({ early: afterCount(1) }),
            accumulation: "accumulating",
          }),
        )
        .apply(countPerElement())
        .apply(topPerWindow(2))
        .write(collectSink("tops", tops)),
    );
    expect(tops.at(-1)?.value).toEqual([
      ["to", 3],
      ["be", 2],
    ]);
  });
});

describe("of several collections", () => {
  test("coGroupByKey has every key of any of them", async () => {
    const joined = await resultOf((p) =>
      coGroupByKey({
        amounts: amounts(p),
        names: p.create([
          ["b", "Bob"],
          ["c", "Cid"],
        ]),
      }).mapValues(({ amounts: all, names }) => [all.length, names]),
    );
    expect(joined).toEqual([
      ["a", [3, []]],
      ["b", [1, ["Bob"]]],
      ["c", [0, ["Cid"]]],
    ]);
  });

  test("flatten and partition are each other's opposite", async () => {
    const result = await resultOf((p) => {
      const [even, odd] = p.create([1, 2, 3, 4]).apply(partition(2, (n) => n % 2));
      return flatten([even.map((n) => n * 10), odd]);
    });
    expect(result).toEqual([1, 20, 3, 40]);
  });
});
