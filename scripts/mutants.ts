/**
 * npm run mutants
 * Plants ten bugs in copies of src/windowing, one at a time, and runs the comparison of the engine with the reference model
 * on each: it must find every one of them within 2,000 random scenarios, and none in the code as it is.
 *
 * M1 A mutant is a text that stands exactly once in its file, and another in its place: a file that has changed says so.
 * M2 The scenarios come from one seed, printed; the number of runs that a mutant survived is said.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTANTS: readonly Mutant[] = [
  {
    name: "sessions that only touch merge",
    file: "window-fns.ts",
    from: "if (window.start < end) {",
    to: "if (window.start <= end) {",
  },
  {
    name: "the oldest sliding window is left out",
    file: "window-fns.ts",
    from: "age < this.#size;",
    to: "age + this.#period < this.#size || age === into;",
  },
  {
    name: "windows expire a millisecond early",
    file: "strategy.ts",
    from: ": maxTimestamp + allowedLateness;",
    to: ": maxTimestamp + allowedLateness - 1;",
  },
  {
    name: "a pane before the watermark's passing is on time",
    file: "panes.ts",
    from: 'return maxTimestamp < inputWatermark ? "ON_TIME" : "EARLY";',
    to: 'return maxTimestamp <= inputWatermark ? "ON_TIME" : "EARLY";',
  },
  {
    name: "late panes count as on time again",
    file: "panes.ts",
    from: "if (!onlyEarlySoFar || maxTimestamp",
    to: "if (maxTimestamp",
  },
  {
    name: "early panes move the non-speculative index",
    file: "panes.ts",
    from: 'timing === "EARLY" ? -1 : previous.nonSpeculativeIndex + 1',
    to: "previous.nonSpeculativeIndex + 1",
  },
  {
    name: "a count fires one element late",
    file: "trigger-machine.ts",
    from: "return state.count >= this.#count;",
    to: "return state.count > this.#count;",
  },
  {
    name: "merged counts are not summed",
    file: "trigger-machine.ts",
    from: "from.reduce((sum, state) => sum + state.count, 0)",
    to: "(from[0]?.count ?? 0)",
  },
  {
    name: "a repeated trigger is not begun anew",
    file: "trigger-machine.ts",
    from: "if (part.isFinished(inner)) part.reset(inner);",
    to: "if (part.isFinished(inner)) part.clear(inner);",
  },
  {
    name: "the end of a window is reached at its last instant",
    file: "trigger-machine.ts",
    from: "return context.watermark > context.maxTimestamp;",
    to: "return context.watermark >= context.maxTimestamp;",
  },
];

const RUNS = 2000;
/** A comparison takes seconds; a planted bug may loop for ever. */
const COMPARISON_MAX_MS = 120_000;
const SEED = Number(process.env["TIDEMARK_SEED"] ?? 20_261_123);
const root = join(import.meta.dirname, "..");

/** Copies what the comparison needs into `folder`, with `mutant` planted. */
function plant(mutant: Mutant | undefined, folder: string): void {
  for (const name of ["src", "test", "scripts", "package.json"])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  if (mutant === undefined) return;
  const path = join(folder, "src/windowing", mutant.file);
  const text = readFileSync(path, "utf8");
  const times = text.split(mutant.from).length - 1;
  if (times !== 1) throw new Error(`M1 ${mutant.file} has ${times} times, not once: ${mutant.from}`);
  writeFileSync(path, text.replace(mutant.from, mutant.to));
}

/** After how many runs the comparison failed; undefined when it did not. */
function killedAfter(folder: string): number | undefined {
  const args = [
    "--conditions=tidemark-source",
    join(folder, "scripts/compare-with-reference.ts"),
    String(SEED),
    String(RUNS),
  ];
  const { status, error, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: COMPARISON_MAX_MS,
  });
  const verdict = /^failed after (\d+)$/m.exec(stdout);
  if (verdict !== null) return Number(verdict[1]);
  if (status !== 0)
    throw new Error(`the comparison itself failed: ${error?.message ?? `exit code ${status}`}\n${stderr}`);
  return undefined;
}

console.log(`seed ${SEED}, at most ${RUNS} runs each`);
let survivors = 0;
for (const mutant of [undefined, ...MUTANTS]) {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-mutant-"));
  let runs: number | undefined;
  try {
    plant(mutant, folder);
    runs = killedAfter(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const good = mutant === undefined ? runs === undefined : runs !== undefined;
  if (!good) survivors++;
  const verdict = runs === undefined ? `survived ${RUNS} runs` : `killed after ${runs} runs`;
  console.log(`${good ? "ok  " : "FAIL"} ${mutant?.name ?? "the code as it is"}: ${verdict}`);
}
console.log(`${MUTANTS.length + 1 - survivors} passed, ${survivors} failed`);
process.exit(survivors === 0 ? 0 : 1);
