/** Clocks that are set or stand still, and elements of 50 MB: checkpoints go on, and what comes out is what must. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Clock,
  eventTime,
  globalWindows,
  fixedWindows,
  type KV,
  type Pipeline,
  pipeline,
  type Program,
  run,
  text,
  valueState,
  withKeys,
} from "tidemark";
import { afterEach, beforeEach, expect, test } from "vitest";
import { begun, pacedNumbers } from "./paced-numbers.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-odd-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TOTAL = 300;
const HOUR = 3_600_000;

/** The machine's clock as a program sees it: set by `offset` at any time. */
function settable(now: () => number): Clock {
  const poll = (isTime: () => boolean, callback: () => void): (() => void) => {
    const handle = setInterval(() => {
      if (!isTime()) return;
      clearInterval(handle);
      callback();
    }, 1);
    return () => clearInterval(handle);
  };
  return {
    now,
    stopwatch: () => performance.now(),
    immediate: (callback) => void setImmediate(callback),
    schedule: (at, callback) => poll(() => now() >= at, callback),
    scheduleIn: (ms, callback) => {
      const handle = setTimeout(callback, ms);
      return () => clearTimeout(handle);
    },
  };
}

test.each<[string, (read: number, real: number) => number]>([
  ["is set an hour ahead, then two back", (read, real) => real + (read < 100 ? 0 : read < 200 ? HOUR : -HOUR)],
  ["goes to and fro", (read, real) => real + ((read / 10) % 2 === 0 ? HOUR : -HOUR)],
  ["stands still", () => 1_000],
])("a clock that %s: the source, which waits for each checkpoint, comes to its end", async (_name, nowAt) => {
  const progress = begun();
  const output = join(folder, "out.txt");
  const program = pipeline({
    name: "clocks",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(TOTAL, progress, 10), { timestamps: eventTime((n: number) => n) })
        .windowInto(fixedWindows(100))
        .apply(
          "ByKey",
          withKeys((n: number) => n % 3),
        )
        .parDo("Sum", {
          state: { sum: valueState<number>() },
          process([, n], { state: { sum } }) {
            sum.write((sum.read() ?? 0) + n);
          },
          onWindowExpiration: ({ key, window, state: { sum } }) => [`${window.maxTimestamp} ${key} ${sum.read()}`],
        })
        .apply(text.write(output));
    },
  }) as Program;
  const clock = settable(() => nowAt(progress.read, Date.now()));
  await run(program, {}, { clock, checkpoint: { dir: join(folder, "state"), everyMs: 2 } }).wait();
  const truth = Array.from({ length: 9 }, (_, i) => {
    const [start, key] = [Math.floor(i / 3) * 100, i % 3];
    const own = Array.from({ length: 100 }, (__, n) => start + n).filter((n) => n % 3 === key);
    return `${start + 99} ${key} ${own.reduce((a, b) => a + b, 0)}`;
  });
  expect(readFileSync(output, "utf8").trimEnd().split("\n").toSorted()).toEqual(truth.toSorted());
});

test("elements of 50 MB go through state, a checkpoint, a restart and a file", async () => {
  const size = 50 * 1024 * 1024;
  const output = join(folder, "out.txt");
  const progress = begun();
  const program = pipeline({
    name: "large",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(4, progress, 1), { timestamps: eventTime((n: number) => n) })
        .windowInto(globalWindows())
        .map((n): KV<number, string> => [n % 2, String(n).repeat(size)])
        .parDo("Keep", {
          state: { last: valueState<string>() },
          process([, value], { state: { last } }) {
            const before = last.read();
            last.write(value);
            return before === undefined ? [] : [before];
          },
        })
        .apply(text.write(output));
    },
  }) as Program;
  const options = { checkpoint: { dir: join(folder, "state"), everyMs: 1 } };
  const job = run(program, {}, options);
  while (progress.safe < 2) await new Promise((resolve) => setImmediate(resolve));
  await job.stop();
  await run(program, {}, options).wait();
  const lines = readFileSync(output, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => [line[0], line.length, line === (line[0] as string).repeat(size)])).toEqual([
    ["0", size, true],
    ["1", size, true],
  ]);
}, 60_000);
