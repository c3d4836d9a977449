/**
 * Programs that are killed and started again, and what must have come out of them in the end, computed from their input alone.
 *
 * O1 An input is a list of lines `time key value`; times are at most DISORDER ms behind one that came before.
 * O2 An oracle says exactly which lines there are, and how often; their order is nobody's matter.
 */
import {
  afterCount,
  afterWatermark,
  coGroupByKey,
  countPerElement,
  eventTime,
  eventTimer,
  fixedWindows,
  type IntervalWindow,
  type KV,
  type PCollection,
  type Pipeline,
  pipeline,
  type Program,
  seconds,
  sessions,
  slidingWindows,
  sqlite,
  text,
  valueState,
  withKeys,
} from "tidemark";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";

export const DISORDER = 200;

/** One line of an input. */
export interface Line {
  readonly time: number;
  readonly key: string;
  readonly value: number;
}

export interface Options {
  readonly input: string;
  readonly output: string;
}

/** A program, and the lines that it must have written. */
export interface Case {
  readonly program: Program;
  /** @throws where the output is not as it must be, and says how */
  check(input: readonly Line[], output: readonly string[]): void;
  /** Makes the place that it writes to, where that has to be there. */
  prepare?(path: string): void;
  /** The lines of what it has written, where that is no text. */
  read?(path: string): readonly string[];
}

function lineOf(line: string): Line {
  const [time, key, value] = line.split(" ");
  return { time: Number(time), key: key as string, value: Number(value) };
}

function read(p: Pipeline, name: string, path: string): PCollection<Line> {
  const timestamps = eventTime((line: string) => lineOf(line).time, { outOfOrderness: DISORDER });
  return p.apply(name, text.read(path, { timestamps, chunkBytes: 2048 })).map(`Parse${name}`, lineOf);
}

function start(window: unknown): number {
  return (window as IntervalWindow).start;
}

const OPTIONS = z.object({ input: z.string(), output: z.string() });

function programOf(name: string, build: (p: Pipeline, options: Options) => void): Program {
  return pipeline({ name, options: OPTIONS, build }) as Program;
}

/** Groups values by a text. */
function tally<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const list = found.get(key);
    if (list === undefined) found.set(key, [item]);
    else list.push(item);
  }
  return found;
}

/** Throws where two lists of lines differ, whatever their order. */
function mustEqual(expected: readonly string[], actual: readonly string[]): void {
  const want = tally(expected, (line) => line);
  const have = tally(actual, (line) => line);
  const countIn = (lines: typeof want, line: string): number => lines.get(line)?.length ?? 0;
  const missing = [...want.keys()].filter((line) => countIn(have, line) < countIn(want, line));
  const wrong = [...have.keys()].filter((line) => countIn(have, line) > countIn(want, line));
  if (missing.length === 0 && wrong.length === 0) return;
  throw new Error(
    `${missing.length} missing, as ${missing[0]}; ${wrong.length} wrong or twice, as ${wrong[0]}; of ${want.size}`,
  );
}

const wordCount: Case = {
  program: programOf("word-count", (p, { input, output }) => {
    read(p, "Lines", input)
      .windowInto(fixedWindows(seconds(1)))
      .map("Key", ({ key }) => key)
      .apply(countPerElement())
      .map("Format", ([key, count], { window }) => `${start(window)} ${key} ${count}`)
      .apply(text.write(output, { append: true }));
  }),
  check(input, output) {
    const counts = tally(input, ({ time, key }) => `${Math.floor(time / 1000) * 1000} ${key}`);
    mustEqual(
      [...counts].map(([key, lines]) => `${key} ${lines.length}`),
      output,
    );
  },
};

/** As word-count, as rows of a database, each with no key that would keep it from being there twice. */
const rows: Case = {
  program: programOf("rows", (p, { input, output }) => {
    read(p, "Lines", input)
      .windowInto(fixedWindows(seconds(1)))
      .map("Key", ({ key }) => key)
      .apply(countPerElement())
      .map("Format", ([key, count], { window }) => [start(window), key, count] as const)
      .apply(
        sqlite.write({ file: output, table: "counts", columns: ["window", "key", "count"], row: (row) => [...row] }),
      );
  }),
  prepare(path) {
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE counts (window, key, count)");
    database.close();
  },
  read(path) {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const found = database.prepare("SELECT window, key, count FROM counts").all() as Record<string, unknown>[];
      return found.map(({ window, key, count }) => `${String(window)} ${String(key)} ${String(count)}`);
    } finally {
      database.close();
    }
  },
  check: wordCount.check,
};

