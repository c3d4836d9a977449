/** What a job drops is told once, however the job ends, unless somebody reads it. */
import {
  eventTime,
  fixedWindows,
  type KV,
  type PCollection,
  type Pipeline,
  processingTimer,
  processingTimerFamily,
  run,
  slidingWindows,
  type Source,
  type Timer,
  type TimerFamily,
  type Timestamp,
  type ValueCell,
  valueState,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { Feed, feeds, program, until } from "./kit.ts";

const DAY = 86_400_000;

interface TimersContext {
  readonly state: { readonly n?: ValueCell<number> };
  readonly timers: { readonly soon: Timer; readonly tags: TimerFamily };
  now(): number;
}

const pairsAt = (p: Pipeline, ...times: Timestamp[]): PCollection<KV<string, number>> => {
  const stream = testStream<KV<string, number>>().advanceWatermarkTo(1000);
  return p.apply(
    stream
      .addElements(...times.map((time) => at(time, ["k", time] as KV<string, number>)))
      .advanceWatermarkToInfinity(),
  );
};

describe("warnings of what is dropped", () => {
  test("late elements that nobody reads: one with the count", async () => {
    const warnings: string[] = [];
    await runTest((p) => void pairsAt(p, 1, 2, 1500).windowInto(fixedWindows(10)).groupByKey("Group"), {
      onWarning: (message) => warnings.push(message),
    });
    expect(warnings).toEqual([expect.stringMatching(/^2 elements of step "Group" came after/)]);
  });

  test("late elements that a step reads: none; asking for them without reading is not reading", async () => {
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    await runTest(
      (p) =>
        pairsAt(p, 1)
          .windowInto(fixedWindows(10))
          .groupByKey("Group")
          .late.map((late) => late.lateBy),
      {
        onWarning,
      },
    );
    expect(warnings).toEqual([]);
    await runTest((p) => pairsAt(p, 1).windowInto(fixedWindows(10)).groupByKey("Group").late, { onWarning });
    expect(warnings).toHaveLength(1);
  });

  test("a view has no .late to be read from, and is not told to", async () => {
    const warnings: string[] = [];
    await runTest((p) => void pairsAt(p, 1).windowInto(fixedWindows(10)).asList(), {
      onWarning: (message) => warnings.push(message),
    });
    expect(warnings).toEqual([expect.stringMatching(/^1 elements of .*allow its collection more lateness$/)]);
  });

  test("elements in the gap between two windows", async () => {
    const warnings: string[] = [];
    await runTest((p) => void pairsAt(p, 2001, 2007).windowInto("Gaps", slidingWindows({ size: 5, every: 10 })), {
      onWarning: (message) => warnings.push(message),
    });
    expect(warnings).toEqual([expect.stringMatching(/^1 elements of step "Gaps" lie between two windows/)]);
  });

  test("in a job that is cancelled", async () => {
    const warnings: string[] = [];
    const feed = new Feed<KV<string, number>>();
    feed.watermark = 0;
    const job = run(
      program(
        "cancelled",
        (p) =>
          void p
            .read(feeds([feed]))
            .windowInto(fixedWindows(10))
            .groupByKey("Group")
            .parDo({ process() {} }),
      ),
      {},
      { onWarning: (message) => warnings.push(message) },
    );
    feed.give(["k", 1], 5);
    await until(() => job.metrics().elementsRead === 1);
    feed.advanceTo(1000);
    await until(() => job.metrics().watermark >= 999);
    feed.give(["k", 1], 5);
    await until(() => job.metrics().dropped === 1);
    await job.cancel();
    expect(warnings).toEqual([expect.stringMatching(/^1 elements of step "Group"/)]);
  });
});

describe("processing-time timers that are not due when their window expires", () => {
  /** Two keys, of which "k" sets two timers of ten days from now. */
  const doFn = (isAsync: boolean, fired: string[], kept: object): never => {
    const setTimers = ([key]: KV<string, number>, { state, timers, now }: TimersContext): void => {
      state.n?.write(1);
      timers.soon.set(key === "k" ? now() + 10 * DAY : now());
      if (key === "k") timers.tags.set("a", now() + 10 * DAY);
    };
    return {
      ...kept,
      timers: { soon: processingTimer(), tags: processingTimerFamily() },
      ...(isAsync
        ? { process: async (pair: KV<string, number>, context: TimersContext) => setTimers(pair, context) }
        : { process: setTimers }),
      onTimer: {
        soon: ({ key }: { key: string }) => void fired.push(`soon ${key}`),
        tags: ({ key, tag }: { key: string; tag: string }) => void fired.push(`${tag} ${key}`),
      },
    } as never;
  };

  describe.each([false, true])("of an async step: %s", (isAsync) => {
    test("are dropped with their state, counted, and told once", async () => {
      const warnings: string[] = [];
      const fired: string[] = [];
      const feed = new Feed<KV<string, number>>();
      feed.watermark = 0;
      const build = (p: Pipeline): void => {
        // The timer that ends the cell's life is not the program's, and not counted.
        const state = { n: valueState<number>({ ttl: DAY }) };
        p.read("Feed", feeds([feed]))
          .windowInto(fixedWindows(10))
          .parDo("Timers", doFn(isAsync, fired, { state }));
      };
      const job = run(program("timers", build), {}, { onWarning: (message) => warnings.push(message) });
      feed.give(["k", 1], 5);
      feed.give(["other", 1], 5);
      await until(() => fired.length === 1);
      expect(job.metrics()).toMatchObject({ dropped: 0 });
      feed.advanceTo(1000);
      await until(() => job.metrics().dropped > 0);
      const { dropped, steps, watermark } = job.metrics();
      expect({ dropped, watermark }).toEqual({ dropped: 2, watermark: 1000 });
      expect(steps.map((step) => [step.name, step.dropped, step.timers, step.keys])).toEqual([
        ["Feed", 0, 0, 0],
        ["WindowInto", 0, 0, 0],
        ["Timers", 2, 0, 0],
      ]);
      feed.end();
      expect((await job.wait()).dropped).toBe(2);
      expect(fired).toEqual(["soon other"]);
      expect(warnings).toEqual([
        expect.stringMatching(/^2 processing-time timers of step "Timers" were not due when their windows expired/),
      ]);
    });

    test("fire in their time where the step keeps no state, or the input is over", async () => {
      for (const [kept, end] of [
        [{}, 1000],
        [{ state: { n: valueState<number>() } }, undefined],
      ] as const) {
        const warnings: string[] = [];
        const fired: string[] = [];
        const stream = testStream<KV<string, number>>().addElements(at(5, ["k", 1]));
        const { dropped } = await runTest(
          (p) =>
            void p
              .apply((end === undefined ? stream : stream.advanceWatermarkTo(end)).advanceWatermarkToInfinity())
              .windowInto(fixedWindows(10))
              .parDo("Timers", doFn(isAsync, fired, kept)),
          { onWarning: (message) => warnings.push(message) },
        );
        expect(fired.toSorted()).toEqual(["a k", "soon k"]);
        expect([dropped, warnings]).toEqual([0, []]);
      }
    });
  });
});

describe("what is late", () => {
  for (const size of [1, 3, 1000]) {
    test(`does not depend on how much is read at once: ${size}`, async () => {
      const times = Array.from({ length: 2000 }, (_, n) => (n % 97 === 96 ? n - 90 : n % 89 === 88 ? n - 3 : n));
      let late: number[] = [];
      let next = 0;
      const source: Source<number> = {
        name: "times",
        bounded: true,
        splits: () => [0],
        open: () => ({
          poll(max, into) {
            for (let i = 0; i < Math.min(size, max) && next < times.length; i++) into.add(times[next++] as number);
            return next < times.length ? "more" : "end";
          },
          ready: async () => {},
          position: () => next,
          close: () => {},
        }),
      };
      await runTest((p) => {
        const grouped = p
          .read(source, { timestamps: eventTime((time: number) => time, { outOfOrderness: 5 }) })
          .map((time): KV<string, number> => ["k", time])
          .windowInto(fixedWindows(10))
          .groupByKey();
        assertThat(grouped.late).satisfies((all) => void (late = all.map(({ element }) => element[1])));
      });
      expect(late).toEqual(times.filter((time, n) => n % 97 === 96));
    });
  }
});
