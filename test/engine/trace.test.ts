/** The journey of elements through a step, told by `run(program, options, { trace })` and `tidemark run --trace`. */
import {
  afterCount,
  afterWatermark,
  countPerElement,
  describeTrace,
  eventTimer,
  fixedWindows,
  isTidemarkError,
  type KV,
  type Pipeline,
  pipeline,
  run,
  slidingWindows,
  sumFn,
  type TraceEvent,
  type TraceOptions,
  valueState,
} from "tidemark";
import { at, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";

/** What a run tells of a step, in words without the clock. */
async function traced(build: (p: Pipeline) => void, of: Omit<TraceOptions, "onEvent">): Promise<string[]> {
  const events: TraceEvent[] = [];
  const program = pipeline({ name: "traced", build });
  const trace: TraceOptions = { ...of, onEvent: (event) => events.push(event) };
  await run(program, {}, { trace, encoded: false, onWarning: () => {} }).wait();
  return events.map(describeTrace);
}

const pairs = testStream<KV<string, number>>()
  .addElements(at(1, ["a", 1]), at(2, ["b", 1]), at(3, ["a", 1]))
  .advanceWatermarkTo(10)
  .addElements(at(4, ["a", 9]))
  .advanceWatermarkToInfinity();

const T = (ms: number): string => new Date(ms).toISOString();
const FIRST = `[${T(0)}, ${T(10)})`;

test("a grouping: what comes in, what its panes wait for, the window's end, the pane, and what is dropped", async () => {
  const early = {
    trigger: afterWatermark({ early: afterCount(2), late: afterCount(1) }),
    accumulation: "accumulating" as const,
  };
  const build = (p: Pipeline): void => {
    p.apply(pairs).windowInto("Tens", fixedWindows(10), early).combinePerKey("Sum", sumFn());
  };
  expect(await traced(build, { step: "Sum", key: "a" })).toEqual([
    `"Sum" in ["a",1] at ${T(1)} in ${FIRST}`,
    `"Sum" in ["a",1] at ${T(3)} in ${FIRST}`,
    `"Sum" out ["a",2] at ${T(9)} in ${FIRST}, EARLY pane 0`,
    expect.stringMatching(
      /^"Sum" waits with key "a" of .* needs its watermark after .*, or 2 elements, of which 0 have come$/,
    ),
    expect.stringMatching(/^"Sum" \[.*\) is due at .*\.009Z, with the watermark at .*\.010Z$/),
    `"Sum" out ["a",2] at ${T(9)} in ${FIRST}, ON_TIME pane 1, the last`,
    `"Sum" in ["a",9] at ${T(4)} in ${FIRST}`,
    `"Sum" drops it: expired, with the watermark at ${T(10)}`,
  ]);
  const all = await traced(build, { step: "Sum" });
  expect(all).toContain(`"Sum" in ["b",1] at ${T(2)} in ${FIRST}`);
});

test("window assignment, and composites with all their steps", async () => {
  const build = (p: Pipeline): void => {
    p.create("Words", ["x"], { timestamps: () => 7 })
      .windowInto("Slide", slidingWindows({ size: 10, every: 5 }))
      .apply("Count", countPerElement());
  };
  const both = `[${T(5)}, ${T(15)}), ${FIRST}`;
  expect(await traced(build, { step: "Slide" })).toEqual([
    `"Slide" in "x" at ${T(7)} in global`,
    `"Slide" out "x" at ${T(7)} in ${both}`,
  ]);
  const composite = await traced(build, { step: "Count" });
  expect(composite.filter((line) => line.startsWith('"Count/')).length).toBe(composite.length);
  expect(composite.at(-1)).toMatch(/out \["x",1\] at .*ON_TIME pane 0, the last$/);
});

test("a stateful step: its timers are due", async () => {
  const build = (p: Pipeline): void => {
    p.apply(pairs).parDo("Watch", {
      state: { n: valueState<number>() },
      timers: { end: eventTimer() },
      process([, n], { state, timers }) {
        state.n.write((state.n.read() ?? 0) + n);
        timers.end.set(100);
      },
      onTimer: { end: ({ key, state }) => [`${key} ${state.n.read()}`] },
    });
  };
  const told = await traced(build, { step: "Watch", key: "a" });
  expect(told.slice(0, 2)).toEqual([
    `"Watch" in ["a",1] at ${T(1)} in global`,
    `"Watch" in ["a",1] at ${T(3)} in global`,
  ]);
  const due = told.filter((line) => line.includes("is due"));
  expect(due[0]).toMatch(/^"Watch" timer end of key "a" in global is due at .*\.100Z/);
  expect(told.indexOf(due[0] as string) + 1).toBe(told.findIndex((line) => line.includes("out")));
});

test("a call: what it puts out when it settles is its element's", async () => {
  const told = await traced(
    (p) => {
      p.create(["x", "y"]).map("Call", async (text) => `${text}!`);
    },
    { step: "Call", key: "x" },
  );
  expect(told).toEqual([expect.stringMatching(/^"Call" in "x" at /), expect.stringMatching(/^"Call" out "x!" at /)]);
});

describe("what is wrong is said", () => {
  test.each([
    [{ step: "Sun" }, "STEP_UNKNOWN", 'did you mean "Sum"?'],
    [{ step: "Sum", keys: 1 }, "OPTION_UNKNOWN", "keys"],
  ])("%o", async (of, code, text) => {
    const failure: unknown = await traced((p) => {
      p.apply(pairs).windowInto(fixedWindows(10)).combinePerKey("Sum", sumFn());
    }, of as never).catch((error: unknown) => error);
    expect(isTidemarkError(failure) && [failure.code, failure.message.includes(text)]).toEqual([code, true]);
  });
});

test("a traced job puts out what it would without", async () => {
  const panes = async (trace?: TraceOptions): Promise<unknown[]> => {
    const seen: unknown[] = [];
    const program = pipeline({
      name: "same",
      build: (p) => {
        p.apply(pairs)
          .windowInto(fixedWindows(10), { trigger: afterWatermark({ early: afterCount(1) }) })
          .combinePerKey("Sum", sumFn())
          .parDo("See", { process: (pair, { pane, timestamp }) => void seen.push([pair, pane.index, timestamp]) });
      },
    });
    await run(program, {}, { onWarning: () => {}, ...(trace && { trace }) }).wait();
    return seen;
  };
  expect(await panes({ step: "Sum", onEvent: () => {} })).toEqual(await panes());
});
