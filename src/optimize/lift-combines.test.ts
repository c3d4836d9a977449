import { expect, test } from "vitest";
import { type Pipeline, pipeline } from "../pipeline/index.ts";
import { sumPerKey, windowInto } from "../transforms/index.ts";
import { validateGraph } from "../graph/validate.ts";
import { afterCount, repeatedly } from "../windowing/triggers.ts";
import { fixedWindows, sessions } from "../windowing/window-fns.ts";
import { liftCombines } from "./lift-combines.ts";
import { planStages } from "./stages.ts";

type Pair = readonly [string, number];

async function stagesOf(build: (p: Pipeline) => unknown): Promise<readonly (readonly string[])[]> {
  const { graph } = await pipeline({ name: "job", build: (p) => void build(p) }).build();
  const lifted = liftCombines(graph);
  validateGraph(lifted);
  return planStages(lifted, "runnerAndWorker").map(({ steps }) => steps.map((id) => lifted.steps[id]?.name ?? ""));
}

const pairs = (p: Pipeline) => p.create<Pair>("Pairs", [["a", 1]]);

test("precombine goes before the grouping, with the steps there; merge and extract after it, with what follows", async () => {
  const stages = await stagesOf((p) =>
    pairs(p)
      .apply("Sum", sumPerKey())
      .map("After", (pair) => pair),
  );
  expect(stages.slice(-3)).toEqual([
    expect.arrayContaining([expect.stringMatching(/Precombine$/)]) as unknown,
    [expect.stringMatching(/Group$/)],
    [expect.stringMatching(/Merge$/), expect.stringMatching(/Extract$/), "After"],
  ]);
});

test.each([
  ["a trigger counts elements", { trigger: repeatedly(afterCount(2)) }, fixedWindows(5)],
  ["windows merge", {}, sessions(5)],
])("L1: nothing is combined ahead where %s", async (_, options, windowFn) => {
  const stages = await stagesOf((p) =>
    pairs(p)
      .apply("In", windowInto(windowFn as never, options))
      .apply("Sum", sumPerKey()),
  );
  expect(stages.flat().filter((name) => name.startsWith("Sum"))).toEqual([
    expect.stringMatching(/Group$/),
    expect.stringMatching(/Combine$/),
  ]);
});

test("L1: nor where late elements are read", async () => {
  const stages = await stagesOf((p) => {
    const sums = pairs(p)
      .apply("In", windowInto(fixedWindows(5)))
      .apply("Sum", sumPerKey());
    sums.late.map("Late", (late) => late);
  });
  expect(stages.flat().some((name) => name.endsWith("Precombine"))).toBe(false);
});
