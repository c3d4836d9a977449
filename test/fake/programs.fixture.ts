/** Programs that run on two hosts: each by its name, writing lines of JSON to a file. Times and order of data are fixed. */
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import {
  afterCount,
  bagState,
  combiningState,
  eventTimer,
  eventTimerFamily,
  fixedWindows,
  GLOBAL_WINDOW,
  globalWindows,
  type KV,
  mapState,
  MAX_TIMESTAMP,
  meanFn,
  orderedListState,
  output,
  type PCollection,
  type Pipeline,
  pipeline,
  processingTimer,
  repeatedly,
  seconds,
  setState,
  sessions,
  slidingWindows,
  sumFn,
  text,
  topPerWindow,
  valueState,
  windowInto,
} from "tidemark";
import { at } from "tidemark/testing";
import { z } from "zod";
import { buildWorkload, WORKLOADS } from "../../bench/programs.ts";

const options = z.object({
  name: z.string(),
  output: z.string(),
  /** Of the benchmark workloads. */
  input: z.string().default(""),
});

type Options = z.output<typeof options>;
type Pair = KV<string, number>;

/** 60 pairs of three keys, a second apart, some out of order; in bundles of six, with a watermark after each. */
function pairs(p: Pipeline): PCollection<Pair> {
  const elements = Array.from({ length: 60 }, (_, i) =>
    at<Pair>(1000 * (i % 7 === 0 ? Math.max(0, i - 3) : i), [`k${i % 3}`, i]),
  );
  const events: Parameters<typeof p.readTestStream<Pair>>[1][number][] = [];
  for (let i = 0; i < elements.length; i += 6) {
    events.push({ kind: "elements", elements: elements.slice(i, i + 6) });
    events.push({ kind: "watermark", to: 1000 * Math.max(0, i + 2) });
  }
  events.push({ kind: "watermark", to: MAX_TIMESTAMP });
  return p.readTestStream<Pair>("Pairs", events, { bounded: true });
}

