/** What user code gives and must not: refused with a code, the step, and what to do. */
import {
  eventTimer,
  isTidemarkError,
  type KV,
  type Pipeline,
  processingTimer,
  run,
  type Source,
  type SourceReader,
  type TidemarkError,
} from "tidemark";
import { at, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";
import { program } from "./kit.ts";

/** For what the compiler refuses, too. */
const anything = (value: unknown): never => value as never;

/** Says `said` at its first poll. */
function saying(said: unknown): Source<number> {
  const reader: SourceReader<number, number> = {
    poll: () => anything(said),
    ready: async () => {},
    position: () => 0,
    close: () => {},
  };
  return { name: "saying", bounded: true, splits: () => [0], open: () => reader };
}

interface Case {
  readonly build: (p: Pipeline) => unknown;
  readonly error: Partial<TidemarkError>;
}

const pairs = (p: Pipeline) => p.create<KV<string, number>>([["k", 1]]);

const CASES: Readonly<Record<string, Case>> = {
  "a flatMap that returns a number": {
    build: (p) => p.create([1]).flatMap("Step", () => anything(7)),
    error: {
      code: "NOT_ITERABLE",
      what: 'the function of step "Step" returned 7, which is not an iterable of elements',
    },
  },
  "a flatMap that returns a text, which is iterable by letters": {
    build: (p) => p.create([1]).flatMap("Step", () => anything("abc")),
    error: { code: "NOT_ITERABLE" },
  },
  "an async generator": {
    build: (p) =>
      p.create([1]).flatMap(
        "Step",
        anything(async function* () {
          yield 1;
        }),
      ),
    error: {
      code: "NOT_ITERABLE",
      what: 'the function of step "Step" returned an async iterable, which is not an iterable of elements',
    },
  },
  "a DoFn that returns a number": {
    build: (p) => p.create([1]).parDo("Step", { process: () => anything(7) }),
    error: { code: "NOT_ITERABLE" },
  },
  "an output that is not declared": {
    build: (p) =>
      p.create([1]).parDo("Step", {
        process: (_n, { outputTo }) => outputTo(anything("side"), anything(1)),
      }),
    error: {
      code: "OUTPUT_TAG_UNKNOWN",
      what: 'step "Step" emitted to the output "side"',
      fix: "declare it: outputs: { side: output<T>() }",
    },
  },
  "a grouping of what is no pair": {
    build: (p) => (p.create([1]).map((n) => anything(n)) as ReturnType<typeof pairs>).groupByKey("Step"),
    error: { code: "NOT_A_KEY_VALUE", what: 'step "Step" got 1, which is not a [key, value] pair' },
  },
  "state for what is no pair": {
    build: (p) =>
      (p.create([1]).map((n) => anything([n])) as ReturnType<typeof pairs>).parDo("Step", {
        timers: { soon: processingTimer() },
        process: () => {},
        onTimer: { soon: () => {} },
      }),
    error: { code: "NOT_A_KEY_VALUE", what: 'step "Step" got [1], which is not a [key, value] pair' },
  },
  "a timer whose output lies after it": {
    build: (p) =>
      pairs(p).parDo("Step", {
        timers: { soon: eventTimer() },
        process: (_pair, { timers }) => timers.soon.set(10, { outputTimestamp: 11 }),
        onTimer: { soon: () => {} },
      }),
    error: { code: "TIMER_OUTPUT_AFTER_FIRING", fix: "give an output timestamp that is not after the timer's own" },
  },
  "a source whose reader lacks methods": {
    build: (p) => {
      const source = { name: "half", bounded: true, splits: () => [0], open: () => ({ poll: () => "end" }) };
      p.read("Step", source as never).map((n) => n);
    },
    error: {
      code: "SOURCE_INVALID",
      what: 'the reader that the source of step "Step" opened has no ready(), position(), close()',
      fix: "give an object with poll, ready, position, close",
    },
  },
  "a source that says neither more, idle nor end": {
    build: (p) => p.read("Step", saying("done")).map((n) => n),
    error: {
      code: "SOURCE_INVALID",
      what: 'poll() of the source of step "Step" returned "done"',
      fix: 'return "more", "idle" or "end"',
    },
  },
};

describe("is refused, with its step", () => {
  test.each(Object.entries(CASES))("%s", async (_name, { build, error }) => {
    expect(await failureOf((p) => void build(p))).toMatchObject({ ...error, context: { step: "Step" } });
  });
});

test("a script that moves processing time, on the real clock", async () => {
  const clicks = testStream<string>().addElements(at(0, "a")).advanceProcessingTime(1000).advanceWatermarkToInfinity();
  const job = run(program("scripted", (p) => void p.apply(clicks)));
  const error: unknown = await job.wait().catch((reason: unknown) => reason);
  if (!isTidemarkError(error, "TEST_STREAM_NEEDS_TEST_CLOCK")) throw error;
  expect(error.fix).toBe("run it with runTest from tidemark/testing");
});

/** A source of one split whose reader is `reader`. */
function reading(reader: Partial<SourceReader<number, number>>): Source<number> {
  const whole = { poll: () => "idle" as const, ready: async () => {}, position: () => 0, close: () => {}, ...reader };
  return { name: "odd", bounded: false, splits: () => [0], open: () => whole };
}

describe("watermark() of a source", () => {
  test.each([Number.NaN, undefined, "now", 0.5, Infinity])("that gives %s is refused", async (given) => {
    const error = await failureOf((p) => void p.read("Step", reading({ watermark: () => given as never })));
    expect(error).toMatchObject({ code: "SOURCE_INVALID", context: { step: "Step" } });
    expect(error.what).toBe(
      `watermark() of the source of step "Step" returned ${typeof given === "string" ? '"now"' : given}`,
    );
  });

  test("that throws names the step and the line", async () => {
    const watermark = (): number => {
      throw new Error("no clock");
    };
    const error = await failureOf((p) => void p.read("Step", reading({ watermark })));
    expect(error).toMatchObject({ code: "JOB_FAILED", context: { step: "Step" } });
    expect(error.what).toContain("no clock");
    expect(String(error)).toContain("misuse.test.ts");
  });
});

test("what a source adds when poll() has returned is refused", async () => {
  let kept: Parameters<SourceReader<number, number>["poll"]>[1] | undefined;
  let refused: unknown;
  const reader = reading({
    poll(_max, into) {
      kept = into;
      into.add(1, 0);
      return "idle";
    },
    async ready() {
      try {
        kept?.add(2, 0);
      } catch (error) {
        refused = error;
        throw error;
      }
    },
  });
  const error = await failureOf((p) => void p.read("Step", reader));
  expect(error).toMatchObject({ code: "SOURCE_INVALID", context: { step: "Step" } });
  expect(refused).toMatchObject({ code: "SOURCE_INVALID" });
  expect(error.fix).toContain("in the next poll()");
});
