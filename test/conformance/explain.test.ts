/** To explain changes nothing: asked after every turn, a job puts out what it puts out unasked; and what it says is plain data. */
import fc from "fast-check";
import { type Clock, describeExplanation, type Pipeline, pipeline, type Program } from "tidemark";
import { expect, test } from "vitest";
import type { EmbeddedJob } from "../../src/runners/embedded/job.ts";
import { type Collected, collectSink } from "../../src/testing/collect.ts";
import { simulatedJobClock } from "../../src/testing/simulated-job-clock.ts";
import { startTestJob } from "../../src/testing/test-job.ts";
import { scenarios } from "../model/arbitraries.ts";
import type { GoldenPane, Scenario } from "../model/scenario.ts";
import { buildScenario, runOnEngine, showPane } from "./golden-pipeline.ts";

const SEED = Number(process.env["TIDEMARK_SEED"] ?? 20_261_124);
const RUNS = Number(process.env["TIDEMARK_RUNS"] ?? 200);

/** As `runOnEngine`, asking after each turn. @returns the panes, and how many answers said that something waits */
async function runAsked(scenario: Scenario): Promise<{ panes: GoldenPane[]; waited: number }> {
  const collected: Collected<unknown>[] = [];
  const program = pipeline({
    name: "scenario",
    allowUnsafeTriggers: true,
    build: (p: Pipeline) => buildScenario(p, scenario, collectSink("panes", collected)),
  }) as Program;
  const started: { job?: EmbeddedJob } = {};
  let waited = 0;
  const ask = (): void => {
    const explanation = started.job?.explain({}, true);
    if (explanation === undefined) return;
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(describeExplanation(explanation)).not.toMatch(/undefined|NaN|object/);
    if (explanation.waiting.length > 0) waited++;
  };
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const simulated = simulatedJobClock();
  const clock: Clock = {
    ...simulated,
    immediate: (callback) => {
      ask();
      simulated.immediate(callback);
    },
    // Nothing is left but waiting for processing time, which only the script may move.
    schedule: () => {
      ask();
      stop();
      return () => {};
    },
  };
  const job = await startTestJob(program, {}, clock, {}, { onIdle: () => stop() });
  started.job = job;
  await Promise.race([job.done, stopped]);
  ask();
  await job.cancel();
  expect(job.explain({}, true).waiting).toEqual([]);
  return { panes: collected.map(showPane), waited };
}

test(`asked after every turn or never, the panes are the same (seed ${SEED})`, async () => {
  let waited = 0;
  await fc.assert(
    fc.asyncProperty(scenarios(), async (scenario) => {
      const asked = await runAsked(scenario);
      waited += asked.waited;
      expect(asked.panes).toEqual(await runOnEngine(scenario));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  expect(waited).toBeGreaterThan(RUNS);
});
