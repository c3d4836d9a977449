/** `endings.fixture.ts FOLDER NAME`: how a program of programs.fixture.ts ends; `busy` is cancelled while a function spins. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isTidemarkError } from "../../src/base/errors.ts";
import { nodeClock } from "../../src/platform/node.ts";
import { FakeJob, submit } from "../../src/runners/fake/fake-job.ts";
import { turns } from "../engine/kit.ts";

const [folder = "", name = ""] = process.argv.slice(2);
const options = { name, input: join(folder, "input"), output: join(folder, "output") };
const job = await FakeJob.start(await submit(join(import.meta.dirname, "programs.fixture.ts"), options), {
  clock: nodeClock(),
});
if (name === "busy") {
  while (job.progress(job.stageOf("Spin")).claimed === 0) await turns(1);
  await job.cancel();
}
if (name === "stuck in setup") {
  while (!existsSync(options.input)) await turns(1);
  await job.cancel();
}
try {
  await job.done;
  process.stdout.write(job.state);
} catch (error) {
  if (!isTidemarkError(error)) throw error;
  process.stdout.write(`${job.state} ${error.code}\n${error.message}`);
}
