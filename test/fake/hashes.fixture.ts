/**
 * `hashes.fixture.ts PROGRAM OPTIONS [CHANGED [WORKER_OPTIONS]]`: submits a program; then the file gets the text of CHANGED, where
 * that is a path, and the worker WORKER_OPTIONS. Prints the code and step of the error by which the worker refuses, or "started".
 */
import { copyFileSync } from "node:fs";
import { FakeJob, submit } from "../../src/runners/fake/fake-job.ts";
import { isTidemarkError } from "../../src/base/errors.ts";
import { nodeClock } from "../../src/platform/node.ts";

const [path = "", rawOptions = "{}", changed = "", workerOptions = rawOptions] = process.argv.slice(2);
const program = await submit(path, JSON.parse(rawOptions));
if (changed !== "") copyFileSync(changed, path);
try {
  const job = await FakeJob.start(program, { clock: nodeClock(), workerOptions: JSON.parse(workerOptions) });
  await job.done;
  process.stdout.write("started");
} catch (error) {
  if (!isTidemarkError(error)) throw error;
  process.stdout.write(`${error.code} ${error.context.step ?? "-"}\n${error.message}`);
}
