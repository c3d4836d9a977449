/** What two hosts share is written once: looked for in the text of src. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = dirname(dirname(import.meta.dirname));
const FILES = globSync("src/**/*.ts", { cwd: ROOT }).filter((path) => !/\.(test|fixture)\.ts$/.test(path));

/** The files whose code has what is looked for; comments do not count. */
function filesWith(pattern: RegExp): readonly string[] {
  const code = (path: string): string =>
    readFileSync(join(ROOT, path), "utf8")
      .split("\n")
      .filter((line) => !/^\s*(\*|\/\*|\/\/)/.test(line))
      .join("\n");
  return FILES.filter((path) => pattern.test(code(path))).sort();
}

test("one implementation of a DoFn's life: setup, bundles, teardown", () => {
  expect(filesWith(/doFn\??\.(setup|startBundle|finishBundle|teardown)\b.*\(/i)).toEqual([
    "src/exec/do-fn-lifecycle.ts",
  ]);
});

test("a DoFn's elements and timers are handled at once, or as calls: in exec alone", () => {
  expect(filesWith(/doFn\.process\(/i)).toEqual(["src/exec/calls.ts", "src/exec/pardo.ts"]);
});

test("one implementation of combining: a grouping's, and a cell's", () => {
  const callers = filesWith(/\.(addInput|mergeAccumulators|extractOutput)\(/);
  // CombineFns made of others call their parts; strict mode wraps one, and so do side inputs.
  expect(callers.filter((path) => !path.startsWith("src/transforms/"))).toEqual([
    "src/exec/combine-side-inputs.ts",
    "src/exec/grouping.ts",
    "src/exec/state-cells.ts",
    "src/exec/strict-combine.ts",
  ]);
});

test("one implementation of triggers, asked by one lane", () => {
  expect(filesWith(/\bshouldFire\(/)).toEqual(["src/exec/general-lane.ts", "src/windowing/trigger-machine.ts"]);
  expect(filesWith(/function compileTrigger\b/)).toEqual(["src/windowing/trigger-machine.ts"]);
});

test("hosts build stages by StageProgram and nothing else of exec's", () => {
  expect(filesWith(/new StageProgram\(/)).toEqual([
    "src/portability/worker-stage.ts",
    "src/runners/embedded/engine-stages.ts",
    "src/runners/fake/runner-stages.ts",
  ]);
  expect(filesWith(/new (DoFnLifecycle|StatefulOperator|CallStep|WindowLane|SliceLane|GeneralLane)\(/)).toEqual([
    "src/exec/stage-program.ts",
    "src/exec/view-step.ts",
  ]);
});
