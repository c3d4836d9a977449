/**
 * The process in which examples run, one after the other: loads each module in an empty folder of its own.
 * Its argument is the list of modules as JSON; it sends back what went wrong with each.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { reached } from "./kit.fixture.ts";

/** A module to be loaded. */
export interface Task {
  readonly file: string;
  /** What it has to reach, as `path:line`. */
  readonly places: readonly string[];
  /** Milliseconds within which it has to end. */
  readonly limitMs: number;
}

const tasks = JSON.parse(readFileSync(String(process.argv[2]), "utf8")) as readonly Task[];
const folder = mkdtempSync(join(tmpdir(), "tidemark-examples-"));
const problems: (string | null)[] = [];
for (const [index, task] of tasks.entries()) {
  const own = join(folder, String(index));
  mkdirSync(own);
  process.chdir(own);
  problems.push(await problemOf(task));
}
process.chdir(tmpdir());
rmSync(folder, { recursive: true, force: true });
process.send?.(problems);
process.disconnect();

async function problemOf({ file, places, limitMs }: Task): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the example did not end within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([import(pathToFileURL(file).href), late]);
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    // A comparison says its place itself.
    return places.some((place) => error.message.startsWith(place)) ? error.message : `${error.message}${frames(error)}`;
  } finally {
    clearTimeout(timer);
  }
  const missed = places.filter((place) => !reached.has(place));
  return missed.length === 0 ? null : missed.map((place) => `${place}: the comparison was never made`).join("\n");
}

/** Where in the example it happened. */
function frames({ stack = "" }: Error): string {
  const own = stack.split("\n").filter((line) => line.includes(".examples"));
  return own.map((line) => `\n${line}`).join("");
}
