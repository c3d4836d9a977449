/**
 * npm run bench -- --checkpoint
 * What a checkpoint each second costs: w2 and w4 with and plain, in turn, by the clock on the wall (the writing thread runs beside
 * the engine), and the latencies of l1 with them.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "./generate.ts";
import { median, sortedLines } from "./outputs.ts";

const EVENTS = 2_000_000;
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-"));

/** Seconds by the clock. */
function measure(args: readonly string[]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--max-semi-space-size=16", join(import.meta.dirname, "main.ts"), ...args],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - began) / 1000;
}

for (const workload of ["w2", "w4"]) {
  const data = join(folder, workload);
  generate(workload, EVENTS, `${data}.ndjson`);
  const [plain, durable] = [join(folder, "without"), join(folder, "with")];
  const pairs = Array.from({ length: ROUNDS }, (): [number, number] => [
    measure([workload, data, plain]),
    measure(["--checkpoint", workload, data, durable]),
  ]);
  const equal = sortedLines(plain) === sortedLines(durable);
  const share = median(pairs.map(([a, b]) => a / b)).toFixed(2);
  const seconds = (i: 0 | 1): string => median(pairs.map((pair) => pair[i])).toFixed(2);
  process.stdout.write(
    `${workload}: ${seconds(0)} s without, ${seconds(1)} s with checkpoints; share ${share}; output ${equal ? "equal" : "DIFFERENT"}\n`,
  );
  if (!equal) process.exitCode = 1;
}
const file = join(folder, "l1.json");
measure(["--checkpoint", "l1", "10000", "10", file]);
process.stdout.write(`l1: ${readFileSync(file, "utf8")}`);
rmSync(folder, { recursive: true, force: true });
