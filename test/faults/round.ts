/** One round: a program is killed at least three times, started again each time, and its output compared with the oracle's. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom, type Random } from "../../src/base/random.ts";
import { KILLS, type Moment, momentOf, NEVER } from "./moments.ts";
import { CASES, DISORDER, type Line } from "./programs.fixture.ts";

const CHILD = fileURLToPath(new URL("child.fixture.ts", import.meta.url));
const LINES = 30_000;

/** What a process has come to. */
export interface Ended {
  /** Null where it was killed. */
  readonly code: number | null;
  readonly text: string;
}

export interface RoundResult {
  readonly name: string;
  readonly seed: number;
  /** Where each kill fell. */
  readonly kills: readonly string[];
}

export function inputOf(random: Random, lines = LINES): Line[] {
  let latest = 0;
  return Array.from({ length: lines }, () => {
    latest += random.int(3);
    return { time: Math.max(0, latest - random.int(DISORDER)), key: `k${random.int(30)}`, value: random.int(1000) };
  });
}

export function writeInput(folder: string, input: readonly Line[]): void {
  writeFileSync(join(folder, "input.txt"), input.map(({ time, key, value }) => `${time} ${key} ${value}\n`).join(""));
}

/** Runs a program in a process of its own. */
export function runChild(
  name: string,
  folder: string,
  moment: Moment,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const args = ["--conditions=tidemark-source", CHILD, name, folder, JSON.stringify(moment)];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env: { ...process.env, ...env } }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, text: stdout + stderr }),
    );
  });
}

/** @throws where the output is not what the oracle says */
export function checkOutput(name: string, folder: string, input: readonly Line[]): void {
  const path = join(folder, "output.txt");
  const { read, check } = CASES[name] as (typeof CASES)[string];
  check(input, read?.(path) ?? readFileSync(path, "utf8").split("\n").slice(0, -1));
}

/** @throws where the output is not what the oracle says, with the round's name and seed */
export async function playRound(seed: number, broken?: Moment["broken"]): Promise<RoundResult> {
  const random = seededRandom(seed);
  const names = Object.keys(CASES);
  const name = names[seed % names.length] as string;
  const folder = mkdtempSync(join(tmpdir(), "tidemark-faults-"));
  const input = inputOf(random);
  writeInput(folder, input);
  CASES[name]?.prepare?.(join(folder, "output.txt"));
  try {
    for (let n = 0; n <= KILLS; n++) {
      const { code, text } = await runChild(name, folder, { ...momentOf(random, n), broken });
      if (code !== null && code !== 0) throw new Error(text);
    }
    const { code, text } = await runChild(name, folder, { ...NEVER, broken });
    if (code !== 0) throw new Error(text);
    checkOutput(name, folder, input);
    const kills = readFileSync(join(folder, "kills.log"), "utf8").split("\n").slice(0, -1);
    if (kills.length < KILLS || !kills.includes("in a commit"))
      throw new Error(`it was killed ${kills.length} times: ${kills.join(", ")}`);
    return { name, seed, kills };
  } catch (error) {
    throw new Error(`round ${seed} (${name}): ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
