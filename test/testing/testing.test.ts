/** The testing API: scripts, assertions that fail with reasons, simulated time, seeded bundle cuts, strict mode. */
import { assertTwice } from "./assert-that-twice.ts";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  afterCount,
  bagState,
  countPerElement,
  fixedWindows,
  globalWindows,
  IntervalWindow,
  isTidemarkError,
  type KV,
  output,
  processingTimer,
  repeatedly,
  seconds,
  type TidemarkError,
  windowInto,
} from "tidemark";
import { assertThat, at, runTest, type TestOptions, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";

/** The error that a run ends with. */
async function failureOf(build: Parameters<typeof runTest>[0], options?: TestOptions): Promise<TidemarkError> {
  const error: unknown = await runTest(build, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isTidemarkError(error)).toBe(true);
  return error as TidemarkError;
}

describe("assertThat", () => {
  test("assert-that A2: a failure shows expected, actual, what is missing and too many, and where it was written", async () => {
    const error = await failureOf((p) => assertThat(p.create([1, 2, 2])).containsInAnyOrder([1, 2, 3]));
    expect(error.code).toBe("ASSERTION_FAILED");
    expect(error.message).toContain("expected [ 1, 2, 3 ]");
    expect(error.message).toContain("actual   [ 1, 2, 2 ]");
    expect(error.message).toContain("missing  [ 3 ]");
    expect(error.message).toContain("too many 2 at -∞ in global, UNKNOWN pane 0");
    expect(error.context.at).toMatch(/testing\.test\.ts:\d+:\d+$/);
  });

  test("says where a helper of the user's asserts, whatever its file is called", async () => {
    const error: unknown = await runTest((p) => assertTwice(p.create([1]), [1])).catch((reason: unknown) => reason);
    if (!isTidemarkError(error, "ASSERTION_FAILED")) throw error;
    expect(error.context.at).toMatch(/assert-that-twice\.ts:6:\d+$/);
  });

  test("counts how often: two of one are not one", async () => {
    await runTest((p) => assertThat(p.create(["a", "a"])).containsInAnyOrder(["a", "a"]));
    expect((await failureOf((p) => assertThat(p.create(["a"])).containsInAnyOrder(["a", "a"]))).code).toBe(
      "ASSERTION_FAILED",
    );
  });

  test("by window and pane: early, on time, late, final", async () => {
    const window = new IntervalWindow(0, 10_000);
    await runTest((p) => {
      const counts = p
        .apply(
          testStream<string>()
            .addElements(at(1000, "a"))
            .advanceWatermarkTo(10_000)
            .addElements(at(2000, "a"))
            .advanceWatermarkTo(20_000)
            .advanceWatermarkToInfinity(),
        )
        .apply(windowInto(fixedWindows(seconds(10)), { allowedLateness: seconds(5), accumulation: "accumulating" }))
        .apply(countPerElement());
      assertThat(counts).inOnTimePane(window).isSingleton(["a", 1]);
      assertThat(counts).inWindow(window).inLatePanes().isSingleton(["a", 2]);
      assertThat(counts).inEarlyPanes().isEmpty();
      assertThat(counts).inWindow(new IntervalWindow(10_000, 20_000)).isEmpty();
      assertThat(counts).satisfies((values, elements) => {
        expect(values).toHaveLength(2);
        expect(elements.map((e) => e.pane.index)).toEqual([0, 1]);
      });
    });
  });

  test("satisfies: what the check throws is the reason", async () => {
    const error = await failureOf((p) => assertThat(p.create([1])).satisfies(() => expect(1).toBe(2)));
    expect(error.message).toContain("expected 1 to be 2");
  });
});

describe("test streams", () => {
  test("test-stream T1: between two events everything that the first one set off has happened", async () => {
    const seen: string[] = [];
    await runTest((p) => {
      p.apply(
        testStream<KV<string, number>>()
          .addElements(at(0, ["a", 1]))
          .advanceProcessingTime(5)
          .addElements(at(1, ["a", 2]))
          .advanceWatermarkToInfinity(),
      ).parDo({
        state: { bag: bagState<number>() },
        timers: { soon: processingTimer() },
        outputs: { main: output<number>() },
        process([, value], { timers }) {
          seen.push(`element ${value}`);
          timers.soon.setAfter(5);
        },
        onTimer: {
          soon: ({ now }) => void seen.push(`timer at ${now()}`),
        },
      });
    });
    expect(seen).toEqual(["element 1", "timer at 5", "element 2", "timer at 10"]);
  });

  test("time stands still for a call that really takes time, and goes on to the time-out of one that hangs", async () => {
    const seen: string[] = [];
    await runTest((p) => {
      const slow = async (n: number): Promise<number> => {
        if (n === 1) await new Promise((resolve) => setTimeout(resolve, 30));
        else await new Promise(() => {});
        return n;
      };
      const answered = p.create([1, 2]).map("Slow", slow, { timeout: 3_600_000 });
      answered.deadLetter().map(({ element, error }) => void seen.push(`${element}: ${error.code}`));
      answered.map((n) => void seen.push(`${n}`));
    });
    expect(seen).toEqual(["1", "2: CALL_TIMEOUT"]);
  });

  test("test-stream T3: what makes no sense is refused while it is written", () => {
    const refused = (make: () => unknown): void => expect(make).toThrow("TEST_STREAM_INVALID");
    refused(() => testStream().advanceWatermarkTo(5).advanceWatermarkTo(4));
    refused(() => testStream().advanceWatermarkTo(Infinity));
    refused(() => testStream().advanceProcessingTime(0));
    refused(() => testStream().addElements(at(Infinity, 1)));
  });
});

describe("runTest", () => {
  test("a pipeline that waits for ever fails with what each stage stands at", async () => {
    const error = await failureOf(
      (p) => {
        p.create([1]).map("Hang", async () => new Promise<number>(() => {}));
      },
      { timeout: 50 },
    );
    expect(error.code).toBe("TEST_TIMEOUT");
    expect(error.message).toMatch(/Hang: watermark -∞, 1 in, 0 keys, 0 timers, 1 pending/);
    expect(error.message).toContain(
      `
  waiting:
    "Hang" has not handled 1 in window global
      needs the result of its call
      cause: the call of "Hang" for element 1 has been running for 0.0 s (attempt 1, no timeout)`,
    );
  });

  test("a time-out of a job in which nothing waits says why it has not ended", async () => {
    const reader = {
      poll: () => "idle" as const,
      ready: () => new Promise<void>(() => {}),
      position: () => 0,
      close() {},
    };
    const error = await failureOf(
      (p) =>
        p.read("Nothing", { name: "nothing", bounded: false, splits: () => [0], open: () => reader }).map((n) => n),
      { timeout: 50 },
    );
    expect(error.message).toContain('the job has not ended: "Nothing" may still get something');
    expect(error.message).toContain('cause: source "Nothing" (nothing) has no watermark');
  });

  test("a failure says what was stuck when it came", async () => {
    const error = await failureOf((p) => {
      const words = p.apply(
        testStream<string>().addElements(at(0, "a")).addElements(at(0, "boom")).advanceWatermarkToInfinity(),
      );
      words
        .filter((word) => word === "a")
        .map((word): KV<string, number> => [word, 1])
        .windowInto(globalWindows(), { trigger: repeatedly(afterCount(3)) })
        .groupByKey("Threes");
      words.map("Fail", (word) => {
        if (word === "boom") throw new Error("no");
      });
    });
    expect(error.code).toBe("STEP_FAILED");
    expect(error.context.step).toBe("Fail");
    expect(error.message).toContain(
      `
  waiting:
    "Threes" has not fired window global of key "a"
      needs 3 elements, of which 1 has come
      cause: its trigger alone`,
    );
  });

  test("the same bundle seed cuts the same bundles", async () => {
    const cuts = async (bundleSeed: number): Promise<readonly number[]> => {
      const sizes: number[] = [];
      await runTest(
        (p) => {
          p.create(Array.from({ length: 40 }, (_, i): KV<string, number> => ["k", i]))
            .apply(windowInto(fixedWindows(seconds(1)), { trigger: repeatedly(afterCount(1)) }))
            .groupByKey()
            .map(([, values]) => void sizes.push(values.length));
        },
        { bundleSeed },
      );
      return sizes;
    };
    const first = await cuts(1);
    expect(first.length).toBeGreaterThan(1);
    expect(await cuts(1)).toEqual(first);
    expect(await cuts(2)).not.toEqual(first);
  });

  test("strict mode: a value that cannot be encoded is refused at its first write, with the step", async () => {
    const error = await failureOf((p) => {
      p.create<KV<string, number>>([["a", 1]]).parDo("Keep", {
        state: { bag: bagState<unknown>() },
        process(_element, { state }) {
          state.bag.add({ callback: () => 1 });
        },
      });
    });
    expect(error.code).toBe("VALUE_NOT_ENCODABLE");
    expect(error.context.step).toBe("Keep");
  });
});

test("works inside node:test", async () => {
  const args = [
    "--conditions=tidemark-source",
    "--test",
    "--test-reporter=tap",
    join(import.meta.dirname, "node-test.fixture.ts"),
  ];
  // node --test says by this variable that it runs inside itself, and then reports to nobody.
  const env = { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined };
  const run = promisify(execFile)(process.execPath, args, { env });
  const text = await run.then(({ stdout }) => stdout).catch((error: { stdout: string }) => error.stdout);
  expect(text).toContain("ok 1 - holds");
  expect(text).toContain("not ok 3 - does not");
  expect(text).toContain("ASSERTION_FAILED");
});
