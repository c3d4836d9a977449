/** A call is a transaction: its outputs, state and timers appear together when it settles, or not at all. */
import {
  bagState,
  type CombineFn,
  combiningState,
  countPerElement,
  eventTimer,
  fixedWindows,
  isTidemarkError,
  type KV,
  output,
  type ParDoOptions,
  type Pipeline,
  seconds,
  valueState,
  windowInto,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { turns } from "../engine/kit.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const twoPayments = testStream<KV<string, number>>()
  .addElements(at(0, ["k", 1]))
  .advanceWatermarkTo(5)
  .addElements(at(6, ["k", 2]))
  .advanceWatermarkToInfinity();

describe("a call that emits twice, writes state, sets a timer, then rejects", () => {
  /** Such a DoFn on two payments; its first call fails. */
  function failingOnce(p: Pipeline, calls: { n: number }, options: ParDoOptions) {
    return p.apply(twoPayments).parDo(
      "Once",
      {
        state: { total: valueState<number>() },
        timers: { end: eventTimer() },
        outputs: { main: output<string>() },
        async process([, n], { state, timers, output: put }) {
          const total = state.total.read() ?? 0;
          put(`first ${n} after ${total}`);
          put(`second ${n}`);
          state.total.write(total + n);
          timers.end.set(100);
          await turn();
          if (calls.n++ === 0) throw new Error("the first call fails");
        },
        onTimer: {
          async end({ state, output: put }) {
            await turn();
            put(`timer with ${state.total.read()}`);
          },
        },
      },
      options,
    );
  }

  test("leaves nothing of it; retried, it appears once", async () => {
    const calls = { n: 0 };
    await runTest((p) => {
      const results = failingOnce(p, calls, { retry: { attempts: 2, backoff: 10 } });
      assertThat(results).containsInAnyOrder([
        "first 1 after 0",
        "second 1",
        "first 2 after 1",
        "second 2",
        "timer with 3",
      ]);
    });
    expect(calls.n).toBe(3);
  });

  test("leaves nothing of it; given up, its element is a dead letter and the next one finds the state untouched", async () => {
    await runTest((p) => {
      const results = failingOnce(p, { n: 0 }, {});
      assertThat(results).containsInAnyOrder(["first 2 after 0", "second 2", "timer with 2"]);
      const given = results.deadLetter().map(({ element: [key, n], attempts }) => `${key} ${n} after ${attempts}`);
      assertThat(given).containsInAnyOrder(["k 1 after 1"]);
    });
  });
});

describe("async functions", () => {
  test("map, flatMap and filter; outputs in order where asked", async () => {
    await runTest((p) => {
      const numbers = p.create([1, 2, 3]);
      const slowFirst = numbers.map(
        async (n) => {
          await turns(12 - 4 * n);
          return n * 10;
        },
        { ordered: true },
      );
      assertThat(slowFirst).satisfies((values) => expect(values).toEqual([10, 20, 30]));
      assertThat(numbers.flatMap(async (n) => [n, -n])).containsInAnyOrder([1, -1, 2, -2, 3, -3]);
      assertThat(numbers.filter(async (n) => n > 1)).containsInAnyOrder([2, 3]);
    });
  });

  test("never more in flight than asked", async () => {
    let flying = 0;
    let most = 0;
    await runTest((p) => {
      p.create(Array.from({ length: 20 }, (_, i) => i)).map(
        async (n) => {
          most = Math.max(most, ++flying);
          await turns(1);
          flying--;
          return n;
        },
        { concurrency: 3 },
      );
    });
    expect(most).toBe(3);
  });

  test("calls of one key run one after the other, those of others beside them", async () => {
    const log: string[] = [];
    await runTest((p) => {
      p.create<KV<string, number>>([
        ["a", 1],
        ["b", 1],
        ["a", 2],
      ]).parDo("Log", {
        state: { seen: bagState<number>() },
        async process([key, n], { state }) {
          log.push(`begin ${key}${n}`);
          await turns(3);
          state.seen.add(n);
          log.push(`end ${key}${n}`);
        },
      });
    });
    expect(log.indexOf("end a1")).toBeLessThan(log.indexOf("begin a2"));
    expect(log.indexOf("begin b1")).toBeLessThan(log.indexOf("end a1"));
  });

  test("calls V1: an element in flight holds the watermark: its window waits for it", async () => {
    await runTest((p) => {
      const words = p.apply(testStream<string>().addElements(at(1000, "a")).advanceWatermarkToInfinity());
      const slow = words.map("Slow", async (word) => {
        await turns(10);
        return word;
      });
      const counts = slow.apply(windowInto(fixedWindows(seconds(10)))).apply(countPerElement());
      assertThat(counts).containsInAnyOrder([["a", 1]]);
      assertThat(counts.late).isEmpty();
    });
  });

  test("a time-out counts as a failure, is retried, and then given up", async () => {
    let calls = 0;
    await runTest((p) => {
      const results = p.create([1, 2]).map(
        "Hang",
        async (n) => {
          if (n === 1) {
            calls++;
            await new Promise(() => {});
          }
          return n;
        },
        { timeout: 50, retry: { attempts: 2, backoff: 10 } },
      );
      assertThat(results).containsInAnyOrder([2]);
      assertThat(
        results.deadLetter().map(({ element, error, attempts }) => [element, error.code, attempts]),
      ).containsInAnyOrder([[1, "CALL_TIMEOUT", 2]]);
    });
    expect(calls).toBe(2);
  });

  test("a plain function that returns a promise is refused, with both mends", async () => {
    const error: unknown = await runTest((p) => {
      p.create([1]).map("Fetch", (n) => Promise.resolve(n));
    }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isTidemarkError(error, "ASYNC_NOT_DECLARED")).toBe(true);
    expect(String(error)).toContain("write it as an `async` function, or pass { async: true }");
  });

  test("{ async: true } is such a declaration", async () => {
    await runTest((p) => {
      assertThat(p.create([1]).map((n) => Promise.resolve(n + 1), { async: true })).containsInAnyOrder([2]);
    });
  });

  test("life cycle methods may be async, and come in order", async () => {
    const log: string[] = [];
    await runTest((p) => {
      p.create([1, 2]).parDo<number>({
        async setup() {
          await turn();
          log.push("setup");
        },
        async startBundle() {
          await turn();
          log.push("start");
        },
        process: (n) => void log.push(`process ${n}`),
        async finishBundle() {
          await turn();
          log.push("finish");
        },
        async teardown() {
          await turn();
          log.push("teardown");
        },
      });
    });
    expect(log).toEqual(["setup", "start", "process 1", "process 2", "finish", "teardown"]);
  });
});

test("an error names step, window, key, element and the user's own line", async () => {
  const error: unknown = await runTest((p) => {
    p.create<KV<string, number>>([["ann", 7]]).parDo("Break", {
      state: { n: valueState<number>() },
      process() {
        throw new RangeError("no sevens");
      },
    });
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isTidemarkError(error, "STEP_FAILED")) throw error;
  expect(error.context).toMatchObject({ step: "Break", key: '"ann"', window: "global", element: '["ann",7]' });
  expect(error.context.at).toMatch(/transaction\.test\.ts:\d+:\d+$/);
  expect(error.message).toContain("RangeError: no sevens");
});

test.each([true, false])(
  "an accumulator that is changed in place is as it was when the call has failed (async: %s)",
  async (isAsync) => {
    // Lists as accumulators: `addInput` changes the one that it is given.
    const collect: CombineFn<number, number[], string> = {
      createAccumulator: () => [],
      addInput(list, n) {
        list.push(n);
        return list;
      },
      mergeAccumulators: (lists) => [...lists].flat(),
      extractOutput: (list) => list.join("+"),
    };
    let failures = 0;
    await runTest((p) => {
      const sums = p
        .create<KV<string, number>>([
          ["k", 1],
          ["k", 2],
          ["k", 3],
        ])
        .parDo(
          {
            state: { all: combiningState(collect) },
            outputs: { main: output<string>() },
            process([, n], { state: { all }, output: put }) {
              const work = (): void => {
                all.add(n);
                if (n === 2) throw new Error(`failure ${++failures}`);
                put(all.read());
              };
              return isAsync ? turn().then(work) : work();
            },
          },
          { async: isAsync, retry: { attempts: 2, backoff: 0 } },
        );
      assertThat(sums).containsInAnyOrder(["1", "1+3"]);
      assertThat(sums.deadLetter().map(({ element: [, n] }) => n)).containsInAnyOrder([2]);
    });
    expect(failures).toBe(2);
  },
);
