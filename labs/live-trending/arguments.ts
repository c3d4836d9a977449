/** The demo's command line. */
import { statSync } from "node:fs";
import { parseArgs } from "node:util";

export const HELP: string = `Trending hashtags over a live, replayed stream of tweets.

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
while a window is open (each tag speaks once a second), one ON TIME pane when the watermark passes its end, LATE panes for
tweets that come within 30 s after that; what is later still is dropped and counted. Ctrl-C stops: windows that are open then
are shown as CUT SHORT. The key ? says what the open windows wait for. The same pipeline over a file, without the view:

  npx tidemark run labs/live-trending/trending.ts --help
`;

export interface DemoArguments {
  readonly seconds: number;
  readonly speed: number;
  readonly rate: number;
  readonly every: number;
  readonly top: number;
  readonly seed: number;
  readonly plain: boolean;
  readonly help: boolean;
  readonly input: string | undefined;
}

const DEFAULTS = { seconds: 25, speed: 12, rate: 100, every: 5, top: 10, seed: 1 };
type NumberName = keyof typeof DEFAULTS;
const WHOLE: ReadonlySet<string> = new Set<NumberName>(["top", "seed"]);

/** @throws Error whose message says what is wrong and how to write it */
export function readArguments(args: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: joined(args),
    options: {
      seconds: { type: "string" },
      speed: { type: "string" },
      rate: { type: "string" },
      every: { type: "string" },
      top: { type: "string" },
      seed: { type: "string" },
      input: { type: "string" },
      plain: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const number = (name: NumberName): number => {
    const text = values[name];
    if (text === undefined) return DEFAULTS[name];
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isFinite(value) && value > 0 && (!WHOLE.has(name) || Number.isInteger(value))) return value;
    throw new Error(
      `--${name} ${text}: write a ${WHOLE.has(name) ? "whole " : ""}number above 0, as in --${name} ${DEFAULTS[name]}`,
    );
  };
  if (values.input !== undefined) checkFile(values.input);
  return {
    seconds: number("seconds"),
    speed: number("speed"),
    rate: number("rate"),
    every: number("every"),
    top: number("top"),
    seed: number("seed"),
    plain: values.plain === true,
    help: values.help === true,
    input: values.input,
  };
}

/** `--rate -1` is a wrong number, not a missing one. */
function joined(args: readonly string[]): string[] {
  const all: string[] = [];
  for (const arg of args) {
    const last = all.at(-1);
    if (/^-\d/.test(arg) && last?.startsWith("--") === true && !last.includes("="))
      all[all.length - 1] = `${last}=${arg}`;
    else all.push(arg);
  }
  return all;
}

function checkFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`--input ${path}: there is no such file`);
  if (!found.isFile()) throw new Error(`--input ${path}: it is not a file; name one that holds tweets as NDJSON`);
}
