/**
 * npm start: trending hashtags over a live, replayed stream of generated tweets.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  IntervalWindow,
  isTidemarkError,
  MIN_TIMESTAMP,
  minutes,
  pipeline,
  type Program,
  run,
  seconds,
  type Sink,
} from "tidemark";
import { writeTweets } from "./generator.ts";
import { replay } from "./replay.ts";
import { BY_EVENT_TIME, type Top, trending } from "./trending.ts";
import { type Model, type PaneShown, renderLine, TerminalView } from "./view.ts";

const HELP = `Trending hashtags over a live, replayed stream of tweets.

  npm start -- [options]

  --seconds N   how long the replay takes (default 25)
  --speed N     how many times as fast as they arrived the tweets are replayed (default 12)
  --rate N      tweets for each second of their own time (default 100)
  --every N     seconds of event time from one window to the next (default 5)
  --top N       how many tags (default 10)
  --seed N      another run of tweets (default 1)
  --plain       plain lines, as where there is no terminal
  --input FILE  your own tweets as NDJSON: text, eventTimeMs, arrivalMs
  --help        this text

Each tweet has an event time, and arrives out of order. Tags are counted in windows of one minute of event time: EARLY panes
while a window is open (each tag speaks once a second), one ON TIME pane when the watermark passes its end, LATE panes for tweets that come within
30 s after that; what is later still is dropped and counted. The same pipeline over a file, without the view:

  npx tidemark run labs/live-trending/trending.ts --help
`;

/** A whole number from the command line. */
function numberOf(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} ${text}: write a number above 0\n`);
  process.exit(2);
}

const ARGUMENTS = {
  seconds: { type: "string" },
  speed: { type: "string" },
  rate: { type: "string" },
  every: { type: "string" },
  top: { type: "string" },
  seed: { type: "string" },
  input: { type: "string" },
  plain: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

function readArguments(): ReturnType<typeof parseArgs<{ options: typeof ARGUMENTS }>>["values"] {
  try {
    return parseArgs({ options: ARGUMENTS }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nSee npm start -- --help\n`);
    process.exit(2);
  }
}

/** What the panes say so far. */
class Board {
  readonly panes: Record<string, number> = {};
  readonly closed: PaneShown[] = [];
  now: PaneShown | undefined;
  before: ReadonlyMap<string, number> = new Map();
  dropped = 0;

  add(pane: PaneShown): void {
    this.panes[pane.timing] = (this.panes[pane.timing] ?? 0) + 1;
    if (pane.timing === "ON_TIME") this.closed.push(pane);
    // The open window that ends soonest has the most to say: the others are still filling.
    const current = this.now;
    const over = current !== undefined && current.timing !== "EARLY";
    if (current === undefined || pane.end === current.end || (over && pane.end > current.end)) {
      if (current !== undefined && pane.end !== current.end)
        this.before = new Map(current.top.map(([tag], rank) => [tag, rank]));
      this.now = pane;
    }
  }
}

function boardSink(board: Board, onPane: (pane: PaneShown) => void): Sink<Top> {
  return {
    name: "board",
    open: () => ({
      write(top, { windows: [window], pane }) {
        if (!(window instanceof IntervalWindow)) return;
        const shown = { start: window.start, end: window.end, timing: pane.timing, index: pane.index, top };
        board.add(shown);
        onPane(shown);
      },
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}

const args = readArguments();
if (args.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const live = process.stdout.isTTY && args.plain !== true;
const speed = numberOf("speed", args.speed, 12);
const length = numberOf("seconds", args.seconds, 25);
const folder = mkdtempSync(join(tmpdir(), "tidemark-"));
const file = args.input ?? join(folder, "tweets.ndjson");
const startMs = Date.UTC(2026, 0, 1, 12);
const total =
  args.input === undefined
    ? writeTweets(file, {
        seed: numberOf("seed", args.seed, 1),
        durationMs: seconds(length * speed),
        perSecond: numberOf("rate", args.rate, 100),
        startMs,
      })
    : 0;

const board = new Board();
let latest = MIN_TIMESTAMP;
const program = pipeline({
  name: "live-trending",
  build(p) {
    const tweets = p.read("Tweets", replay(file, { speed }), { timestamps: BY_EVENT_TIME });
    const seen = tweets.filter("See", (tweet) => {
      if (tweet.eventTimeMs > latest) latest = tweet.eventTimeMs;
      return true;
    });
    const every = seconds(numberOf("every", args.every, 5));
    const { top, late } = trending(seen, { size: minutes(1), every, top: numberOf("top", args.top, 10) });
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

function model(): Model {
  const metrics = job.metrics();
  const elapsed = (performance.now() - startedAt) / 1000;
  const { now, before, closed, panes, dropped } = board;
  if (now !== undefined) firstPaneAfter ??= performance.now() - startedAt;
  const watermark = metrics.steps[0]?.watermark ?? MIN_TIMESTAMP;
  return {
    now,
    before,
    closed,
    panes,
    dropped,
    watermark,
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
  void job.drain().catch(() => {});
});

let failed = false;
try {
  await job.wait();
} catch (error) {
  failed = true;
  process.stderr.write(`${isTidemarkError(error) ? error.message : String(error)}\n`);
} finally {
  clearInterval(ticker);
  view?.draw(model());
  view?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const end = model();
const wins = new Map<string, number>();
for (const { top } of board.closed) for (const [tag] of top.slice(0, 1)) wins.set(tag, (wins.get(tag) ?? 0) + 1);
const winners = [...wins].sort(([, a], [, b]) => b - a).slice(0, 5);
process.stdout.write(
  [
    "",
    `${end.read} tweets in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, first pane after ${((firstPaneAfter ?? 0) / 1000).toFixed(1)} s`,
    `panes: ${board.panes["EARLY"] ?? 0} early, ${board.panes["ON_TIME"] ?? 0} on time, ${board.panes["LATE"] ?? 0} late; ${board.dropped} counts dropped, each in a window that was over`,
    `windows led: ${winners.map(([tag, count]) => `${tag} ${count}`).join(", ")}`,
    "",
  ].join("\n"),
);
process.exit(failed ? 1 : 0);
