/**
 * The slice lane against the window lane: sums in sliding windows are the sums of the lists of the same windows, pane by pane,
 * whatever comes, however late, in whatever bundles, and whether elements still are in all of their windows or in one each.
 */
import fc from "fast-check";
import {
  type CombineFn,
  flatten,
  type KeyedResult,
  type KV,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  type PCollection,
  type Pipeline,
  slidingWindows,
  type Transform,
  type WindowIntoOptions,
} from "tidemark";
import { assertThat, at, type Collected, runTest, type TestOptions, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";

const SEED = Number(process.env["TIDEMARK_SEED"] ?? 20_261_123);
const RUNS = Number(process.env["TIDEMARK_RUNS"] ?? 400);

type Pair = KV<string, number>;
type Event =
  | { readonly kind: "elements"; readonly elements: readonly (readonly [time: number, key: string, value: number])[] }
  | { readonly kind: "watermark"; readonly by: number };

interface Case {
  readonly size: number;
  readonly every: number;
  readonly offset: number;
  readonly options: WindowIntoOptions;
  readonly events: readonly Event[];
  readonly elementsAs: "together" | "singly" | "mixed";
}

const EXTREMES = [MIN_TIMESTAMP, -(2 ** 53), 2 ** 52 - 7, 2 ** 53, MAX_TIMESTAMP - 2];

const element = fc.tuple(
  fc.oneof(
    { weight: 30, arbitrary: fc.integer({ min: -20, max: 120 }) },
    { weight: 1, arbitrary: fc.constantFrom(...EXTREMES) },
  ),
  fc.constantFrom("a", "b", "c"),
  fc.integer({ min: 1, max: 9 }),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("elements" as const), elements: fc.array(element, { minLength: 1, maxLength: 6 }) }),
  fc.record({ kind: fc.constant("watermark" as const), by: fc.integer({ min: 1, max: 40 }) }),
);
const cases: fc.Arbitrary<Case> = fc.record({
  size: fc.integer({ min: 2, max: 40 }),
  every: fc.integer({ min: 1, max: 12 }),
  offset: fc.integer({ min: 0, max: 5 }),
  options: fc.record({
    allowedLateness: fc.constantFrom(0, 0, 5, 40),
    accumulation: fc.constantFrom("accumulating" as const, "discarding" as const),
  }),
  events: fc.array(event, { minLength: 1, maxLength: 14 }),
  elementsAs: fc.constantFrom("together" as const, "together" as const, "singly" as const, "mixed" as const),
});

function streamOf(events: readonly Event[]): Transform<Pipeline, PCollection<Pair>> {
  let stream = testStream<Pair>();
  let watermark = -30;
  for (const one of events) {
    if (one.kind === "watermark") stream = stream.advanceWatermarkTo((watermark += one.by));
    else stream = stream.addElements(...one.elements.map(([time, key, value]) => at(time, [key, value] as Pair)));
  }
  return stream.advanceWatermarkToInfinity();
}

function windowed(p: Pipeline, { size, every, offset, options, events, elementsAs }: Case): PCollection<Pair> {
  const together = p.apply(streamOf(events)).windowInto(slidingWindows({ size, every, offset }), options);
  // A function that looks at the window is called for each one, and what it gives is in that window alone.
  const apart = (input: PCollection<Pair>, name: string): PCollection<Pair> =>
    input.map(name, (pair, _context) => pair);
  if (elementsAs === "together") return together;
  if (elementsAs === "singly") return apart(together, "Apart");
  const [odd, even] = together.partition(2, ([, value]) => value % 2);
  return flatten([apart(odd, "Apart"), even]);
}

const listOf: CombineFn<number, number[], readonly number[]> = {
  name: "ListOf",
  createAccumulator: () => [],
  addInput(list, value) {
    list.push(value);
    return list;
  },
  mergeAccumulators([first, ...others]) {
    for (const other of others) first?.push(...other);
    return first as number[];
  },
  extractOutput: (list) => [...list],
};

const shown = (elements: readonly Collected<KV<string, readonly number[]>>[]): string[] =>
  elements
    .map(({ value: [key, values], timestamp, window, pane }) =>
      JSON.stringify([window.id, key, values.toSorted((a, b) => a - b), timestamp, pane]),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));

interface Outcome {
  readonly panes: readonly string[];
  readonly late: readonly string[];
}

async function outcome(
  scenario: Case,
  options: TestOptions,
  group: (input: PCollection<Pair>) => KeyedResult<Pair, KV<string, readonly number[]>>,
): Promise<Outcome> {
  let panes: string[] = [];
  let late: string[] = [];
  await runTest((p) => {
    const grouped = group(windowed(p, scenario));
    assertThat(grouped).satisfies((_, elements) => void (panes = shown(elements)));
    assertThat(grouped.late).satisfies((values) => {
      late = values.map((one) => JSON.stringify({ ...one, window: one.window.id })).toSorted();
    });
  }, options);
  return { panes, late };
}

describe(`the slice lane gives the panes of the window lane (seed ${SEED})`, () => {
  const modes: readonly (readonly [string, TestOptions])[] = [
    ["plainly", {}],
    ["encoded", { encoded: true }],
    ["with bundles cut", { bundleSeed: 7 }],
  ];
  for (const [mode, options] of modes) {
    test(`run ${mode}`, async () => {
      await fc.assert(
        fc.asyncProperty(cases, async (scenario) => {
          // Each in a run of its own, so that bundles are cut alike.
          const lists = await outcome(scenario, options, (input) => input.groupByKey("Group"));
          const slices = await outcome(scenario, options, (input) => input.combinePerKey("Group", listOf));
          expect(slices).toEqual(lists);
        }),
        { seed: SEED, numRuns: RUNS },
      );
    });
  }
});
