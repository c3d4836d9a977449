/** The real clock: timers fire while nothing comes in, and never early; many timers. */
import {
  afterProcessingTime,
  afterWatermark,
  eventTimer,
  fixedWindows,
  type KV,
  output,
  processingTime,
  processingTimer,
  repeatedly,
  run,
  valueState,
} from "tidemark";
import { describe, expect, test } from "vitest";
import { collector, endless, Feed, feeds, program, until } from "./kit.ts";

describe("while its source is quiet", () => {
  test("processing-time timers fire, each at its time or after it, and may set themselves again", async () => {
    const feed = new Feed<KV<string, number>>();
    const seen: { key: string; due: number; at: number }[] = [];
    const job = run(
      program("timers", (p) => {
        p.read(feeds([feed]))
          .parDo({
            state: { left: valueState<number>() },
            timers: { tick: processingTimer() },
            outputs: { main: output<{ key: string; due: number; at: number }>() },
            process([, delay], { state, timers }) {
              state.left.write(3);
              timers.tick.setAfter(delay);
            },
            onTimer: {
              tick({ key, firedAt, state, timers, output: emit }) {
                emit({ key, due: firedAt, at: Date.now() });
                const left = (state.left.read() as number) - 1;
                state.left.write(left);
                if (left > 0) timers.tick.setAfter(10);
              },
            },
          })
          .write(collector(seen));
      }),
    );
    const startedAt = Date.now();
    feed.give(["slow", 40]);
    feed.give(["fast", 20]);
    await until(() => seen.length === 6);
    for (const { due, at } of seen) expect(at).toBeGreaterThanOrEqual(due);
    const first = (key: string) => seen.find((entry) => entry.key === key)?.due as number;
    expect(first("fast")).toBeGreaterThanOrEqual(startedAt + 20);
    expect(first("slow")).toBeGreaterThanOrEqual(startedAt + 40);
    expect(seen.filter(({ key }) => key === "slow").length).toBe(3);
    await job.cancel();
  });

  test("early panes fire by the clock, one for each pane's first element", async () => {
    const feed = new Feed<KV<string, number>>();
    const seen: string[] = [];
    const job = run(
      program("early", (p) => {
        p.read(feeds([feed]))
          .windowInto(fixedWindows(1000), { trigger: afterWatermark({ early: repeatedly(afterProcessingTime(20)) }) })
          .groupByKey()
          .map(([key, values], { pane }) => `${key} ${values.join()} ${pane.timing} ${pane.index}`)
          .write(collector(seen));
      }),
    );
    feed.give(["a", 1]);
    await until(() => seen.length === 1);
    feed.give(["a", 2]);
    await until(() => seen.length === 2);
    expect(seen).toEqual(["a 1 EARLY 0", "a 2 EARLY 1"]);
    await job.cancel();
  });

  test("windows of processing time end", async () => {
    const feed = new Feed<KV<string, number>>();
    const seen: number[] = [];
    const job = run(
      program("windows", (p) => {
        p.read(feeds([feed]), { timestamps: processingTime() })
          .windowInto(fixedWindows(50))
          .groupByKey()
          .map((_, { window }) => Date.now() - window.maxTimestamp)
          .write(collector(seen));
      }),
    );
    feed.give(["a", 1]);
    await until(() => seen.length === 1);
    expect(seen[0]).toBeGreaterThan(0);
    await job.cancel();
  });
});

test("a timer and a cell for each of 100,000 keys: every one fires, once, at its own time", async () => {
  const count = 100_000;
  const fired = new Set<number>();
  let order = true;
  let last = -1;
  const job = run(
    program("keys", (p) => {
      p.read(endless({ until: count }))
        .map((n): KV<number, number> => [n, n])
        .parDo("Timers", {
          state: { value: valueState<number>() },
          timers: { later: eventTimer() },
          process([, n], { state, timers }) {
            state.value.write(n);
            timers.later.set(2 * count - n);
          },
          onTimer: {
            later({ key, firedAt, state }) {
              if (state.value.read() !== key || firedAt !== 2 * count - key) order = false;
              if (firedAt < last) order = false;
              last = firedAt;
              fired.add(key);
              state.value.clear();
            },
          },
        });
    }),
  );
  const metrics = await job.wait();
  expect(fired.size).toBe(count);
  expect(order).toBe(true);
  expect(metrics.steps.find(({ name }) => name === "Timers")).toMatchObject({ keys: 0, timers: 0 });
});
