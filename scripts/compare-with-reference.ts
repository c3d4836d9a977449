/**
 * compare-with-reference.ts SEED RUNS
 * Compares the engine with the reference model on random scenarios; prints `failed after N` at the first that differs.
 * Used by mutants.ts on copies of the code.
 */
import fc from "fast-check";
import { beyondDoubles, fieldsOf } from "../test/conformance/comparable.ts";
import { runOnEngine } from "../test/conformance/golden-pipeline.ts";
import { scenarios } from "../test/model/arbitraries.ts";
import { differences } from "../test/model/compare.ts";
import { runReference } from "../test/model/run.ts";

const [seed, numRuns] = process.argv.slice(2).map(Number);
const result = await fc.check(
  fc.asyncProperty(scenarios(), async (scenario) => {
    fc.pre(!beyondDoubles(scenario));
    return (
      differences(runReference(scenario).panes, await runOnEngine(scenario), { fields: fieldsOf(scenario) }).length ===
      0
    );
  }),
  { seed: seed as number, numRuns: numRuns as number, endOnFailure: true },
);
console.log(result.failed ? `failed after ${result.numRuns}` : "agreed");
