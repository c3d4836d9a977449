/**
 * npm run bench:compare -- [--rounds N] [--events N] [--workloads w1,w2]
 * Runs each workload (default: all) by hand and on Tidemark, in turn, over the same bytes; checks that the sorted outputs are equal; prints
 * CPU seconds (user and system, of the whole process) and the share of the hand-written program's events per CPU second.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "./generate.ts";
import { median, sortedLines } from "./outputs.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, events: { type: "string" }, workloads: { type: "string" } },
});
const rounds = Number(values.rounds ?? 5);
const events = Number(values.events ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
const cpuScript = `process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write("CPU " + (user + system) / 1e6 + "\\n"); });`;
const preload = `data:text/javascript,${encodeURIComponent(cpuScript)}`;

/** CPU seconds of one run. */
function measure(program: string, workload: string, data: string, out: string): number {
  rmSync(out, { recursive: true, force: true });
  const args = ["--import", preload, join(import.meta.dirname, program), workload, data, out];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${workload} failed:\n${stderr}`);
  return Number(/CPU ([\d.]+)/.exec(stderr)?.[1]);
}

mkdirSync(folder, { recursive: true });
process.stdout.write(
  `Node ${process.version}, ${events} events, ${rounds} rounds in turn, load ${(loadavg()[0] as number).toFixed(1)}\n`,
);
let failed = false;
/** Which program by hand does the same, and whose data both read, where the name is another. */
const BY_HAND: Readonly<Record<string, string>> = { "w1-generator": "w1", "w2-typed": "w2", "w3-early": "w3" };
const DATA: Readonly<Record<string, string>> = { "w1-generator": "w1", "w2-typed": "w2", w3: "w2", "w3-early": "w2" };

for (const workload of (values.workloads ?? "w1,w1-generator,w2,w2-typed,w3,w3-early,w4,q5,q8").split(",")) {
  const source = DATA[workload] ?? workload;
  const data = join(folder, source);
  const file = `${data}.${source === "w1" ? "txt" : "ndjson"}`;
  if (!existsSync(file)) generate(source, events, file);
  const [plainOut, ownOut] = [join(folder, "plain"), join(folder, "own")];
  const plain: number[] = [];
  const own: number[] = [];
  for (let round = 0; round < rounds; round++) {
    plain.push(measure("plain.ts", BY_HAND[workload] ?? workload, data, plainOut));
    own.push(measure("main.ts", workload, data, ownOut));
  }
  const equal = sortedLines(plainOut) === sortedLines(ownOut);
  failed ||= !equal;
  const shares = plain.map((cpu, i) => cpu / (own[i] as number)).toSorted((a, b) => a - b);
  const share = `${median(shares).toFixed(2)} (${(shares[0] as number).toFixed(2)} to ${(shares.at(-1) as number).toFixed(2)})`;
  process.stdout.write(
    `${workload}: by hand ${median(plain).toFixed(2)} s, Tidemark ${median(own).toFixed(2)} s of CPU; share ${share}; output ${equal ? "equal" : "DIFFERENT"}\n`,
  );
}
rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
