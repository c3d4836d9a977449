/** Quiet sources and timestamp policies: whose event time counts for the watermark, and when. */
import {
  countPerElement,
  eventTime,
  fixedWindows,
  isTidemarkError,
  type Clock,
  type JobHandle,
  MAX_TIMESTAMP,
  processingTime,
  type QuietPolicy,
  run,
  type TimestampPolicy,
} from "tidemark";
import { simulatedJobClock } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { collector, Feed, feeds, program, turns, until } from "./kit.ts";

const START = 1_000_000;
const byValue = eventTime((n: number) => n);

/** Counts the elements of `splits` in windows of 100 ms. `windows` has the counts as they come out. */
function count(
  splits: readonly Feed<number>[],
  options: {
    readonly quiet?: QuietPolicy;
    readonly timestamps?: TimestampPolicy<number>;
    readonly frozen?: boolean;
    readonly clock?: Clock;
  } = {},
): { job: JobHandle; windows: string[]; clock: Clock } {
  const windows: string[] = [];
  const simulated = simulatedJobClock(START);
  // A frozen clock moves only by `advanceBy`, and then nobody is told: an element has to come.
  const clock = options.clock ?? (options.frozen ? { ...simulated, schedule: () => () => {} } : simulated);
  const job = run(
    program("count", (p) => {
      p.read("Feeds", feeds(splits, options.quiet), { timestamps: options.timestamps ?? byValue })
        .windowInto(fixedWindows(100))
        .map(() => "all")
        .apply(countPerElement())
        .map(([, n], { window }) => `${window.maxTimestamp + 1}: ${n}`)
        .write(collector(windows));
    }),
    {},
    { clock },
  );
  return { job, windows, clock };
}

const watermark = (job: JobHandle): number | undefined => job.metrics().steps[0]?.watermark;

describe("event time from the elements", () => {
  test("the watermark is the least of the splits', each minus its out-of-orderness", async () => {
    const [a, b] = [new Feed<number>(), new Feed<number>()];
    const { job, windows } = count([a, b], { timestamps: eventTime((n: number) => n, { outOfOrderness: 10 }) });
    a.give(500);
    b.give(50);
    await until(() => watermark(job) === 40);
    b.give(110);
    await until(() => watermark(job) === 100);
    expect(windows).toEqual(["100: 1"]);
    b.give(105);
    await turns(20);
    expect(watermark(job)).toBe(100);
    await job.cancel();
  });

  test("a split without any element yet holds the watermark; one that has ended does not", async () => {
    const [a, b] = [new Feed<number>(), new Feed<number>()];
    const { job, windows } = count([a, b]);
    a.give(50);
    a.give(250);
    await turns(50);
    expect(windows).toEqual([]);
    b.end();
    await until(() => windows.length === 1);
    a.end();
    await job.wait();
    expect(windows).toEqual(["100: 1", "300: 1"]);
    expect(watermark(job)).toBe(MAX_TIMESTAMP);
  });
});

