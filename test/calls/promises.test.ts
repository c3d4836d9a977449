/** Promises where nobody would wait for them are refused, and their own failures do not end the process. */
import {
  type CombineFn,
  combiningState,
  eventTimer,
  type KV,
  seconds,
  sessions,
  slidingWindows,
  windowInto,
} from "tidemark";
import { at, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const rejects = (): Promise<never> => Promise.reject(new Error("nobody waits for this"));
const pairs: readonly KV<string, number>[] = [
  ["a", 1],
  ["a", 2],
];

const sum: CombineFn<number, number, number> = {
  createAccumulator: () => 0,
  addInput: (total, n) => total + n,
  mergeAccumulators: (totals) => totals.reduce((a, b) => a + b, 0),
  extractOutput: (total) => total,
};
const PROMISING: readonly (readonly [string, Partial<CombineFn<number, number, number>>])[] = [
  ["createAccumulator", { createAccumulator: () => rejects() as never }],
  ["addInput", { addInput: () => rejects() as never }],
  ["extractOutput", { extractOutput: () => rejects() as never }],
];

describe("a CombineFn", () => {
  test.each(PROMISING)("%s in plain windows", async (name, member) => {
    const error = await failureOf((p) => p.create(pairs.slice(0, 1)).combinePerKey("Sum", { ...sum, ...member }));
    expect(error.code).toBe("ASYNC_NOT_ALLOWED");
    expect(error.message).toContain(`${name} of the CombineFn`);
    expect(error.context).toMatchObject({ step: "Sum", key: '"a"' });
  });

  test.each([...PROMISING, ["mergeAccumulators", { mergeAccumulators: () => rejects() as never }] as const])(
    "%s in sessions",
    async (name, member) => {
      const error = await failureOf((p) => {
        // The third session brings the first two together.
        const times = name === "mergeAccumulators" ? [0, 1500, 800] : [0];
        const script = testStream<KV<string, number>>()
          .addElements(...times.map((time) => at<KV<string, number>>(time, ["a", 1])))
          .advanceWatermarkToInfinity();
        p.apply(script)
          .apply(windowInto(sessions({ gap: seconds(1) })))
          .combinePerKey("Sum", { ...sum, ...member });
      });
      expect(error.code).toBe("ASYNC_NOT_ALLOWED");
      expect(error.message).toContain(`${name} of the CombineFn`);
    },
  );

  test.each(PROMISING)("%s of a state cell", async (_name, member) => {
    const error = await failureOf((p) => {
      p.create(pairs.slice(0, 1)).parDo("Keep", {
        state: { sum: combiningState<number, number, number>({ ...sum, ...member }) },
        process([, n], { state }) {
          state.sum.add(n);
          state.sum.read();
        },
      });
    });
    expect(error.code).toBe("ASYNC_NOT_ALLOWED");
    expect(error.context).toMatchObject({ step: "Keep", key: '"a"', element: '["a",1]' });
  });
});

test("partition and timestamp functions", async () => {
  const part = await failureOf((p) => p.create([1]).partition("Split", 2, () => rejects() as never));
  expect(part.code).toBe("ASYNC_NOT_ALLOWED");
  expect(part.context).toMatchObject({ step: "Split", element: "1" });
  const time = await failureOf((p) => p.create([1]).withTimestamps("Time", () => rejects() as never));
  expect(time.code).toBe("ASYNC_NOT_ALLOWED");
});

describe("plain functions of steps that could be async", () => {
  test.each(["map", "flatMap", "filter"] as const)("%s", async (kind) => {
    const promising = (() => rejects()) as () => never;
    const error = await failureOf((p) => {
      const numbers = p.create([1]);
      if (kind === "map") numbers.map("Fetch", promising);
      else if (kind === "flatMap") numbers.flatMap("Fetch", promising);
      else numbers.filter("Fetch", promising);
    });
    expect(error.code).toBe("ASYNC_NOT_DECLARED");
    expect(error.context).toMatchObject({ step: "Fetch", element: "1", window: "global" });
  });

  test("process, timer callbacks, startBundle and finishBundle of a DoFn", async () => {
    const plain = await failureOf((p) => p.create([1]).parDo("Do", { process: () => rejects() }));
    const keyed = await failureOf((p) =>
      p.create(pairs).parDo("Do", {
        timers: { t: eventTimer() },
        process: (_pair, { timers }) => timers.t.set(0),
        onTimer: { t: () => rejects() },
      }),
    );
    const start = await failureOf((p) => p.create([1]).parDo("Do", { process() {}, startBundle: () => rejects() }));
    const finish = await failureOf((p) => p.create([1]).parDo("Do", { process() {}, finishBundle: () => rejects() }));
    for (const error of [plain, keyed, start, finish]) expect(error.code).toBe("ASYNC_NOT_DECLARED");
    expect(keyed.context).toMatchObject({ step: "Do", key: '"a"' });
  });
});

test("an element in two windows whose call throws for the second one while the first is under way", async () => {
  let calls = 0;
  const error = await failureOf((p) => {
    p.create([1])
      .apply(windowInto(slidingWindows({ size: seconds(2), every: seconds(1) })))
      .map(
        "Twice",
        (): Promise<number> => {
          calls++;
          if (calls === 2) throw new Error("the second");
          return rejects();
        },
        { async: true },
      );
  });
  expect(error.message).toContain("the second");
});
