/**
 * The benchmark programs:
 *   main.ts [--checkpoint] <w1|w1-generator|w2|w2-typed|w3|w3-early|w4|q5|q8> DATA_PREFIX OUT_DIR
 *                                               reads DATA_PREFIX.txt or .ndjson, writes OUT_DIR/part-0
 *   main.ts [--checkpoint] l1 RATE SECONDS OUT_FILE    writes one JSON object of latencies in milliseconds
 *   main.ts --checkpoint                        what checkpoints cost: checkpoint.ts
 * With --checkpoint, one each second, in a folder beside the output.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Program, run } from "tidemark";
import { latencyProgram } from "./latency.ts";
import { workload, WORKLOADS } from "./programs.ts";

const { values, positionals } = parseArgs({ options: { checkpoint: { type: "boolean" } }, allowPositionals: true });
const [name = "", first = "", second = "", third = ""] = positionals;

async function play(program: Program, out: string): Promise<void> {
  const dir = `${out}.checkpoints`;
  rmSync(dir, { recursive: true, force: true });
  await run(program, {}, values.checkpoint === true ? { checkpoint: { dir } } : {}).wait();
}

if (WORKLOADS.includes(name) && second !== "") {
  mkdirSync(second, { recursive: true });
  await play(workload(name, first, `${second}/part-0`), second);
} else if (name === "l1" && third !== "") {
  const { program, figures } = latencyProgram(Number(first), Number(second));
  await play(program, third);
  writeFileSync(third, `${JSON.stringify(figures())}\n`);
} else if (name === "" && values.checkpoint === true) {
  await import("./checkpoint.ts");
} else {
  process.stderr.write(
    "usage: npm run bench -- [--checkpoint] <w1|w1-generator|w2|w2-typed|w3|w3-early|w4|q5|q8> DATA_PREFIX OUT_DIR | l1 RATE SECONDS OUT_FILE\n",
  );
  process.exit(2);
}
