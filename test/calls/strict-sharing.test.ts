/** Strict mode: nobody changes an element that others see too; what groupings keep can be encoded. */
import {
  type CombineFn,
  fixedWindows,
  type KV,
  type PCollection,
  type Pipeline,
  sessions,
  slidingWindows,
  type WindowFn,
} from "tidemark";
import { assertThat, at, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";
import { bareCounterFn, counterFn } from "./points.ts";

interface Event {
  n: number;
  list: number[];
}
const events = (p: Pipeline): PCollection<Event> => p.createTimestamped([at(1, { n: 1, list: [1] })]);
const keyed = (p: Pipeline): PCollection<KV<string, Event>> => events(p).map("Key", (event) => ["k", event]);
const spoil = (event: Event): number => event.list.push(2);
const unencodable = (): number => 1;

const SHARED: readonly (readonly [string, (p: Pipeline) => void])[] = [
  [
    "two steps of a stage",
    (p) => {
      const all = events(p);
      all.map("Look", (event) => event.n);
      all.map("Spoil", spoil);
    },
  ],
  [
    "steps of two stages",
    (p) => {
      const all = events(p);
      all.map("Look", async (event) => event.n);
      all.map("Spoil", async (event) => spoil(event));
    },
  ],
  [
    "two windows",
    (p) =>
      events(p)
        .windowInto(slidingWindows({ size: 10, every: 5 }))
        .map("Spoil", (event, { window }) => spoil(event) + window.maxTimestamp),
  ],
  [
    "the list of a grouping",
    (p) =>
      keyed(p)
        .groupByKey()
        .map("Spoil", ([, all]) => (all as unknown[]).push(1)),
  ],
  [
    "the values of a grouping",
    (p) =>
      keyed(p)
        .groupByKey()
        .map("Spoil", ([, all]) => all.forEach(spoil)),
  ],
  [
    "the result of a combine",
    (p) =>
      keyed(p)
        .combinePerKey((all: Iterable<Event>) => [...all][0] as Event)
        .map("Spoil", ([, event]) => spoil(event)),
  ],
  [
    "a side input",
    (p) => {
      const side = events(p).asSingleton();
      p.create([0]).map("Spoil", (_, { sideInputs }) => spoil(sideInputs.side), { sideInputs: { side } });
    },
  ],
];

test.each(SHARED)("%s: what others see too cannot be changed", async (_name, build) => {
  for (const bundleSeed of [undefined, 7]) {
    const error = await failureOf(build, { encoded: false, ...(bundleSeed && { bundleSeed }) });
    expect(error).toMatchObject({ code: "STEP_FAILED", context: { step: "Spoil" } });
    expect(error.message).toMatch(/TypeError: Cannot add property/);
  }
});

test.each(SHARED)("%s: without strict mode nothing is frozen", async (_name, build) => {
  await runTest(build, { strict: false });
});

test("an element that one step alone sees is its own", async () => {
  await runTest((p) => {
    assertThat(events(p).map(spoil)).containsInAnyOrder([2]);
  });
});

const LANES: readonly (readonly [string, WindowFn])[] = [
  ["window", fixedWindows(10)],
  ["slice", slidingWindows({ size: 10, every: 5 })],
  ["general", sessions(10)],
];
const gather: CombineFn<unknown, unknown[], number> = {
  createAccumulator: () => [],
  addInput: (all, input) => [...all, input],
  mergeAccumulators: (several) => several.flat(),
  extractOutput: (all) => all.length,
};

describe.each(LANES)("grouping in the %s lane", (_lane, windowFn) => {
  const input = (p: Pipeline): PCollection<KV<string, unknown>> =>
    p.createTimestamped<KV<string, unknown>>([at(1, ["k", 1]), at(2, ["k", unencodable])]).windowInto(windowFn);
  const numbers = (p: Pipeline): PCollection<KV<string, number>> =>
    p.createTimestamped<KV<string, number>>([at(1, ["k", 1]), at(2, ["k", 2])]).windowInto(windowFn);

  test("a value that cannot be encoded is refused where it comes", async () => {
    const error = await failureOf((p) => input(p).groupByKey("Group"), { encoded: false });
    expect(error).toMatchObject({ code: "VALUE_NOT_ENCODABLE", context: { step: "Group", key: '"k"' } });
    expect(error.message).toContain("the function unencodable");
  });

  test("an accumulator that cannot is refused at its first input, or when a result is made of it", async () => {
    const bare = await failureOf((p) => numbers(p).combinePerKey("Combine", bareCounterFn));
    expect(bare).toMatchObject({ code: "VALUE_NOT_ENCODABLE", context: { step: "Combine", element: '["k",1]' } });
    const grown = await failureOf((p) => input(p).combinePerKey("Combine", gather), { encoded: false });
    expect(grown).toMatchObject({ code: "VALUE_NOT_ENCODABLE", context: { step: "Combine", key: '"k"' } });
    expect(grown.context.element).toBeUndefined();
  });

  test("one with a coder is none of these", async () => {
    await runTest((p) => {
      const sums = numbers(p)
        .combinePerKey(counterFn)
        .values()
        .map("Distinct", (n) => n > 0)
        .filter((yes) => !yes);
      assertThat(sums).isEmpty();
    });
  });

  test("without strict mode nothing is checked", async () => {
    await runTest((p) => void [input(p).groupByKey(), input(p).combinePerKey(gather)], {
      strict: false,
      encoded: false,
    });
  });
});
