/**
 * npm run -s conformance -- FILE.json [--encoded] [--host fake]
 * Plays every scenario of a file in the golden language and prints the actual panes as one JSON object:
 * { name: { panes: […] } } or { name: { error } } for a scenario that could not run.
 * --host fake plays them on the fake runner, with the pipeline's functions in a second thread.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { GoldenPane, Scenario } from "../test/model/scenario.ts";

const HOSTS = ["embedded", "fake"];
const { values, positionals } = parseArgs({
  options: { encoded: { type: "boolean", default: false }, host: { type: "string", default: "embedded" } },
  allowPositionals: true,
});
const { encoded, host } = values;
const [file] = positionals;
if (file === undefined || !HOSTS.includes(host)) {
  process.stderr.write(`usage: npm run -s conformance -- FILE.json [--encoded] [--host ${HOSTS.join("|")}]\n`);
  process.exit(2);
}
/** Imported when it is used: a program's files count as loaded by whoever loads them first. */
async function player(): Promise<(scenario: Scenario) => Promise<GoldenPane[]>> {
  if (host === "fake") return (await import("../test/conformance/fake-host.ts")).runOnFake;
  const { runOnEngine } = await import("../test/conformance/golden-pipeline.ts");
  return (scenario) => runOnEngine(scenario, { encoded });
}
const play = await player();
const { scenarios } = JSON.parse(readFileSync(file, "utf8")) as { scenarios: (Scenario & { name: string })[] };
const answer: Record<string, { panes: GoldenPane[] } | { error: string }> = {};
for (const scenario of scenarios) {
  try {
    answer[scenario.name] = { panes: await play(scenario) };
  } catch (error) {
    answer[scenario.name] = { error: error instanceof Error ? error.message : String(error) };
  }
}
process.stdout.write(`${JSON.stringify(answer, null, 1)}\n`);
