/**
 * npm start: trending hashtags over a live, replayed stream of generated tweets.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIN_TIMESTAMP, minutes, pipeline, type Program, run, seconds } from "tidemark";
import { HELP, readArguments } from "./arguments.ts";
import { Board, boardSink, CUT_SHORT } from "./board.ts";
import { writeTweets } from "./generator.ts";
import { replay } from "./replay.ts";
import { BY_EVENT_TIME, trending } from "./trending.ts";
import { type Model, type PaneShown, renderLine, TerminalView } from "./view.ts";

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
      if (!live && pane.timing !== "EARLY") process.stdout.write(`${renderLine(pane)}\n`);
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
function watermark(): number {
  return job.metrics().steps[0]?.watermark ?? MIN_TIMESTAMP;
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
    watermark: watermark(),
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

let statusAt = 0;
const ticker = setInterval(() => {
  const current = model();
  if (view !== undefined) view.draw(current);
  else if (performance.now() - statusAt > 5000) {
    statusAt = performance.now();
    process.stdout.write(
      `${current.read} tweets, ${Math.round(current.perSecond)}/s, ${current.dropped} tag counts dropped as too late\n`,
    );
  }
}, 150);

let stopping = false;
process.on("SIGINT", () => {
  if (stopping) {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  }
  stopping = true;
  board.stop(watermark());
  void job.drain().catch(() => {});
});

let failure: string | undefined;
try {
  await job.wait();
} catch (error) {
  failure = error instanceof Error ? error.message : String(error);
} finally {
  clearInterval(ticker);
  if (failure === undefined) view?.draw(model());
  view?.stop();
  rmSync(folder, { recursive: true, force: true });
}
if (failure !== undefined) {
  process.stderr.write(`${failure}\n`);
  process.exit(1);
}

const end = model();
const { EARLY = 0, ON_TIME = 0, LATE = 0, [CUT_SHORT]: cutShort = 0 } = board.panes;
const leaders = board.leaders(5).map(([tag, count]) => `${tag} ${count}`);
process.stdout.write(
  [
    "",
    `${end.read} tweets in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, first pane after ${((firstPaneAfter ?? 0) / 1000).toFixed(1)} s`,
    `panes: ${EARLY} early, ${ON_TIME} on time, ${LATE} late${cutShort > 0 ? `, ${cutShort} cut short` : ""}; ${board.dropped} counts dropped, each in a window that was over`,
    `windows led: ${leaders.length === 0 ? "none" : leaders.join(", ")}`,
    "",
  ].join("\n"),
);
process.exit(0);
