/** What a CombineFn throws names the step, the key and the window, in whichever lane and method it happens. */
import {
  afterCount,
  afterProcessingTime,
  type CombineFn,
  combinePerKey,
  fixedWindows,
  formatWindow,
  IntervalWindow,
  type KV,
  repeatedly,
  sessions,
  slidingWindows,
  type WindowFn,
  type WindowIntoOptions,
} from "tidemark";
import { at, testStream, type TestStreamBuilder } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

type Method = "createAccumulator" | "addInput" | "mergeAccumulators" | "extractOutput";
interface Sum {
  readonly n: number;
  readonly bad: boolean;
}

/** Sums. `method` ends in `how` where it meets a negative number; a new accumulator that knows none, at call number `call`. */
function failing(method: Method, how: () => never, call: number): CombineFn<number, Sum, number> {
  let created = 0;
  const may = <T>(name: Method, isBad: boolean, result: T): T => (name === method && isBad ? how() : result);
  return {
    name: "failing",
    createAccumulator: () => may("createAccumulator", ++created === call, { n: 0, bad: false }),
    addInput: (sum, n) => may("addInput", n < 0, { n: sum.n + n, bad: sum.bad || n < 0 }),
    mergeAccumulators: (sums) => {
      const bad = [...sums].some((sum) => sum.bad);
      return may("mergeAccumulators", bad, { n: [...sums].reduce((all, { n }) => all + n, 0), bad });
    },
    extractOutput: ({ n, bad }) => may("extractOutput", bad, n),
  };
}

interface Case {
  readonly method: Method;
  readonly windowFn: WindowFn;
  readonly options?: WindowIntoOptions;
  readonly stream: TestStreamBuilder<KV<string, number>>;
  /** Which new accumulator fails. Default 2. */
  readonly call?: number;
  /** The windows that are named, by their bounds. */
  readonly windows: readonly (readonly [number, number])[];
  /** The element that is named; none where a pane is fired. */
  readonly element?: string;
}

const fixed = fixedWindows(10);
const sliding = slidingWindows({ size: 10, every: 5 });
const good = at<KV<string, number>>(11, ["good", 1]);
const bad = at<KV<string, number>>(12, ["bad", -1]);
const element = '["bad",-1]';
const stream = testStream<KV<string, number>>().addElements(good, bad);
/** The bad key comes when its windows have fired. */
const late = testStream<KV<string, number>>().addElements(good).advanceWatermarkTo(30).addElements(bad);
const eachElement = { trigger: repeatedly(afterCount(1)) };
/** Two sessions of a key, and an element that joins them. */
const joined = testStream<KV<string, number>>().addElements(
  good,
  at(12, ["bad", -1]),
  at(26, ["bad", 2]),
  at(19, ["bad", 3]),
);

const inFixed = [[10, 20]] as const;
const inBoth = [
  [10, 20],
  [5, 15],
] as const;