const BUILDERS: Readonly<Record<string, (p: Pipeline, options: Options) => PCollection<unknown>>> = {
  combines: (p) =>
    pairs(p)
      .apply(windowInto(fixedWindows(seconds(10))))
      .combinePerKey("Mean", meanFn()),
  "sliding sums": (p) =>
    pairs(p)
      .apply(windowInto(slidingWindows({ size: seconds(10), every: seconds(5) })))
      .combinePerKey("Sum", sumFn()),
  "counted panes": (p) =>
    pairs(p)
      .apply(
        windowInto(fixedWindows(seconds(20)), { trigger: repeatedly(afterCount(1)), accumulation: "accumulating" }),
      )
      .combinePerKey("Sum", sumFn())
      .map(([key]) => key),
  sessions: (p) =>
    pairs(p)
      .filter(([, n]) => n % 20 < 12)
      .apply(windowInto(sessions(seconds(4))))
      .combinePerKey("Sum", sumFn()),
  top: (p) =>
    pairs(p)
      .apply(windowInto(fixedWindows(seconds(15))))
      .apply(topPerWindow(3)),
  "grouped twice": (p) =>
    pairs(p)
      .apply(windowInto(fixedWindows(seconds(10))))
      .groupByKey()
      .groupByKey()
      .map(([key, lists]) => [key, [...lists].map((list) => [...list].sort((a, b) => a - b))]),
  "every cell": (p) =>
    pairs(p)
      .apply(windowInto(fixedWindows(seconds(30))))
      .parDo("Cells", {
        state: {
          last: valueState<number>(),
          bag: bagState<number>(),
          sum: combiningState(sumFn()),
          seen: setState<number>(),
          counts: mapState<string, number>(),
          list: orderedListState<number>({ ttl: seconds(1000) }),
        },
        outputs: { main: output<unknown>() },
        process([key, n], { state, output, timestamp }) {
          const before = state.last.read() ?? -1;
          state.last.write(n);
          if (n % 10 === 9) state.bag.clear();
          state.bag.add(n);
          state.sum.add(n);
          const isNew = state.seen.add(n % 4);
          const name = n % 2 === 0 ? "even" : "odd";
          state.counts.put(name, (state.counts.get(name) ?? 0) + 1);
          state.list.add(n, timestamp);
          state.list.clearRange(0, timestamp - seconds(8));
          output([key, before, [...state.bag.read()], state.sum.read(), isNew, [...state.counts.entries()]]);
          output([key, state.list.read().map(({ value }) => value)]);
        },
        onWindowExpiration: ({ key, state }) => [[key, "end", state.sum.read(), state.list.size]],
      }),
  timers: (p) =>
    pairs(p)
      .apply(windowInto(fixedWindows(seconds(60))))
      .parDo("Timers", {
        state: { fired: valueState<number>() },
        timers: { tick: eventTimer(), tagged: eventTimerFamily() },
        outputs: { main: output<unknown>() },
        process([, n], { timers, timestamp }) {
          if (n < 3) timers.tick.set(timestamp + 500);
          if (n % 9 === 0) timers.tagged.set(`t${n % 4}`, timestamp + seconds(2));
          if (n % 27 === 0) timers.tagged.clear("t0");
        },
        onTimer: {
          tick({ key, state, timers, firedAt, output }) {
            const fired = (state.fired.read() ?? 0) + 1;
            state.fired.write(fired);
            output([key, "tick", fired, firedAt]);
            if (fired < 5) timers.tick.set(firedAt + seconds(1));
            if (fired === 3) timers.tagged.set("from tick", firedAt + 1);
          },
          tagged: ({ key, tag, firedAt, state }) => [[key, tag, firedAt, state.fired.read() ?? 0]],
        },
      }),
  "machine time": (p) =>
    pairs(p).parDo("Later", {
      state: { count: valueState<number>() },
      timers: { later: processingTimer() },
      outputs: { main: output<unknown>() },
      process(_, { state, timers }) {
        state.count.write((state.count.read() ?? 0) + 1);
        timers.later.setAfter(1);
      },
      onTimer: { later: ({ key, state }) => [[key, state.count.read()]] },
    }),
  "side inputs": (p) => {
    const main = pairs(p).apply("Main", windowInto(fixedWindows(seconds(10))));
    const sums = main.combinePerKey("Sum", sumFn()).asMap("Sums");
    const all = main.map(([, n]) => n).asList("All");
    const limit = p.create("Limit", [30]).asSingleton("Limit value");
    return main.map(
      "Look",
      ([key, n], { sideInputs }) => [key, n, sideInputs.sums.get(key), sideInputs.all.length, n < sideInputs.limit],
      { sideInputs: { sums, all, limit } },
    );
  },
  "combines that look up": (p) => {
    const main = pairs(p).apply("Main", windowInto(fixedWindows(seconds(10))));
    const counts = main.map("Values", ([, n]) => n).asList("All");
    return main.combinePerKey("Share", (values, { counts: all }) => Math.max(...values) + 1000 * all.length, {
      sideInputs: { counts },
    });
  },
  "grouped and looked up": (p) => {
    const main = pairs(p).apply("Main", windowInto(fixedWindows(seconds(10))));
    const grouped = main.groupByKey();
    return grouped.map(
      "Look",
      ([key], { sideInputs }) => [key, sideInputs.values.get(key), sideInputs.lists.get(key)],
      {
        sideInputs: { values: main.asMultimap("Values"), lists: grouped.asMap("Lists") },
      },
    );
  },
  "late elements": (p) => {
    const script = p.readTestStream<Pair>("Script", [
      { kind: "elements", elements: [at(1000, ["a", 1])] },
      { kind: "watermark", to: 20_000 },
      { kind: "elements", elements: [at(2000, ["a", 2]), at(25_000, ["a", 3])] },
      { kind: "watermark", to: MAX_TIMESTAMP },
    ]);
    const windowed = script.apply("Main", windowInto(fixedWindows(seconds(10))));
    const sums = windowed.combinePerKey("Sum", sumFn());
    const counted = windowed.parDo("Count", {
      state: { count: valueState<number>() },
      outputs: { main: output<unknown>() },
      process([key, n], { state }) {
        state.count.write((state.count.read() ?? 0) + n);
        return [[key, "count", state.count.read()]];
      },
    });
    const late = [sums.late, counted.late].map((each, i) =>
      each.map(`Late ${i}`, ({ element, lateBy, reason }) => [i, element, lateBy, reason]),
    );
    return p.flatten<PCollection<unknown>[]>(
      ...late,
      sums.apply("Sums", windowInto(globalWindows())),
      counted.apply("Counts", windowInto(globalWindows())),
    );
  },
  "async functions": (p) =>
    pairs(p)
      .map("Call", async (pair) => {
        await wait(0);
        return pair;
      })
      .parDo("Keep", {
        state: { sum: combiningState(sumFn()) },
        timers: { end: eventTimer() },
        outputs: { main: output<unknown>() },
        async process([key, n], { state, timers, timestamp, output }) {
          state.sum.add(n);
          timers.end.set(Math.max(timestamp, seconds(100)));
          await wait(0);
          output([key, n]);
        },
        onTimer: {
          async end({ key, state, output }) {
            await wait(0);
            output([key, "sum", state.sum.read()]);
          },
        },
      }),
  "counts of its own": (p) =>
    pairs(p)
      .map("By name", ([key, n], { metrics }) => {
        metrics.counter(key).inc(n);
        return [key, n] as const;
      })
      .parDo("Watch", {
        state: { last: valueState<number>() },
        process([, n], { state, metrics }) {
          metrics.gauge("last").set(n);
          metrics.distribution("step").update(n - (state.last.read() ?? 0));
          state.last.write(n);
          return [n];
        },
      }),
  "failing calls": (p) => {
    let attempts = 0;
    const tried = pairs(p).map(
      "Try",
      async ([key, n]) => {
        attempts++;
        if (n % 10 === 3) throw new Error(`no ${n}`);
        return [key, n, attempts > 0];
      },
      { retry: { attempts: 2, backoff: 0 } },
    );
    const lost = tried
      .deadLetter()
      .map("Given up", ({ element, error, attempts: count }) => [element, error.message, count]);
    return p.flatten<PCollection<unknown>[]>(tried, lost);
  },
  throws: (p) =>
    pairs(p).parDo("Throw", {
      state: { sum: combiningState(sumFn()) },
      outputs: { main: output<unknown>() },
      process([key, n], { state }) {
        state.sum.add(n);
        if (n === 4) throw new Error(`no ${key}`);
      },
    }),
  /** Ends its thread. */
  exits: (p) => pairs(p).map("Exit", () => process.exit(3)),
  "throws in a timer": (p) =>
    pairs(p).map("Later", async () => {
      setTimeout(() => {
        // oxlint-disable-next-line typescript/only-throw-error -- anything can be thrown
        throw null;
      }, 1);
      await new Promise(() => {});
    }),
  /** Never leaves `setup`; says by a file that it is there. */
  "stuck in setup": (p, { input }) =>
    pairs(p).parDo("Stuck", {
      setup() {
        appendFileSync(input, "here");
        for (;;) continue;
      },
      process: () => [],
    }),
  /** Notes what becomes of a DoFn. */
  life: (p, { input }) => {
    const note = (what: string): void => appendFileSync(input, `${what}\n`);
    return pairs(p).parDo("Life", {
      outputs: { main: output<unknown>() },
      setup: () => note("setup"),
      startBundle: () => note("start"),
      process(_, { onBundleFinalized }) {
        note("process");
        onBundleFinalized(() => note("finalized"));
      },
      finishBundle({ output: emit }) {
        note("finish");
        emit("end", 0, GLOBAL_WINDOW);
      },
      teardown: () => note("teardown"),
    });
  },
  /** Spins in its first element until a file is there. */
  busy: (p, { input }) =>
    p
      .create("Numbers", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      .apply("Reshuffle", (numbers) => numbers.reshuffle())
      .map("Spin", (n) => {
        while (!existsSync(input)) continue;
        return n;
      }),
};

export default pipeline(import.meta, {
  name: "hosts",
  options,
  build(p, given) {
    if (WORKLOADS.includes(given.name)) {
      buildWorkload(p, given.name, given.input, given.output);
      return;
    }
    const builder = BUILDERS[given.name] as (p: Pipeline, options: Options) => PCollection<unknown>;
    builder(p, given)
      .map("Line", (value, { timestamp, window, pane }) => JSON.stringify([value, timestamp, window.id, pane.timing]))
      .apply(text.write(given.output));
  },
});