describe("a split that is quiet", () => {
  test("counts for ever without a policy", async () => {
    const [a, b] = [new Feed<number>(), new Feed<number>()];
    const { job, windows } = count([a, b]);
    b.give(10);
    a.give(250);
    await turns(100);
    expect(watermark(job)).toBe(10);
    expect(windows).toEqual([]);
    await job.cancel();
  });

  test("does not count once it has been quiet for idleAfter, and counts again with its next element", async () => {
    const [a, b] = [new Feed<number>(), new Feed<number>()];
    const { job, windows, clock } = count([a, b], { quiet: { idleAfter: 1000 }, frozen: true });
    b.give(10);
    a.give(210);
    await until(() => watermark(job) === 10);
    clock.advanceBy?.(999);
    a.give(220);
    await turns(20);
    expect(watermark(job)).toBe(10);
    clock.advanceBy?.(1);
    a.give(230);
    await until(() => watermark(job) === 230);
    expect(windows).toEqual(["100: 1"]);
    b.give(240);
    a.give(290);
    await until(() => watermark(job) === 240);
    await job.cancel();
  });

  test("is noticed without any element: the engine looks when its time is up", async () => {
    const [a, b] = [new Feed<number>(), new Feed<number>()];
    const simulated = simulatedJobClock(START);
    const alarms: { atMs: number; callback: () => void }[] = [];
    const clock = {
      ...simulated,
      schedule: (atMs: number, callback: () => void) => {
        alarms.push({ atMs, callback });
        return () => {};
      },
    };
    const { job, windows } = count([a, b], { quiet: { idleAfter: 1000 }, clock });
    b.give(10);
    await until(() => job.metrics().elementsRead === 1);
    simulated.advanceBy?.(500);
    a.give(250);
    await until(() => watermark(job) === 10);
    await turns(10);
    const alarm = alarms.at(-1) as (typeof alarms)[number];
    expect(alarm.atMs).toBe(START + 1000);
    expect(windows).toEqual([]);
    simulated.advanceBy?.(500);
    alarm.callback();
    await until(() => windows.length === 1);
    expect(watermark(job)).toBe(250);
    await job.cancel();
  });

  test("is not quiet while what it has to give is not read, because a sink is full", async () => {
    const [a, b] = [new Feed<number>(), new Feed<number>()];
    const simulated = simulatedJobClock(START);
    let release = (): void => {};
    const job = run(
      program("full", (p) => {
        const numbers = p.read("Feeds", feeds([a, b], { idleAfter: 1000 }), { timestamps: byValue });
        numbers
          .map((n) => n)
          .write({
            name: "slow",
            open: () => ({
              write: (n: number) => n !== 300,
              flush: () => new Promise((resolve) => (release = resolve)),
              seal: () => [],
              commit: async () => {},
              lastCommitted: async () => 0,
              close: () => {},
            }),
          });
      }),
      {},
      { clock: { ...simulated, schedule: () => () => {} } },
    );
    b.give(10);
    a.give(20);
    await until(() => watermark(job) === 10);
    simulated.advanceBy?.(500);
    a.give(300);
    await turns(20);
    // The sink is full now. b has something again before its time is up, but nobody may read it.
    b.give(30);
    await turns(20);
    simulated.advanceBy?.(600);
    a.advanceTo(0);
    await turns(20);
    expect(watermark(job)).toBe(10);
    release();
    await until(() => watermark(job) === 30);
    await job.cancel();
  });

  test("all quiet: time stands still by default", async () => {
    const a = new Feed<number>();
    const { job, windows, clock } = count([a], { quiet: { idleAfter: 1000 }, frozen: true });
    a.give(50);
    await until(() => watermark(job) === 50);
    clock.advanceBy?.(1_000_000);
    a.advanceTo(0);
    await turns(50);
    expect(watermark(job)).toBe(50);
    expect(windows).toEqual([]);
    await job.cancel();
  });

  test("all quiet, followClock: the watermark goes on with the clock, minus the out-of-orderness", async () => {
    const a = new Feed<number>();
    const { job, windows, clock } = count([a], {
      quiet: { idleAfter: 1000, whenAllIdle: "followClock" },
      timestamps: eventTime((n: number) => n, { outOfOrderness: 40 }),
    });
    a.give(START + 50);
    await until(() => windows.length === 1);
    expect(windows).toEqual([`${START + 100}: 1`]);
    // Not before the split was idle, and not before the window's end by the clock.
    expect(clock.now()).toBeGreaterThanOrEqual(START + 1000);
    expect(watermark(job)).toBeLessThanOrEqual(clock.now() - 40);
    await job.cancel();
  });
});

test("processingTime(): elements have the time of reading, and windows end by the clock without further elements", async () => {
  const a = new Feed<number>();
  const { job, windows, clock } = count([a], { timestamps: processingTime() });
  a.give(7);
  a.give(8);
  await until(() => windows.length > 0);
  const [end] = (windows[0] as string).split(":").map(Number) as [number];
  expect(windows).toEqual([`${end}: 2`]);
  expect(clock.now()).toBeGreaterThanOrEqual(end);
  expect(end).toBeGreaterThan(START);
  await job.cancel();
});

describe("an event time that makes no sense fails the job with the step's name", () => {
  test.each([Number.NaN, Infinity, -Infinity, 1e300, 0.5, undefined, "2026-11-23"])("%s", async (timestamp) => {
    const a = new Feed<number>();
    const { job } = count([a], { timestamps: eventTime(() => timestamp as number) });
    a.give(1);
    const error: unknown = await job.wait().catch((reason: unknown) => reason);
    if (!isTidemarkError(error, "TIMESTAMP_INVALID")) throw error;
    expect(error.context.step).toBe("Feeds");
    expect(a.closed).toBe(1);
  });

  test("a timestamp function that throws is a failed step, with its element", async () => {
    const a = new Feed<number>();
    const { job } = count([a], {
      timestamps: eventTime(() => {
        throw new Error("no time in it");
      }),
    });
    a.give(41);
    const error: unknown = await job.wait().catch((reason: unknown) => reason);
    if (!isTidemarkError(error, "STEP_FAILED")) throw error;
    expect([error.context.step, error.context.element]).toEqual(["Feeds", "41"]);
    expect(error.message).toContain("no time in it");
  });
});