const CASES: Readonly<Record<string, Case>> = {
  "window lane, a new accumulator": {
    method: "createAccumulator",
    windowFn: fixed,
    stream,
    windows: inFixed,
    element,
  },
  "window lane, an input": { method: "addInput", windowFn: fixed, stream, windows: inFixed, element },
  "window lane, a pane at the end of the window": {
    method: "extractOutput",
    windowFn: fixed,
    stream,
    windows: inFixed,
  },
  "window lane, a late pane": {
    method: "extractOutput",
    windowFn: fixed,
    options: { allowedLateness: 50 },
    stream: late,
    windows: inFixed,
  },
  "slice lane, a new accumulator": {
    method: "createAccumulator",
    windowFn: sliding,
    stream,
    windows: inBoth,
    element,
  },
  "slice lane, an input": { method: "addInput", windowFn: sliding, stream, windows: inBoth, element },
  "slice lane, a pane at the end of the window": {
    method: "extractOutput",
    windowFn: sliding,
    stream,
    windows: [[5, 15]],
  },
  "slice lane, a late pane": {
    method: "extractOutput",
    windowFn: sliding,
    options: { allowedLateness: 50 },
    stream: late,
    windows: [[10, 20]],
  },
  "general lane, a new accumulator": {
    method: "createAccumulator",
    windowFn: fixed,
    options: eachElement,
    stream,
    windows: inFixed,
    element,
  },
  "general lane, an input": {
    method: "addInput",
    windowFn: fixed,
    options: eachElement,
    stream,
    windows: inFixed,
    element,
  },
  "general lane, an early pane": {
    method: "extractOutput",
    windowFn: fixed,
    options: eachElement,
    stream,
    windows: inFixed,
  },
  "general lane, a pane at the end of the window": {
    method: "extractOutput",
    windowFn: fixed,
    options: { timestampCombiner: "earliest" },
    stream,
    windows: inFixed,
  },
  "general lane, a pane of processing time": {
    method: "extractOutput",
    windowFn: fixed,
    options: { trigger: repeatedly(afterProcessingTime(100)) },
    stream: stream.advanceProcessingTime(200),
    windows: inFixed,
  },
  "general lane, a last pane without inputs": {
    method: "createAccumulator",
    windowFn: fixed,
    options: { ...eachElement, closingBehavior: "fireAlways" },
    stream: testStream<KV<string, number>>().addElements(bad),
    windows: inFixed,
  },
  "sessions, an input": { method: "addInput", windowFn: sessions(10), stream, windows: [[12, 22]], element },
  "sessions, two that become one": {
    method: "mergeAccumulators",
    windowFn: sessions(10),
    stream: joined,
    windows: [[19, 29]],
    element: '["bad",3]',
  },
  "sessions, a pane": {
    method: "extractOutput",
    windowFn: sessions(10),
    stream: joined,
    windows: [[12, 36]],
  },
};

/** What happens while the slices of a window are summed. */
const SUMS: Readonly<Record<string, Case>> = {
  "slice lane, slices that become one": {
    method: "mergeAccumulators",
    windowFn: sliding,
    stream: stream.addElements(at(17, ["bad", 2])),
    windows: [[5, 15]],
  },
  "slice lane, a new accumulator for them": {
    method: "createAccumulator",
    call: 2,
    windowFn: sliding,
    stream: testStream<KV<string, number>>().addElements(bad),
    windows: [[5, 15]],
  },
  "slice lane, an accumulating late pane": {
    method: "mergeAccumulators",
    windowFn: sliding,
    options: { allowedLateness: 50, accumulation: "accumulating" },
    stream: late.addElements(at(17, ["bad", 2])),
    windows: [[10, 20]],
  },
};

const boom = (): never => {
  throw new RangeError("boom");
};
const promise = (): never => Promise.resolve(0) as never;

async function failure({ method, windowFn, options, stream: input, call = 2 }: Case, how: () => never) {
  return failureOf((p) =>
    p
      .apply(input.advanceWatermarkToInfinity())
      .windowInto(windowFn, options)
      .apply("Sum", combinePerKey(failing(method, how, call))),
  );
}

function expectPlace(error: Awaited<ReturnType<typeof failure>>, { windows, element: named }: Case): void {
  expect(error.context).toMatchObject({
    step: "Sum",
    key: '"bad"',
    window: windows.map(([start, end]) => formatWindow(new IntervalWindow(start, end))).join(", "),
  });
  expect(error.context.element).toBe(named);
}

async function throws(given: Case): Promise<void> {
  const error = await failure(given, boom);
  expect(error.code).toBe("STEP_FAILED");
  expect(error.message).toContain("RangeError: boom");
  expectPlace(error, given);
  expect(error.context.at).toMatch(/combine-errors\.test\.ts:\d+:\d+$/);
}

describe("an error", () => {
  test.each(Object.entries({ ...CASES, ...SUMS }))("%s", async (_name, given) => throws(given));
});

// An input is looked at only when it is a record's first one: that costs nothing for each element.
describe("a promise, in a function that must be synchronous", () => {
  test.each(Object.entries(CASES))("%s", async (_name, given) => {
    const error = await failure(given, promise);
    expect(error.code).toBe("ASYNC_NOT_ALLOWED");
    expect(error.message).toContain(`${given.method} of the CombineFn of step "Sum" returned a promise`);
    expectPlace(error, given);
  });
});
