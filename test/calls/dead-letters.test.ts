/** `.deadLetter()` takes what a step gives up on; nothing of a failed call appears elsewhere. */
import {
  combineGlobally,
  combinePerKey,
  eventTimer,
  fixedWindows,
  type KV,
  output,
  type Pipeline,
  seconds,
  sessions,
  slidingWindows,
  sumFn,
  valueState,
  withTimestamps,
} from "tidemark";
import { assertThat, at, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function even(n: number): number {
  if (n % 2 === 1) throw new RangeError(`${n} is odd`);
  return n;
}

describe.each(["sync", "async"])("%s functions", (kind) => {
  const isAsync = kind === "async";

  test("map", async () => {
    await runTest((p) => {
      const input = p.create([1, 2, 3]);
      const halves = isAsync ? input.map("Half", async (n) => even(n) / 2) : input.map("Half", (n) => even(n) / 2);
      assertThat(halves).containsInAnyOrder([1]);
      const failed = halves
        .deadLetter()
        .map(({ element, error, step, attempts }) => ({ element, message: error.message, step, attempts }));
      assertThat(failed).containsInAnyOrder([
        { element: 1, message: "1 is odd", step: "Half", attempts: 1 },
        { element: 3, message: "3 is odd", step: "Half", attempts: 1 },
      ]);
    });
  });

  test("flatMap: what a generator gave before it threw does not appear", async () => {
    function* upTo(n: number): Iterable<number> {
      yield -n;
      yield even(n);
    }
    await runTest((p) => {
      const input = p.create([1, 2]);
      const both = isAsync ? input.flatMap(async (n) => upTo(n)) : input.flatMap((n) => upTo(n));
      assertThat(both).containsInAnyOrder([-2, 2]);
      assertThat(both.deadLetter().map(({ element }) => element)).containsInAnyOrder([1]);
    });
  });

  test("filter", async () => {
    await runTest((p) => {
      const input = p.create([0, 1, 2]);
      const kept = isAsync ? input.filter(async (n) => even(n) > 0) : input.filter((n) => even(n) > 0);
      assertThat(kept).containsInAnyOrder([2]);
      assertThat(kept.deadLetter().map(({ element }) => element)).containsInAnyOrder([1]);
    });
  });

  test("parDo with state: outputs and state of the failed call do not appear", async () => {
    await runTest((p) => {
      const sums = p
        .create<KV<string, number>>([
          ["k", 2],
          ["k", 3],
          ["k", 4],
        ])
        .parDo(
          {
            state: { sum: valueState<number>() },
            outputs: { main: output<number>(), seen: output<number>() },
            process([, n], { state, output: put, outputTo }) {
              const work = (): void => {
                outputTo("seen", n);
                state.sum.write((state.sum.read() ?? 0) + n);
                even(n);
                put(state.sum.read() ?? 0);
              };
              if (!isAsync) return work();
              return turn().then(work);
            },
          },
          isAsync ? { async: true } : {},
        );
      assertThat(sums).containsInAnyOrder([2, 6]);
      assertThat(sums.outputs.seen).containsInAnyOrder([2, 4]);
      assertThat(sums.deadLetter().map(({ element }) => element)).containsInAnyOrder([["k", 3]]);
    });
  });
});

test("a synchronous function is retried, too, after its back-off", async () => {
  const calls: number[] = [];
  let n = 0;
  await runTest((p) => {
    const results = p.create(["a"]).map(
      (text) => {
        n++;
        if (n < 3) throw new Error("not yet");
        return `${text}${n}`;
      },
      { retry: { attempts: 3, backoff: (attempt) => (calls.push(attempt), attempt * 10) } },
    );
    assertThat(results).containsInAnyOrder(["a3"]);
  });
  expect(calls).toEqual([2, 3]);
});

test("without a dead letter the last attempt's error fails the job, with the element", async () => {
  let attempts = 0;
  const error = await failureOf((p) => {
    p.create([7]).map(
      "Fetch",
      async () => {
        attempts++;
        throw new Error(`attempt ${attempts}`);
      },
      { retry: { attempts: 3, backoff: 1 } },
    );
  });
  expect(error.code).toBe("STEP_FAILED");
  expect(error.message).toContain("attempt 3");
  expect(error.context).toMatchObject({ step: "Fetch", element: "7", window: "global" });
  expect(error.context.at).toMatch(/dead-letters\.test\.ts:\d+:\d+$/);
});

describe("a failure's fix names .deadLetter() where there is one, and only there", () => {
  const fail = (): never => {
    throw new Error("boom");
  };
  const has: Readonly<Record<string, (p: Pipeline) => unknown>> = {
    map: (p) => p.create([1]).map(fail),
    flatMap: (p) => p.create([1]).flatMap(fail),
    "a generator": (p) =>
      p.create([1]).flatMap(function* () {
        yield fail();
      }),
    filter: (p) => p.create([1]).filter(fail),
    "an async map": (p) => p.create([1]).map(async () => fail()),
    process: (p) => p.create([1]).parDo({ process: fail }),
    "process with state": (p) =>
      p.create<KV<string, number>>([["k", 1]]).parDo({ state: { sum: valueState<number>() }, process: fail }),
  };
  test.each(Object.entries(has))("%s", async (_name, build) => {
    expect((await failureOf((p) => void build(p))).fix).toBe(
      "mend the function, or send failing elements aside with .deadLetter()",
    );
  });

  const hasNot: Readonly<Record<string, (p: Pipeline) => unknown>> = {
    setup: (p) => p.create([1]).parDo({ setup: fail, process: () => {} }),
    finishBundle: (p) => p.create([1]).parDo({ process: () => {}, finishBundle: fail }),
    teardown: (p) => p.create([1]).parDo({ process: () => {}, teardown: fail }),
    "a timer": (p) =>
      p.create<KV<string, number>>([["k", 1]]).parDo({
        timers: { soon: eventTimer() },
        process: (_pair, { timers }) => timers.soon.set(0),
        onTimer: { soon: fail },
      }),
    "an async timer": (p) =>
      p.create<KV<string, number>>([["k", 1]]).parDo({
        timers: { soon: eventTimer() },
        process: (_pair, { timers }) => timers.soon.set(0),
        onTimer: { soon: async () => fail() },
      }),
    withTimestamps: (p) => p.create([1]).apply(withTimestamps(fail)),
    partition: (p) => p.create([1]).partition(2, fail),
    "a combine": (p) => p.create([1]).apply(combineGlobally<number, number>(fail)),
    "a combine in sessions": (p) =>
      p
        .create<KV<string, number>>([["k", 1]])
        .windowInto(sessions(1))
        .apply(combinePerKey({ ...sumFn(), addInput: fail })),
    "a combine in sliding windows": (p) =>
      p
        .create<KV<string, number>>([["k", 1]])
        .windowInto(slidingWindows({ size: 10, every: 5 }))
        .apply(combinePerKey({ ...sumFn(), addInput: fail })),
  };
  test.each(Object.entries(hasNot))("not %s", async (_name, build) => {
    expect(await failureOf((p) => void build(p))).toMatchObject({ code: "STEP_FAILED", fix: "mend the function" });
  });
});

test("a back-off passes on the pipeline's clock", async () => {
  const times: number[] = [];
  await runTest((p) => {
    p.create([1]).parDo(
      {
        outputs: { main: output<number>() },
        async process(_n, { now }) {
          times.push(now());
          if (times.length < 3) throw new Error("again");
        },
      },
      { retry: { attempts: 3, backoff: (attempt) => attempt * 100 } },
    );
  });
  expect(times).toEqual([0, 200, 500]);
});

test("a dead letter has its element's time and window", async () => {
  await runTest((p) => {
    const even = p
      .createTimestamped([at(1000, 1), at(2000, 2)])
      .windowInto(fixedWindows(seconds(10)))
      .map(async (n) => {
        if (n % 2 === 1) throw new Error("odd");
        return n;
      });
    const times = even
      .deadLetter()
      .map(({ element }, { timestamp, window }) => [element, timestamp, window.maxTimestamp]);
    assertThat(even).containsInAnyOrder([2]);
    assertThat(times).containsInAnyOrder([[1, 1000, 9999]]);
  });
});
