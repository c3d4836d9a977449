/**
 * npm start: trending hashtags over a live, replayed stream of generated tweets.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  describeExplanation,
  type JobMetrics,
  MIN_TIMESTAMP,
  minutes,
  pipeline,
  type Program,
  run,
  seconds,
} from "tidemark";
import { onAsked } from "../../src/cli/ask.ts";
import { HELP, readArguments } from "./arguments.ts";
import { Board, boardSink } from "./board.ts";
import { writeTweets } from "./generator.ts";
import { replay } from "./replay.ts";
import { BY_EVENT_TIME, trending } from "./trending.ts";
import { type Model, type PaneShown, renderCounts, renderLine, renderProgress, TerminalView } from "./view.ts";

const args = (() => {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nSee npm start -- --help\n`);
    return process.exit(2);
  }
})();
if (args.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const live = process.stdout.isTTY && !args.plain;
const folder = mkdtempSync(join(tmpdir(), "tidemark-"));
const file = args.input ?? join(folder, "tweets.ndjson");
const startMs = Date.UTC(2026, 0, 1, 12);
const total =
  args.input === undefined
    ? writeTweets(file, {
        seed: args.seed,
        durationMs: seconds(args.seconds * args.speed),
        perSecond: args.rate,
        startMs,
      })
    : 0;

const board = new Board();
let latest = MIN_TIMESTAMP;
/** The newest early pane: there are too many for a line each. */
let early: PaneShown | undefined;
const program = pipeline({
  name: "live-trending",
  build(p) {
    const tweets = p.read("Tweets", replay(file, { speed: args.speed }), { timestamps: BY_EVENT_TIME });
    const seen = tweets.filter("See", (tweet) => {
      if (tweet.eventTimeMs > latest) latest = tweet.eventTimeMs;
      return true;
    });
    const { top, late } = trending(seen, { size: minutes(1), every: seconds(args.every), top: args.top });
    const onPane = (pane: PaneShown): void => {
      if (pane.timing === "EARLY") early = pane;
      else if (!live) process.stdout.write(`${renderLine(pane)}\n`);
    };
    top.write("Board", boardSink(board, onPane));
    late
      .map("Count late", () => {
        board.dropped++;
        return null;
      })
      .write("Late", {
        name: "late",
        open: () => ({ write() {}, seal: () => [], commit: async () => {}, lastCommitted: async () => 0, close() {} }),
      });
  },
}) as Program;

const startedAt = performance.now();
let firstPaneAfter: number | undefined;
const job = run(program);
const view = live ? new TerminalView(process.stdout, process.env["NO_COLOR"] === undefined) : undefined;

/** How far event time has come where tweets are read. */
function watermarkOf({ steps }: JobMetrics): number {
  return steps[0]?.watermark ?? MIN_TIMESTAMP;
}

function model(): Model {
  const metrics = job.metrics();
  const elapsed = (performance.now() - startedAt) / 1000;
  const { now, before, closed, panes, dropped } = board;
  if (now !== undefined) firstPaneAfter ??= performance.now() - startedAt;
  return {
    now,
    before,
    closed,
    panes,
    dropped,
    watermark: watermarkOf(metrics),
    latest,
    read: metrics.elementsRead,
    total,
    perSecond: metrics.elementsRead / elapsed,
  };
}

// A signal that ends the process leaves neither a hidden cursor nor the folder behind.
for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    view?.stop();
    rmSync(folder, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}

// Whoever read our lines has gone (`npm start | head`): nobody is left to show anything to.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

/** What the windows that are open wait for, in words. */
function explain(): string {
  return describeExplanation(job.explain({ step: "Top" })) || "no window is open";
}

const stopAsking = onAsked(() => {
  if (view === undefined) process.stdout.write(`${explain()}\n`);
  else view.print(`\n${explain()}\n`);
}, live);

let statusAt = 0;
const ticker = setInterval(() => {
  const current = model();
  if (view !== undefined) view.draw(current);
  else if (performance.now() - statusAt > 2000) {
    statusAt = performance.now();
    if (early !== undefined) process.stdout.write(`${renderLine(early)}\n`);
    process.stdout.write(`${renderProgress(current)}\n`);
  }
}, 150);

let stopping = false;
process.on("SIGINT", () => {
  if (stopping) {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  }
  stopping = true;
  board.stop(watermarkOf(job.metrics()));
  void job.drain().catch(() => {});
});

let failure: string | undefined;
try {
  await job.wait();
} catch (error) {
  failure = error instanceof Error ? error.message : String(error);
} finally {
  clearInterval(ticker);
  stopAsking();
  if (failure === undefined) view?.draw(model());
  view?.stop();
  rmSync(folder, { recursive: true, force: true });
}
if (failure !== undefined) {
  process.stderr.write(`${failure}\n`);
  process.exit(1);
}

const end = model();
const leaders = board.leaders(5).map(([tag, count]) => `${tag} ${count}`);
process.stdout.write(
  [
    "",
    `${end.read} tweets in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, first pane after ${((firstPaneAfter ?? 0) / 1000).toFixed(1)} s`,
    renderCounts(board),
    `windows led: ${leaders.length === 0 ? "none" : leaders.join(", ")}`,
    "",
  ].join("\n"),
);
process.exit(0);
