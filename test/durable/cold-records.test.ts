/** State that is not in memory: it comes back when it is asked for, when its timers are due, and when its window fires. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  bagState,
  type Clock,
  countPerElement,
  eventTime,
  eventTimer,
  fixedWindows,
  type KV,
  type Pipeline,
  pipeline,
  processingTimer,
  type Program,
  run,
  text,
  valueState,
  withKeys,
} from "tidemark";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeClock } from "../../src/platform/node.ts";
import { begun, pacedNumbers, type Progress } from "./paced-numbers.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-cold-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (name: string): string => join(folder, name);

/** Whatever is done in slices of time is done in many: other things come in between. */
const clock: Clock = { ...nodeClock(), stopwatch: () => performance.now() * 50 };

/** Runs to the end, and is stopped and started again at each of `stops`, which count elements read. */
async function play(program: Program, progress: Progress, stops: readonly number[]): Promise<void> {
  const checkpoint = { dir: inFolder("checkpoints"), everyMs: 3, stateMemory: 0 };
  for (const stop of stops) {
    const job = run(program, {}, { checkpoint, clock });
    while (progress.read < stop && job.state !== "failed") await new Promise((resolve) => setImmediate(resolve));
    await job.stop();
    await job.wait();
  }
  await run(program, {}, { checkpoint, clock }).wait();
}

const lines = (): string[] => readFileSync(inFolder("out.txt"), "utf8").trimEnd().split("\n").toSorted();

const TOTAL = 6000;
const KEYS = 700;
const STOPS = [900, 2500, 4100];

test("a value, and a timer that each element sets to later: counts and firings are those of state that never left", async () => {
  const progress = begun();
  const program = pipeline({
    name: "quiet",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(TOTAL, progress, 60), { timestamps: eventTime((n: number) => n) })
        .map("ByKey", (n): KV<number, number> => [(n * 7919) % KEYS, n])
        .parDo("Count", {
          state: { count: valueState<number>() },
          timers: { quiet: eventTimer() },
          process([, n], { state: { count }, timers: { quiet } }) {
            count.write((count.read() ?? 0) + 1);
            // Fires where the next one of its key comes later than that: of every third key.
            quiet.set(n + (n % 3 === 0 ? 350 : 1500));
          },
          onTimer: { quiet: ({ key, state: { count } }) => [`${key} ${count.read()}`] },
        })
        .apply(text.write(inFolder("out.txt")));
    },
  }) as Program;
  await play(program, progress, STOPS);

  const expected: string[] = [];
  const kept = new Map<number, { count: number; due: number }>();
  for (let n = 0; n <= TOTAL; n++) {
    for (const [key, record] of kept) {
      if (record.due !== Infinity && (record.due < n || n === TOTAL)) {
        expected.push(`${key} ${record.count}`);
        record.due = Infinity;
      }
    }
    const key = (n * 7919) % KEYS;
    if (n < TOTAL) kept.set(key, { count: (kept.get(key)?.count ?? 0) + 1, due: n + (n % 3 === 0 ? 350 : 1500) });
  }
  expect(lines()).toEqual(expected.toSorted());
});

test("groupings that are not in memory fire at the ends of their windows, each key once", async () => {
  const progress = begun();
  const program = pipeline({
    name: "counts",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(TOTAL, progress, 60), { timestamps: eventTime((n: number) => n) })
        .windowInto(fixedWindows(2500))
        .map("Key", (n) => `${(n * 7919) % KEYS}`)
        .apply("Count", countPerElement())
        .map("Format", ([key, n], { window }) => `${window.maxTimestamp} ${key} ${n}`)
        .apply(text.write(inFolder("out.txt")));
    },
  }) as Program;
  await play(program, progress, STOPS);

  const expected = new Map<string, number>();
  for (let n = 0; n < TOTAL; n++) {
    const name = `${Math.floor(n / 2500) * 2500 + 2499} ${(n * 7919) % KEYS}`;
    expected.set(name, (expected.get(name) ?? 0) + 1);
  }
  expect(lines()).toEqual([...expected].map(([name, n]) => `${name} ${n}`).toSorted());
});

