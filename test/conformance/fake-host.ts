/** Scenarios of the golden language on the fake runner: their pipeline's functions run in a second thread. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { FakeJob, type SubmittedProgram, submit } from "../../src/runners/fake/fake-job.ts";
import { simulatedJobClock } from "../../src/testing/simulated-job-clock.ts";
import type { GoldenPane, Scenario } from "../model/scenario.ts";
import type { GoldenOptions } from "./golden-program.fixture.ts";

const PROGRAM = join(import.meta.dirname, "golden-program.fixture.ts");

/** As `runOnEngine`. Runs in a process in which Node itself loads modules. */
export async function runOnFake(scenario: Scenario): Promise<GoldenPane[]> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-golden-"));
  const output = join(folder, "panes");
  writeFileSync(output, "");
  try {
    await playOnFake(await submit(PROGRAM, { scenario, output } satisfies GoldenOptions));
    const lines = readFileSync(output, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as GoldenPane);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As `playScript`: a script that leaves the stream open is stopped after its last event. */
async function playOnFake(program: SubmittedProgram): Promise<void> {
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const clock: Clock = {
    ...simulatedJobClock(),
    // Nothing is left but waiting for processing time, which only the script may move.
    schedule: () => {
      stop();
      return () => {};
    },
  };
  const job = await FakeJob.start(program, { clock, strict: true, onIdle: () => stop() });
  await Promise.race([job.done, stopped]);
  await job.cancel();
  await job.done.catch(() => {});
}
