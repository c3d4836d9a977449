/**
 * npm run kill-me: trending hashtags in a process that is killed again and again, and the proof that nothing was lost.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/base/random.ts";
import { writeTweets } from "../live-trending/generator.ts";
import { prove } from "./proof.ts";

const HELP = `Trending hashtags in a process that is killed (SIGKILL) while it works, and started again with the same checkpoints.

  npm run kill-me -- [options]

  --kills N     how often it is killed, at random moments (default 4)
  --by-hand     nobody kills it but you: it says its process id; kill -9 that as often as you like
  --seconds N   how long the replay takes (default 12)
  --seed N      another run of tweets, and other moments (default 1)
  --help        this text

At the end the log of panes is compared with what the tweets say: each pane once, each window on time once, each count exact.
`;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "4" },
    "by-hand": { type: "boolean", default: false },
    seconds: { type: "string", default: "12" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const numbers = [values.kills, values.seconds, values.seed].map(Number);
const [kills = 0, seconds = 0, seed = 0] = numbers;
if (numbers.some((n) => !Number.isSafeInteger(n) || n < 0) || seconds === 0) {
  process.stderr.write("--kills, --seconds and --seed are whole numbers\nSee npm run kill-me -- --help\n");
  process.exit(2);
}

const SPEED = 12;
const folder = mkdtempSync(join(tmpdir(), "tidemark-kill-me-"));
const [input, output] = ["tweets.ndjson", "panes.ndjson"].map((name) => join(folder, name)) as [string, string];
// None so late that it would be dropped: how many are depends on the machine's pace, and the proof is about all of them.
const total = writeTweets(input, {
  seed,
  durationMs: seconds * SPEED * 1000,
  perSecond: 100,
  startMs: Date.UTC(2026, 0, 1, 12),
  lateFraction: 0,
});
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
say(
  `${total} tweets, replayed ${SPEED} times as fast as they arrived; a checkpoint each half second in ${folder}/checkpoints`,
);

const COMMAND = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PROGRAM = fileURLToPath(new URL("program.ts", import.meta.url));

/** Runs the program until it ends or is killed. @param killAfterMs never where undefined */
async function start(killAfterMs: number | undefined): Promise<"done" | "killed"> {
  const job = ["run", PROGRAM, "--input", input, "--output", output, "--speed", String(SPEED)];
  const durable = ["--checkpoint-dir", join(folder, "checkpoints"), "--checkpoint-every", "500"];
  const child = spawn(process.execPath, ["--conditions=tidemark-source", COMMAND, ...job, ...durable], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise<"done" | "killed">((resolve, reject) => {
    child.once("exit", (code, signal) => {
      if (signal === "SIGKILL") resolve("killed");
      else if (code === 0) resolve("done");
      else reject(new Error(`the program ended with ${signal ?? code}`));
    });
  });
  say(`started as process ${child.pid}${values["by-hand"] ? `: kill -9 ${child.pid}` : ""}`);
  if (killAfterMs !== undefined && (await Promise.race([ended, wait(killAfterMs)])) === undefined)
    child.kill("SIGKILL");
  return ended;
}

const random = seededRandom(seed);
let killed = 0;
const between = (seconds * 1000) / (kills + 1);
while (
  (await start(values["by-hand"] || killed >= kills ? undefined : 800 + between * (0.5 + random.next() / 2))) ===
  "killed"
)
  say(`killed (${++killed})`);
const { windows, panes, problems } = prove(input, output);
for (const problem of problems.slice(0, 10)) say(`WRONG: ${problem}`);
say(
  problems.length === 0
    ? `killed ${killed} times; ${panes} panes of ${windows} windows, each once, and every count is that of the tweets`
    : `killed ${killed} times; ${problems.length} problems`,
);
rmSync(folder, { recursive: true });
process.exitCode = problems.length === 0 ? 0 : 1;
