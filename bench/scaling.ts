/**
 * npm run bench:scaling -- [CASE …]
 * How the cost of an element changes with windows, elements, keys, timers and skew: each case in a process of its own, CPU time
 * of the job alone (user and system; start-up is not in it).
 */
import { spawnSync } from "node:child_process";
import {
  afterCount,
  afterWatermark,
  type CombineFn,
  eventTimer,
  fixedWindows,
  hours,
  type KV,
  maxFn,
  type PCollection,
  pipeline,
  run,
  seconds,
  sessions,
  slidingWindows,
  type Source,
  sumFn,
  topFn,
  valueState,
  type WindowFn,
} from "tidemark";

/** `count` pairs made while they are read, a millisecond of event time apart; `key` says whose the i-th is. */
function pairs(count: number, key: (i: number) => number): Source<KV<number, number>> {
  return {
    name: `pairs(${count})`,
    bounded: true,
    splits: () => [0],
    open: () => {
      let index = 0;
      return {
        poll(max, into) {
          const to = Math.min(count, index + max);
          for (; index < to; index++) into.add([key(index), index % 1000], index);
          return index === count ? "end" : "more";
        },
        watermark: () => index,
        ready: () => Promise.resolve(),
        position: () => index,
        close: () => {},
      };
    },
  };
}

type Pairs = PCollection<KV<number, number>>;
interface Figures {
  readonly elements: number;
  /** Panes, or timers that fired. */
  readonly outputs: number;
  readonly cpuSeconds: number;
  readonly rssMB: number;
}

async function measure(
  count: number,
  key: (i: number) => number,
  body: (input: Pairs) => PCollection<unknown>,
): Promise<Figures> {
  let outputs = 0;
  const program = pipeline({
    name: "scaling",
    build: (p) => {
      body(p.read("Pairs", pairs(count, key))).parDo("Count", {
        process() {
          outputs++;
        },
      });
    },
  });
  const before = process.cpuUsage();
  await run(program).wait();
  const { user, system } = process.cpuUsage(before);
  const rssMB = Math.round(process.resourceUsage().maxRSS / 1024);
  return { elements: count, outputs, cpuSeconds: (user + system) / 1e6, rssMB };
}

const HOUR_EACH_SECOND = slidingWindows({ size: hours(1), every: seconds(1) });
const byNumber = (a: number, b: number): number => a - b;
const combineIn =
  (windowFn: WindowFn, fn: CombineFn<number, unknown, unknown>) =>
  (input: Pairs): PCollection<unknown> =>
    input.windowInto(windowFn).combinePerKey(fn);
const inTens = combineIn(fixedWindows(seconds(10)), sumFn());
const modulo = (keys: number) => (i: number) => (i * 7919) % keys;

/** A cell and a timer for each key, which fires when the input is over. */
function timerPerKey(input: Pairs): PCollection<unknown> {
  return input.parDo("Keep", {
    state: { sum: valueState<number>() },
    timers: { end: eventTimer() },
    process([, n], { state, timers }) {
      state.sum.write((state.sum.read() ?? 0) + n);
      timers.end.set(hours(24));
    },
    onTimer: { end: ({ state }) => [state.sum.read()] },
  });
}

const CASES: Readonly<Record<string, () => Promise<Figures>>> = {
  "sum, fixed 1 h": () => measure(1e6, modulo(100), combineIn(fixedWindows(hours(1)), sumFn())),
  "sum, 1 h every 1 s": () => measure(1e6, modulo(100), combineIn(HOUR_EACH_SECOND, sumFn())),
  "max, fixed 1 h": () => measure(1e6, modulo(100), combineIn(fixedWindows(hours(1)), maxFn())),
  "max, 1 h every 1 s": () => measure(1e6, modulo(100), combineIn(HOUR_EACH_SECOND, maxFn())),
  "top 10, fixed 1 h": () => measure(1e6, modulo(100), combineIn(fixedWindows(hours(1)), topFn(10, byNumber))),
  "top 10, 1 h every 1 s": () => measure(1e6, modulo(100), combineIn(HOUR_EACH_SECOND, topFn(10, byNumber))),
  "1e5 elements": () => measure(1e5, modulo(1000), inTens),
  "1e6 elements": () => measure(1e6, modulo(1000), inTens),
  "1e7 elements": () => measure(1e7, modulo(1000), inTens),
  "early panes by count": () =>
    measure(1e6, modulo(1000), (input) =>
      input
        .windowInto(fixedWindows(seconds(10)), { trigger: afterWatermark({ early: afterCount(1000) }) })
        .combinePerKey(sumFn()),
    ),
  "state and timer, 1e3 keys": () => measure(2e6, modulo(1e3), timerPerKey),
  "state and timer, 1e6 keys": () => measure(2e6, modulo(1e6), timerPerKey),
  "1e6 timers": () => measure(1e6, (i) => i, timerPerKey),
  "90 % one key": () => measure(1e6, (i) => (i % 10 === 0 ? (i * 7919) % 1000 : 0), inTens),
  "1e5 merges into one session": () => measure(1e5, () => 0, combineIn(sessions(seconds(10)), sumFn())),
  "1e6 merges into one session": () => measure(1e6, () => 0, combineIn(sessions(seconds(10)), sumFn())),
};

function runAlone(name: string): Figures {
  const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, "--alone", name], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the case "${name}" failed:\n${stderr}`);
  return JSON.parse(stdout) as Figures;
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--alone") {
  process.stdout.write(JSON.stringify(await CASES[rest[0] as string]?.()));
} else {
  const names = first === undefined ? Object.keys(CASES) : [first, ...rest];
  process.stdout.write(
    "| case | elements | outputs | CPU s | ns for an element | peak RSS, MB |\n| - | - | - | - | - | - |\n",
  );
  for (const name of names) {
    if (CASES[name] === undefined) throw new Error(`no case "${name}"; there are: ${Object.keys(CASES).join("; ")}`);
    const { elements, outputs, cpuSeconds, rssMB } = runAlone(name);
    const nanoseconds = Math.round((cpuSeconds / elements) * 1e9);
    process.stdout.write(
      `| ${name} | ${elements} | ${outputs} | ${cpuSeconds.toFixed(2)} | ${nanoseconds} | ${rssMB} |\n`,
    );
  }
}
