/**
 * The benchmark programs:
 *   main.ts <w1|w1-generator|w2|w2-typed|w3|w3-early|w4|q5|q8> DATA_PREFIX OUT_DIR   reads DATA_PREFIX.txt or .ndjson, writes OUT_DIR/part-0
 *   main.ts l1 RATE SECONDS OUT_FILE            writes one JSON object of latencies in milliseconds
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { run } from "tidemark";
import { latencyProgram } from "./latency.ts";
import { workload, WORKLOADS } from "./programs.ts";

const [name = "", first = "", second = "", third = ""] = process.argv.slice(2);
if (WORKLOADS.includes(name) && second !== "") {
  mkdirSync(second, { recursive: true });
  await run(workload(name, first, `${second}/part-0`)).wait();
} else if (name === "l1" && third !== "") {
  const { program, figures } = latencyProgram(Number(first), Number(second));
  await run(program).wait();
  writeFileSync(third, `${JSON.stringify(figures())}\n`);
} else {
  process.stderr.write(
    "usage: npm run bench -- <w1|w1-generator|w2|w2-typed|w3|w3-early|w4|q5|q8> DATA_PREFIX OUT_DIR | l1 RATE SECONDS OUT_FILE\n",
  );
  process.exit(2);
}
