/**
 * The engine under load for minutes, by hand: `npm run soak [seconds]` (default 60).
 *
 * 1 Memory: a source with a sink at least 100 times slower, through all kinds of steps; RSS stays within 100 MB of idle.
 * 2 Timers: 1e6 keys with a cell and an event-time timer each; all fire, within 60 s.
 * Prints what it measures and a verdict for each; exits with 1 where one does not hold.
 */
import {
  afterCount,
  eventTimer,
  fixedWindows,
  flatten,
  globalWindows,
  type KV,
  repeatedly,
  run,
  type Sink,
  valueState,
} from "tidemark";
import { endless, Feed, feeds, program } from "./kit.ts";

const SECONDS = Number(process.argv[2] ?? 60);
const REPORT_MS = 5000;
const RSS_LIMIT_MB = 100;
const KEYS = 1_000_000;
const KEYS_LIMIT_MS = 60_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const rssMb = (): number => process.memoryUsage().rss / 2 ** 20;

/** Takes 1000 elements, then 10 ms to hand them on: 1e5 a second, where the source could give more than 1e7. */
function slowSink(written: { n: number }): Sink<unknown> {
  return {
    name: "slow",
    open: () => ({
      write: () => ++written.n % 1000 !== 0,
      flush: () => sleep(10),
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}

async function memory(): Promise<boolean> {
  // What the machinery itself takes, once it has run.
  await run(program("warm up", (p) => void p.read(endless({ until: 100_000 })).map((n) => n))).wait();
  const idle = rssMb();
  const source = endless();
  const written = { n: 0 };
  const job = run(
    program("soak", (p) => {
      const numbers = p.read("Fast", source);
      const never = p.read("Stalled", feeds([new Feed<number>()]));
      const late = never.windowInto("Never", globalWindows(), { trigger: repeatedly(afterCount(1)) }).asList();
      flatten([numbers.flatMap((n) => [n, n, n]), never]).write("Flattened", slowSink(written));
      numbers
        .windowInto(fixedWindows(1000))
        .map((n): KV<number, number> => [n % 100, n])
        .groupByKey()
        .write("Grouped", slowSink(written));
      p.read("Waiting", endless())
        .map((n, { sideInputs }) => n + sideInputs.late.length, { sideInputs: { late } })
        .write("Joined", slowSink(written));
    }),
  );
  let most = 0;
  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end) {
    await sleep(Math.min(REPORT_MS, Math.max(1, end - Date.now())));
    const above = rssMb() - idle;
    most = Math.max(most, above);
    const { heapUsed } = process.memoryUsage();
    print(
      `rss ${rssMb().toFixed(0)} MB (${above.toFixed(0)} above idle), ${(heapUsed / 2 ** 20).toFixed(0)} MB of objects, read ${source.handedOut}, written ${written.n}`,
    );
  }
  const { state } = job;
  await job.cancel();
  return verdict(
    "memory",
    state === "running" && most <= RSS_LIMIT_MB,
    `${most.toFixed(0)} MB above idle, of ${RSS_LIMIT_MB}`,
  );
}

async function timers(): Promise<boolean> {
  let fired = 0;
  const startedAt = Date.now();
  const job = run(
    program("keys", (p) => {
      p.read(endless({ until: KEYS }))
        .map((n): KV<number, number> => [n, n])
        .parDo({
          state: { value: valueState<number>() },
          timers: { later: eventTimer() },
          process([, n], { state, timers: { later } }) {
            state.value.write(n);
            later.set(2 * KEYS - n);
          },
          onTimer: { later: ({ key, state }) => void (state.value.read() === key && fired++) },
        });
    }),
  );
  await job.wait();
  const took = Date.now() - startedAt;
  return verdict("timers", fired === KEYS && took <= KEYS_LIMIT_MS, `${fired} of ${KEYS} fired in ${took} ms`);
}

function verdict(what: string, holds: boolean, figures: string): boolean {
  print(`${what}: ${holds ? "holds" : "DOES NOT HOLD"} (${figures})`);
  return holds;
}

const results = [await memory(), await timers()];
process.exitCode = results.every(Boolean) ? 0 : 1;
