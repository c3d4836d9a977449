/** The lab as a reader runs it, and its proof against logs that are wrong. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "tidemark";
import { writeTweets } from "../live-trending/generator.ts";
import program from "./program.ts";
import { prove } from "./proof.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-lab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("killed twice, each pane is in the log once, with the counts of the tweets", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--conditions=tidemark-source",
    MAIN,
    "--kills",
    "2",
    "--seconds",
    "5",
  ]);
  expect(stdout).toMatch(
    /killed 2 times; \d+ panes of \d+ windows, each once, and every count is that of the tweets\n$/,
  );
}, 60_000);

test("the proof finds a pane that is missing, one that is there twice, and a count that is wrong", async () => {
  const [input, output] = [join(folder, "tweets.ndjson"), join(folder, "panes.ndjson")];
  writeTweets(input, { seed: 1, durationMs: 90_000, perSecond: 20, startMs: Date.UTC(2026, 0, 1), lateFraction: 0 });
  await run(program, { input, output, speed: 1000 }).wait();
  expect(prove(input, output).problems).toEqual([]);

  const lines = readFileSync(output, "utf8").split("\n").slice(0, -1);
  const onTime = lines.findIndex((line) => line.includes("ON_TIME"));
  const problemsOf = (changed: readonly string[]): readonly string[] => {
    writeFileSync(output, changed.map((line) => `${line}\n`).join(""));
    return prove(input, output).problems;
  };
  expect(problemsOf(lines.toSpliced(onTime, 1)).join()).toMatch(/0 on-time panes/);
  expect(problemsOf([...lines, lines[onTime] as string]).join()).toMatch(/there twice.*2 on-time panes/);
  const wrong = (lines[onTime] as string).replace(/(\[\["[^"]+",)\d+/, "$17");
  expect(problemsOf(lines.with(onTime, wrong)).join()).toMatch(/7 times in place of/);
});
