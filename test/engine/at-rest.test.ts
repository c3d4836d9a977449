/** A job with nothing to do takes no turns: it waits for an event, or for its next timer and no sooner. */
import {
  afterProcessingTime,
  countPerElement,
  globalWindows,
  type KV,
  type Pipeline,
  processingTime,
  repeatedly,
  run,
} from "tidemark";
import { expect, test } from "vitest";
import { SimulatedClock } from "../simulated-clock.ts";
import { collector, endless, Feed, feeds, program, settle } from "./kit.ts";

const HOUR = 3_600_000;

function given<T>(...elements: T[]): Feed<T> {
  const feed = new Feed<T>();
  for (const element of elements) feed.give(element);
  return feed;
}

/** What a job waits for, and how many turns it takes meanwhile in each second of the clock. */
const JOBS: Readonly<Record<string, { readonly build: (p: Pipeline) => unknown; readonly perSecond: number }>> = {
  "a quiet source": { build: (p) => p.read(feeds([given<number>()])).map((n) => n), perSecond: 0 },
  // Its watermark is looked at each 100 ms.
  "a source in processing time": {
    build: (p) => p.read(feeds([given<number>()]), { timestamps: processingTime() }).map((n) => n),
    perSecond: 10,
  },
  "a source that follows the clock when all is idle": {
    build: (p) => {
      p.read(feeds([given(1), given<number>()], { idleAfter: 50, whenAllIdle: "followClock" })).map((n) => n);
    },
    perSecond: 10,
  },
  "a timer that is far": {
    build: (p) =>
      p
        .read(feeds([given<KV<string, number>>(["a", 1])]))
        .windowInto(globalWindows(), { trigger: repeatedly(afterProcessingTime(HOUR)) })
        .groupByKey(),
    perSecond: 0,
  },
  "a sink that is full": {
    build: (p) => {
      p.read(endless()).write({
        name: "full",
        open: () => ({
          write: () => false,
          flush: () => new Promise(() => {}),
          seal: () => [],
          commit: async () => {},
          lastCommitted: async () => 0,
          close: () => {},
        }),
      });
    },
    perSecond: 0,
  },
  "calls that take long": {
    build: (p) => p.read(endless()).map(() => new Promise<number>(() => {}), { async: true, timeout: HOUR }),
    perSecond: 0,
  },
};

/** Moves `clock` on to `to`, timer by timer. @returns the turns that were taken */
async function pass(clock: SimulatedClock, to: number): Promise<number> {
  let taken = 0;
  for (let next = clock.nextAlarm(); next !== undefined && next <= to; next = clock.nextAlarm()) {
    clock.advanceTo(next);
    taken += 1 + (await settle(clock));
  }
  clock.advanceTo(to);
  return taken + (await settle(clock));
}

test.each(Object.entries(JOBS))("%s", async (name, { build, perSecond }) => {
  const clock = new SimulatedClock();
  const job = run(program(name, build), {}, { clock });
  await settle(clock);
  expect(job.state).toBe("running");
  // The first second has what was begun before.
  await pass(clock, 1000);
  expect(await pass(clock, 2000)).toBe(perSecond);
  expect(await pass(clock, 5000)).toBe(3 * perSecond);
  const cancelled = job.cancel();
  await settle(clock);
  await cancelled;
});

test("a processing-time trigger fires at its time and not before", async () => {
  const clock = new SimulatedClock();
  const seen: unknown[] = [];
  const job = run(
    program("trigger", (p) => {
      p.read(feeds([given("a", "a")]))
        .windowInto(globalWindows(), { trigger: repeatedly(afterProcessingTime(50)) })
        .apply(countPerElement())
        .write(collector(seen));
    }),
    {},
    { clock },
  );
  await settle(clock);
  await pass(clock, 49);
  expect(seen).toEqual([]);
  await pass(clock, 50);
  expect(seen).toEqual([["a", 2]]);
  const cancelled = job.cancel();
  await settle(clock);
  await cancelled;
  expect(job.state).toBe("cancelled");
});