test("what is called at the end of a window is called for keys that are not in memory, and taken away with the window", async () => {
  const progress = begun();
  const program = pipeline({
    name: "expiring",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(TOTAL, progress, 60), { timestamps: eventTime((n: number) => n) })
        .windowInto(fixedWindows(1000))
        .apply(
          "ByKey",
          withKeys((n: number) => n % KEYS),
        )
        .parDo("Sum", {
          state: { sum: valueState<number>() },
          process([, n], { state: { sum } }) {
            sum.write((sum.read() ?? 0) + n);
          },
          onWindowExpiration: ({ key, window, state: { sum } }) => [`${window.maxTimestamp} ${key} ${sum.read()}`],
        })
        .apply(text.write(inFolder("out.txt")));
    },
  }) as Program;
  await play(program, progress, STOPS);

  const expected = new Map<string, number>();
  for (let n = 0; n < TOTAL; n++) {
    const name = `${Math.floor(n / 1000) * 1000 + 999} ${n % KEYS}`;
    expected.set(name, (expected.get(name) ?? 0) + n);
  }
  expect(lines()).toEqual([...expected].map(([name, n]) => `${name} ${n}`).toSorted());
});

test("timers in processing time hold the watermark, and what they hold it at, while their records are not in memory", async () => {
  const progress = begun();
  const program = pipeline({
    name: "holding",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(600, progress, 20), { timestamps: eventTime((n: number) => n) })
        .apply(
          "ByKey",
          withKeys((n: number) => n % 200),
        )
        .parDo("Hold", {
          state: { seen: bagState<number>() },
          timers: { later: processingTimer() },
          process([, n], { state: { seen }, timers: { later } }) {
            if (seen.isEmpty()) later.setAfter(150);
            seen.add(n);
          },
          onTimer: {
            later({ state: { seen } }) {
              const all = [...seen.read()];
              seen.clear();
              return all;
            },
          },
        })
        .windowInto(fixedWindows(100))
        .apply("Count", countPerElement())
        .map("Format", ([n, count], { pane }) => `${n} ${count} ${pane.timing}`)
        .apply(text.write(inFolder("out.txt")));
    },
  }) as Program;
  await play(program, progress, [200, 400]);
  // Nothing was late, though the input was far ahead of what the timers let go.
  expect(lines()).toEqual(Array.from({ length: 600 }, (_, n) => `${n} 1 ON_TIME`).toSorted());
});

test("a bag of many items that grows writes what is added, not what is there", async () => {
  const ITEMS = 20_000;
  const progress = begun();
  const program = pipeline({
    name: "bag",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(ITEMS, progress, 100), { timestamps: eventTime((n: number) => n) })
        .map("OneKey", (n): KV<string, number> => ["all", n])
        .parDo("Keep", {
          state: { items: bagState<number>() },
          process([, n], { state: { items } }) {
            items.add(n);
          },
          onWindowExpiration({ state: { items } }) {
            const all = items.read();
            return [`${all.length} ${all.every((n, i) => n === i)}`];
          },
        })
        .apply(text.write(inFolder("out.txt")));
    },
  }) as Program;
  const checkpoint = { dir: inFolder("checkpoints"), everyMs: 1, keep: 10_000 };
  for (const stop of [ITEMS / 2, (ITEMS * 3) / 4]) {
    const job = run(program, {}, { checkpoint, clock });
    while (progress.read < stop && job.state !== "failed") await new Promise((resolve) => setImmediate(resolve));
    await job.stop();
    await job.wait();
  }
  const database = new DatabaseSync(inFolder("checkpoints/checkpoints.db"), { readOnly: true });
  const { bytes, checkpoints } = database
    .prepare(
      "SELECT sum(length(body)) AS bytes, count(DISTINCT epoch) AS checkpoints FROM chunk WHERE kind = 'records'",
    )
    .get() as { bytes: number; checkpoints: number };
  database.close();
  expect(checkpoints).toBeGreaterThan(20);
  // All items whole take about 3 bytes each; written whole each time it would be half of that for each checkpoint.
  expect(bytes).toBeLessThan(6 * ITEMS * 3);

  await run(program, {}, { checkpoint }).wait();
  expect(lines()).toEqual([`${ITEMS} true`]);
});
