/** `busy.fixture.ts FOLDER`: asks for progress, then for a split, while a function spins until the answers are there. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FakeJob, submit } from "../../src/runners/fake/fake-job.ts";
import { nodeClock } from "../../src/platform/node.ts";
import { turns } from "../engine/kit.ts";

const [folder = ""] = process.argv.slice(2);
const output = join(folder, "lines");
const flag = join(folder, "flag");
const program = await submit(join(import.meta.dirname, "programs.fixture.ts"), { name: "busy", input: flag, output });
const job = await FakeJob.start(program, { clock: nodeClock() });
const stage = job.stageOf("Spin");
while (job.progress(stage).claimed === 0) await turns(1);
const before = job.progress(stage);
const split = job.split(stage, 0.5);
const after = job.progress(stage);
// Only now does the function return.
writeFileSync(flag, "");
const { stages } = await job.done;
const lines = readFileSync(output, "utf8").split("\n").slice(0, -1);
const values = lines.map((line) => (JSON.parse(line) as [number])[0]);
process.stdout.write(JSON.stringify({ before, split, after, values, elementsIn: stages[stage]?.elementsIn }));
