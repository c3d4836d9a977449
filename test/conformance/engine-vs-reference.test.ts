/**
 * The engine against the reference model: the same panes for random pipelines, inputs, watermarks and bundle cuts.
 * A failure prints the seed and the shrunk scenario.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bundleCuts, cutBundles, scenarios } from "../model/arbitraries.ts";
import { differences } from "../model/compare.ts";
import { runReference } from "../model/run.ts";
import type { Scenario } from "../model/scenario.ts";
import { beyondDoubles, fieldsOf } from "./comparable.ts";
import { runOnEngine } from "./golden-pipeline.ts";
import type { PlayOptions } from "../../src/testing/play.ts";

const SEED = Number(process.env["TIDEMARK_SEED"] ?? 20_261_123);
const RUNS = Number(process.env["TIDEMARK_RUNS"] ?? 400);

/** A late element sets a timer that is due at once: whether the next element comes before it is the bundles' to say. */
const GROUPINGS = ["group", "combine", "cascade", "cascadeRewindow"] as const;

async function compare(scenario: Scenario, options: PlayOptions): Promise<void> {
  fc.pre(!beyondDoubles(scenario));
  const fields = fieldsOf(scenario);
  const expected = runReference(scenario).panes;
  const actual = await runOnEngine(scenario, options);
  expect(differences(expected, actual, { fields })).toEqual([]);
}

describe(`engine and reference model agree (seed ${SEED})`, () => {
  test("on any scenario", async () => {
    await fc.assert(
      fc.asyncProperty(scenarios(), (scenario) => compare(scenario, {})),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test("on any scenario, with every value encoded between stages", async () => {
    await fc.assert(
      fc.asyncProperty(scenarios(), (scenario) => compare(scenario, { encoded: true })),
      { seed: SEED + 1, numRuns: RUNS / 2 },
    );
  });

  test("on any scenario, stopped at random moments and started again from what was written down", async () => {
    await fc.assert(
      fc.asyncProperty(scenarios(), fc.nat(), (scenario, restartSeed) => compare(scenario, { restartSeed })),
      { seed: SEED + 3, numRuns: RUNS },
    );
  });

  test("however elements are cut into bundles, where panes do not depend on it", async () => {
    await fc.assert(
      fc.asyncProperty(
        scenarios({ kinds: GROUPINGS, bundleBlind: true }),
        bundleCuts(),
        fc.nat(),
        async (scenario, cuts, bundleSeed) => {
          fc.pre(!beyondDoubles(scenario));
          const expected = runReference(scenario).panes;
          const cut = { ...scenario, events: cutBundles(scenario.events, cuts) };
          expect(differences(expected, await runOnEngine(cut, { bundleSeed }))).toEqual([]);
        },
      ),
      { seed: SEED + 2, numRuns: RUNS / 2 },
    );
  });
});
