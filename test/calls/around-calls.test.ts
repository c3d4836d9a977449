/** What surrounds a call: its bundle, its windows, its signal, its finalizers, and the time after it. */
import {
  type BagCell,
  bagState,
  eventTimer,
  fixedWindows,
  isTidemarkError,
  type KV,
  output,
  run,
  seconds,
  slidingWindows,
  type Timer,
  type ValueCell,
  valueState,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { program, turns, until } from "../engine/kit.ts";

describe("bundles", () => {
  test("of synchronous startBundle and finishBundle wait for the calls between them", async () => {
    await runTest((p) => {
      let buffer: number[] = [];
      const doubled = p.createTimestamped([1, 2, 3, 4].map((n) => at(n, n))).parDo(
        {
          outputs: { main: output<number>() },
          startBundle() {
            buffer = [];
          },
          async process(n) {
            await turns(1 + (n % 2));
            buffer.push(2 * n);
          },
          finishBundle({ output: emit }) {
            for (const n of buffer) emit(n, n, fixedWindows(10).assign(n, n, [])[0] as never);
          },
        },
        { concurrency: 2 },
      );
      assertThat(doubled).containsInAnyOrder([2, 4, 6, 8]);
    });
  });
});

describe("windows", () => {
  const calls = async (looks: boolean): Promise<number> => {
    let count = 0;
    await runTest((p) => {
      const windowed = p.createTimestamped([at(7, "a")]).windowInto(slidingWindows({ size: 60, every: 5 }));
      const fetched = looks
        ? windowed.map(async (text, { window }) => `${text} ${window.id} ${count++}`)
        : windowed.map(async (text) => `${text} ${count++}`);
      assertThat(fetched).satisfies((values) => expect(values).toHaveLength(12));
    });
    return count;
  };
  test("an async function that cannot see its window is called once for all of them", async () => {
    expect(await calls(false)).toBe(1);
    expect(await calls(true)).toBe(12);
  });
});

describe("onBundleFinalized", () => {
  test("of an attempt that was rejected is forgotten with it", async () => {
    const finalized: number[] = [];
    let attempt = 0;
    await runTest((p) => {
      p.create([1]).parDo(
        {
          async process(_n, { onBundleFinalized }) {
            const mine = ++attempt;
            onBundleFinalized(() => void finalized.push(mine));
            await turns(1);
            if (mine < 3) throw new Error("not yet");
          },
        },
        { retry: { attempts: 3, backoff: 1 } },
      );
    });
    expect(finalized).toEqual([3]);
  });

  test("a callback that throws names its step", async () => {
    const failed = runTest((p) => {
      p.create([1]).parDo("Acknowledge", {
        process: (_n, { onBundleFinalized }) =>
          onBundleFinalized(() => {
            throw new Error("gone");
          }),
      });
    });
    await expect(failed).rejects.toMatchObject({ code: "STEP_FAILED", context: { step: "Acknowledge" } });
  });
});

describe("the signal", () => {
  test("of an attempt is aborted when its time is out, and the next attempt has its own", async () => {
    const signals: AbortSignal[] = [];
    await runTest((p) => {
      const answered = p.create(["a"]).map(
        async (text, { signal }) => {
          signals.push(signal);
          if (signals.length === 1)
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          return text;
        },
        { timeout: 1000, retry: { attempts: 2, backoff: 0 } },
      );
      assertThat(answered).isSingleton("a");
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(isTidemarkError(signals[0]?.reason, "CALL_TIMEOUT")).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ context: { step: "Map", element: '"a"', window: "global" } });
  });
});

describe("after the call", () => {
  interface Kept {
    readonly output: (value: string) => void;
    readonly outputTo: (tag: "main", value: string) => void;
    readonly state: { readonly seen: ValueCell<number>; readonly all: BagCell<number> };
    readonly timers: { readonly later: Timer };
  }

  /** What using `use` after a synchronous `process` has returned throws. */
  async function afterwards(use: (context: Kept) => void): Promise<unknown> {
    let kept: Kept | undefined;
    await runTest((p) => {
      p.apply(
        testStream<KV<string, number>>()
          .addElements(at(1, ["a", 1]), at(100_001, ["b", 2]))
          .advanceWatermarkToInfinity(),
      )
        .windowInto(fixedWindows(seconds(10)))
        .parDo("Keep", {
          state: { seen: valueState<number>(), all: bagState<number>() },
          timers: { later: eventTimer() },
          outputs: { main: output<string>() },
          process(_pair, context) {
            kept ??= context;
          },
          onTimer: { later: () => {} },
        });
    });
    try {
      use(kept as unknown as Kept);
    } catch (error) {
      return error;
    }
    return undefined;
  }

  const uses: readonly (readonly [string, (context: Kept) => void])[] = [
    ["output", ({ output: emit }) => emit("late")],
    ["outputTo", ({ outputTo }) => outputTo("main", "late")],
    ["a cell's read", ({ state }) => state.seen.read()],
    ["a cell's write", ({ state }) => state.all.add(1)],
    ["a timer", ({ timers }) => timers.later.set(5)],
  ];
  for (const [what, use] of uses) {
    test(`${what} is refused, in place of landing with another element`, async () => {
      expect(await afterwards(use)).toMatchObject({ code: "CALL_ENDED", context: { step: "Keep" } });
    });
  }
});

describe("a key that cannot be compared", () => {
  // It could not even get to its step encoded.
  const UNENCODED = { encoded: false };
  for (const kind of ["synchronous", "async"]) {
    test(`in a ${kind} stateful step is that step's error, with key and element`, async () => {
      const failed = runTest((p) => {
        p.create([1])
          .map("Pair", (): KV<unknown, number> => [() => 1, 1])
          .parDo(
            "Count",
            { state: { n: valueState<number>() }, process: (_pair, { state }) => state.n.write(1) },
            kind === "async" ? { async: true } : {},
          );
      }, UNENCODED);
      await expect(failed).rejects.toMatchObject({
        code: "KEY_NOT_DETERMINISTIC",
        context: { step: "Count", key: expect.any(String), element: expect.any(String) },
      });
    });
  }
});

test.each(["cancelled", "failed"] as const)(
  "the signal of a call in flight is aborted when the job is %s",
  async (end) => {
    const signals: AbortSignal[] = [];
    const job = run(
      program("calls", (p) => {
        p.create(["a"]).map("Hangs", async (_, { signal }) => {
          signals.push(signal);
          await new Promise(() => {});
        });
        p.create(["b"]).map("Fails", async () => {
          await until(() => signals.length > 0 && end === "failed");
          throw new Error("out of order");
        });
      }),
    );
    await until(() => signals.length > 0);
    if (end === "cancelled") await job.cancel();
    else await job.wait().catch(() => {});
    expect(job.state).toBe(end);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  },
);
