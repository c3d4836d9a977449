/**
 * node --max-semi-space-size=16 bench/many-keys.ts FOLDER KEYS UPDATES [MEMORY_MIB] [RATE]
 * A count and a timer for each of KEYS keys, then UPDATES of keys at random, RATE each second (else as fast as it goes), with a
 * checkpoint each second in FOLDER; then it kills itself. Started again with the same folder it goes on where it was. Prints one
 * line of JSON: how long after the start the first element was handled, and with a rate, how long after its time each one was.
 */
import { writeSync } from "node:fs";
import {
  eventTime,
  eventTimer,
  type KV,
  type Pipeline,
  pipeline,
  type Program,
  run,
  type Source,
  valueState,
} from "tidemark";

const [folder, ...numbersGiven] = process.argv.slice(2) as [string, ...string[]];
const [keys = 0, updates = 0, memoryMiB = 512, rate = 0] = numbersGiven.map(Number);
const last = keys + updates;

/** Each key once, then any of them, the same ones in each run. */
function keyAt(n: number): number {
  return n < keys ? n : (Math.imul(n, 0x9e3779b1) >>> 0) % keys;
}

const figures = { firstMs: 0, from: 0, loadedMs: 0, seconds: 0, updatesPerSecond: 0, p99Ms: 0, maxMs: 0, maxRssMiB: 0 };
let handled = 0;
/** When updates began, and with which. */
let since = 0;
let firstUpdate = 0;
const late = new Float64Array(rate > 0 ? updates : 0);
let lateCount = 0;

const numbers: Source<number, string, number> = {
  name: "numbers",
  bounded: false,
  splits: () => ["all"],
  open(_, position = 0) {
    let next = position;
    figures.from = position;
    const due = (): number =>
      rate === 0 || next < keys || since === 0
        ? last
        : Math.min(last, firstUpdate + Math.floor(((performance.now() - since) / 1000) * rate));
    return {
      poll(max, into) {
        const end = Math.min(next + max, due(), next < keys ? keys : last);
        while (next < end) into.add(next++);
        return next < due() ? "more" : "idle";
      },
      ready: () => new Promise((resolve) => setTimeout(resolve, 1)),
      position: () => next,
      close: () => {},
    };
  },
};

const program = pipeline({
  name: "many-keys",
  build(p: Pipeline) {
    p.read("Numbers", numbers, { timestamps: eventTime((n: number) => n) })
      .map("ByKey", (n): KV<number, number> => [keyAt(n), n])
      .parDo("Count", {
        state: { count: valueState<number>() },
        timers: { quiet: eventTimer() },
        process([, n], { state: { count }, timers: { quiet } }) {
          if (handled++ === 0) figures.firstMs = performance.now();
          if (n >= keys) look(n);
          count.write((count.read() ?? 0) + 1);
          quiet.set(n + 1e12);
        },
        onTimer: { quiet: () => [] },
      });
  },
}) as Program;

function look(n: number): void {
  if (since === 0) {
    since = performance.now();
    firstUpdate = n;
    figures.loadedMs = since;
  }
  if (rate > 0) late[lateCount++] = performance.now() - since - ((n - firstUpdate) / rate) * 1000;
}

const watch = setInterval(() => {
  figures.maxRssMiB = Math.max(figures.maxRssMiB, Math.round(process.memoryUsage.rss() / 2 ** 20));
}, 100);
const job = run(program, {}, { checkpoint: { dir: folder, stateMemory: memoryMiB * 2 ** 20 }, onWarning: () => {} });
while (figures.from + handled < last && job.state !== "failed") await new Promise((resolve) => setTimeout(resolve, 5));
clearInterval(watch);
if (job.state === "failed") await job.wait();
figures.seconds = (performance.now() - since) / 1000;
figures.updatesPerSecond = Math.round((last - firstUpdate) / figures.seconds);
const sorted = late.subarray(0, lateCount).sort();
figures.p99Ms = sorted[Math.floor(lateCount * 0.99)] ?? 0;
figures.maxMs = sorted.at(-1) ?? 0;
const rounded = Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]);
writeSync(1, `${JSON.stringify(Object.fromEntries(rounded))}\n`);
process.kill(process.pid, "SIGKILL");