/** Early panes come with every few elements, so which there are depends on the run; what they add up to does not. */
const panes: Case = {
  program: programOf("panes", (p, { input, output }) => {
    read(p, "Lines", input)
      .windowInto(slidingWindows({ size: seconds(2), every: seconds(1) }), {
        trigger: afterWatermark({ early: afterCount(7), late: afterCount(1) }),
        accumulation: "accumulating",
        allowedLateness: seconds(5),
      })
      .map("Key", ({ key }) => key)
      .apply(countPerElement())
      .map("Format", ([key, n], { window, pane }) => `${start(window)} ${key} ${pane.index} ${pane.timing} ${n}`)
      .apply(text.write(output));
  }),
  check(input, output) {
    const inWindows = input.flatMap(({ time, key }) => {
      const last = Math.floor(time / 1000) * 1000;
      return [`${last} ${key}`, `${last - 1000} ${key}`];
    });
    const expected = tally(inWindows, (name) => name);
    const found = tally(output, (line) => line.split(" ").slice(0, 2).join(" "));
    mustEqual([...expected.keys()], [...found.keys()]);
    for (const [name, lines] of found) {
      const all = lines
        .map((line) => line.split(" "))
        .map(([, , index, timing, count]) => ({ index: Number(index), timing, count: Number(count) }))
        .toSorted((a, b) => a.index - b.index);
      all.forEach(({ index, count }, i) => {
        if (index !== i) throw new Error(`the panes of ${name} are ${all.map((pane) => pane.index).join(", ")}`);
        if (count < (all[i - 1]?.count ?? 0)) throw new Error(`pane ${i} of ${name} counts less than the one before`);
      });
      if (all.filter(({ timing }) => timing === "ON_TIME").length !== 1) throw new Error(`on-time panes of ${name}`);
      const last = all.at(-1)?.count;
      if (last !== expected.get(name)?.length) throw new Error(`${name}: ${last}, not ${expected.get(name)?.length}`);
    }
  },
};

/** What each key has spent in a window, told by a timer that every payment moves, at the window's end at the latest. */
const fraud: Case = {
  program: programOf("fraud", (p, { input, output }) => {
    read(p, "Lines", input)
      .windowInto(fixedWindows(seconds(5)))
      .apply(
        "Keyed",
        withKeys(({ key }: Line) => key),
      )
      .parDo("Watch", {
        state: { sum: valueState<number>(), count: valueState<number>(), latest: valueState<number>() },
        timers: { quiet: eventTimer() },
        process([, { value, time }]: KV<string, Line>, { state: { sum, count, latest }, timers: { quiet }, window }) {
          sum.write((sum.read() ?? 0) + value);
          count.write((count.read() ?? 0) + 1);
          const last = Math.max(latest.read() ?? 0, time);
          latest.write(last);
          quiet.set(Math.min(window.maxTimestamp, last + 5000));
        },
        onTimer: {
          quiet: ({ state: { sum, count }, key, window }) => [`${start(window)} ${key} ${count.read()} ${sum.read()}`],
        },
      })
      .apply(text.write(output, { append: true }));
  }),
  check(input, output) {
    const windows = tally(input, ({ time, key }) => `${Math.floor(time / 5000) * 5000} ${key}`);
    mustEqual(
      [...windows].map(
        ([name, lines]) => `${name} ${lines.length} ${lines.reduce((sum, { value }) => sum + value, 0)}`,
      ),
      output,
    );
  },
};

const GAP = 40;

const sessionCounts: Case = {
  program: programOf("sessions", (p, { input, output }) => {
    read(p, "Lines", input)
      .windowInto(sessions(GAP))
      .map("Key", ({ key }) => key)
      .apply(countPerElement())
      .map("Format", ([key, count], { window }) => `${start(window)} ${key} ${count}`)
      .apply(text.write(output));
  }),
  check(input, output) {
    const expected: string[] = [];
    for (const [key, lines] of tally(input, (line) => line.key)) {
      const times = lines.map(({ time }) => time).toSorted((a, b) => a - b);
      let [begin, end, count] = [times[0] as number, -Infinity, 0];
      for (const time of times) {
        if (count > 0 && time >= end) {
          expected.push(`${begin} ${key} ${count}`);
          [begin, count] = [time, 0];
        }
        end = time + GAP;
        count++;
      }
      expected.push(`${begin} ${key} ${count}`);
    }
    mustEqual(expected, output);
  },
};

const join: Case = {
  program: programOf("join", (p, { input, output }) => {
    const pairs = (name: string, isLeft: boolean): PCollection<KV<string, number>> =>
      read(p, name, input)
        .windowInto(`${name}Windows`, fixedWindows(seconds(1)))
        .filter(`${name}Half`, ({ value }) => (value % 2 === 0) === isLeft)
        .map(`${name}Pairs`, ({ key, value }): KV<string, number> => [key, value]);
    coGroupByKey({ left: pairs("Left", true), right: pairs("Right", false) })
      .map("Format", ([key, { left, right }], { window }) => {
        const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
        return `${start(window)} ${key} ${sum(left)} ${sum(right)}`;
      })
      .apply(text.write(output, { append: true }));
  }),
  check(input, output) {
    const windows = tally(input, ({ time, key }) => `${Math.floor(time / 1000) * 1000} ${key}`);
    const sum = (lines: readonly Line[], rest: number): number =>
      lines.filter(({ value }) => value % 2 === rest).reduce((a, { value }) => a + value, 0);
    mustEqual(
      [...windows].map(([name, lines]) => `${name} ${sum(lines, 0)} ${sum(lines, 1)}`),
      output,
    );
  },
};

const calls: Case = {
  program: programOf("calls", (p, { input, output }) => {
    read(p, "Lines", input)
      .filter("Some", ({ value }) => value % 5 === 0)
      .map(
        "Ask",
        async ({ time, key, value }) => {
          await wait((time * 7) % 13);
          return `${time} ${key} ${value}`;
        },
        { concurrency: 64 },
      )
      .apply(text.write(output));
  }),
  check(input, output) {
    mustEqual(
      input.filter(({ value }) => value % 5 === 0).map(({ time, key, value }) => `${time} ${key} ${value}`),
      output,
    );
  },
};

export const CASES: Readonly<Record<string, Case>> = {
  "word-count": wordCount,
  panes,
  fraud,
  sessions: sessionCounts,
  join,
  calls,
  rows,
};
