/**
 * npm run -s conformance -- FILE.json [--encoded]
 * Plays every scenario of a file in the golden language and prints the actual panes as one JSON object:
 * { name: { panes: […] } } or { name: { error } } for a scenario that could not run.
 */
import { readFileSync } from "node:fs";
import { runOnEngine } from "../test/conformance/golden-pipeline.ts";
import type { GoldenPane, Scenario } from "../test/model/scenario.ts";

const args = process.argv.slice(2);
const encoded = args.includes("--encoded");
const file = args.find((arg) => !arg.startsWith("--"));
if (file === undefined) {
  process.stderr.write("usage: npm run -s conformance -- FILE.json [--encoded]\n");
  process.exit(2);
}
const { scenarios } = JSON.parse(readFileSync(file, "utf8")) as { scenarios: (Scenario & { name: string })[] };
const answer: Record<string, { panes: GoldenPane[] } | { error: string }> = {};
for (const scenario of scenarios) {
  try {
    answer[scenario.name] = { panes: await runOnEngine(scenario, { encoded }) };
  } catch (error) {
    answer[scenario.name] = { error: error instanceof Error ? error.message : String(error) };
  }
}
process.stdout.write(`${JSON.stringify(answer, null, 1)}\n`);
