/**
 * npm run mutants
 * Plants bugs in copies of the code, one at a time, and runs on each what is to find it: the comparison of the engine with the
 * reference model for ten in src/windowing, within 2,000 random scenarios; the simulation for those in what makes a job durable,
 * within 10,000 seeds. None may be found in the code as it is.
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
  readonly search: keyof typeof SEARCHES;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MUTANTS: readonly Mutant[] = [
  {
    name: "sessions that only touch merge",
    search: "comparison",
    file: "windowing/window-fns.ts",
    from: "if (window.start < end) {",
    to: "if (window.start <= end) {",
  },
  {
    name: "the oldest sliding window is left out",
    search: "comparison",
    file: "windowing/window-fns.ts",
    from: "age < this.#size;",
    to: "age + this.#period < this.#size || age === into;",
  },
  {
    name: "windows expire a millisecond early",
    search: "comparison",
    file: "windowing/strategy.ts",
    from: ": maxTimestamp + allowedLateness;",
    to: ": maxTimestamp + allowedLateness - 1;",
  },
  {
    name: "a pane before the watermark's passing is on time",
    search: "comparison",
    file: "windowing/panes.ts",
    from: 'return maxTimestamp < inputWatermark ? "ON_TIME" : "EARLY";',
    to: 'return maxTimestamp <= inputWatermark ? "ON_TIME" : "EARLY";',
  },
  {
    name: "late panes count as on time again",
    search: "comparison",
    file: "windowing/panes.ts",
    from: "if (!onlyEarlySoFar || maxTimestamp",
    to: "if (maxTimestamp",
  },
  {
    name: "early panes move the non-speculative index",
    search: "comparison",
    file: "windowing/panes.ts",
    from: 'timing === "EARLY" ? -1 : previous.nonSpeculativeIndex + 1',
    to: "previous.nonSpeculativeIndex + 1",
  },
  {
    name: "a count fires one element late",
    search: "comparison",
    file: "windowing/trigger-machine.ts",
    from: "return state.count >= this.#count;",
    to: "return state.count > this.#count;",
  },
  {
    name: "merged counts are not summed",
    search: "comparison",
    file: "windowing/trigger-machine.ts",
    from: "from.reduce((sum, state) => sum + state.count, 0)",
    to: "(from[0]?.count ?? 0)",
  },
  {
    name: "a repeated trigger is not begun anew",
    search: "comparison",
    file: "windowing/trigger-machine.ts",
    from: "if (part.isFinished(inner)) part.reset(inner);",
    to: "if (part.isFinished(inner)) part.clear(inner);",
  },
  {
    name: "the end of a window is reached at its last instant",
    search: "comparison",
    file: "windowing/trigger-machine.ts",
    from: "return context.watermark > context.maxTimestamp;",
    to: "return context.watermark >= context.maxTimestamp;",
  },
  {
    name: "sinks and sources are told before a checkpoint is on the disk",
    search: "simulation",
    file: "runners/embedded/checkpointing.ts",
    from: "await this.store.commit(freezing.epoch, kind, this.#clock.now());",
    to: "void this.store.commit(freezing.epoch, kind, this.#clock.now()).catch(() => {});",
  },
  {
    name: "timers are lost when a record is written",
    search: "simulation",
    file: "engine/record-chunks.ts",
    from: "if (timers === undefined) return out.varint(0);",
    to: "if (timers === undefined || timers !== null) return out.varint(0);",
  },
  {
    name: "output of the last checkpoint is not committed again",
    search: "simulation",
    file: "runners/embedded/checkpointing.ts",
    from: "if (last < epoch) await this.#commitTo",
    to: "if (last < epoch - 1) await this.#commitTo",
  },
];

/** @returns the arguments of a script that prints `failed after N` when it has found something */
const SEARCHES = {
  comparison: { runs: 2_000, script: (runs: number) => ["compare-with-reference.ts", String(SEED), String(runs)] },
  simulation: { runs: 10_000, script: (runs: number) => ["simulate.ts", String(runs)] },
};
/** A search takes seconds, and ends with the first find; a planted bug may loop for ever. */
const SEARCH_MAX_MS = 600_000;
/** Of the code as it is the simulation plays fewer: all of them are for `npm run simulate`. */
const SOUND_SEEDS = 1_000;
const SEED = Number(process.env["TIDEMARK_SEED"] ?? 20_261_123);
const root = join(import.meta.dirname, "..");

/** Copies what the comparison needs into `folder`, with `mutant` planted. */
function plant(mutant: Mutant | undefined, folder: string): void {
  for (const name of ["src", "test", "scripts", "package.json"])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  if (mutant === undefined) return;
  const path = join(folder, "src", mutant.file);
  const text = readFileSync(path, "utf8");
  const times = text.split(mutant.from).length - 1;
  if (times !== 1) throw new Error(`M1 ${mutant.file} has ${times} times, not once: ${mutant.from}`);
  writeFileSync(path, text.replace(mutant.from, mutant.to));
}

/** After how many runs the search failed; undefined when it did not. */
function killedAfter(folder: string, search: keyof typeof SEARCHES, runs: number): number | undefined {
  const [script, ...given] = SEARCHES[search].script(runs);
  const args = ["--conditions=tidemark-source", join(folder, "scripts", script as string), ...given];
  const { status, error, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: SEARCH_MAX_MS,
  });
  const verdict = /^failed after (\d+)$/m.exec(stdout);
  if (verdict !== null) return Number(verdict[1]);
  if (status !== 0) throw new Error(`the search itself failed: ${error?.message ?? `exit code ${status}`}\n${stderr}`);
  return undefined;
}

const SOUND = [
  { name: "the code as it is", search: "comparison", runs: SEARCHES.comparison.runs },
  { name: "the code as it is", search: "simulation", runs: SOUND_SEEDS },
] as const;

console.log(`seed ${SEED}`);
let failures = 0;
const tell = (
  isGood: boolean,
  name: string,
  search: keyof typeof SEARCHES,
  after: number | undefined,
  runs: number,
): void => {
  if (!isGood) failures++;
  const verdict = after === undefined ? `survived ${runs} runs` : `killed after ${after} runs`;
  console.log(`${isGood ? "ok  " : "FAIL"} ${name}: ${verdict} of the ${search}`);
};
for (const one of [...SOUND, ...MUTANTS]) {
  const mutant = "file" in one ? one : undefined;
  const runs = "runs" in one ? one.runs : SEARCHES[one.search].runs;
  const folder = mkdtempSync(join(tmpdir(), "tidemark-mutant-"));
  try {
    plant(mutant, folder);
    const after = killedAfter(folder, one.search, runs);
    tell((mutant === undefined) === (after === undefined), one.name, one.search, after, runs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(`${MUTANTS.length + SOUND.length - failures} passed, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
