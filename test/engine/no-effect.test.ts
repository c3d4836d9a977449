/** A program that can have no effect is warned about when it is run; whatever may have one silences that. */
import { countPerElement, type Pipeline, run } from "tidemark";
import { expect, test } from "vitest";
import { collector, program } from "./kit.ts";

async function warningsOf(build: (p: Pipeline) => unknown): Promise<readonly string[]> {
  const warnings: string[] = [];
  await run(program("quiet", build), {}, { onWarning: (message) => warnings.push(message) }).wait();
  return warnings;
}

const SILENT: readonly (readonly [string, (p: Pipeline) => unknown, string])[] = [
  ["a source", (p) => p.create("Words", ["a"]), '"Words"'],
  ["a map", (p) => p.create(["a"]).map("Upper", (word) => word.toUpperCase()), '"Upper"'],
  ["a grouping", (p) => p.create(["a"]).apply("Count", countPerElement()), '"Count/Count"'],
  [
    "each of two branches",
    (p) => {
      const words = p.create(["a"]);
      words.filter("Some", () => true);
      words.asList("All");
    },
    '"Some", "All"',
  ],
];

test.each(SILENT)("nothing comes of %s", async (_name, build, named) => {
  const warnings = await warningsOf(build);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(`program "quiet" puts nothing out: its branches end in ${named}`);
});

const EFFECTS: readonly (readonly [string, (p: Pipeline) => unknown])[] = [
  ["a sink", (p) => p.create(["a"]).write(collector([]))],
  [
    "a sink beside a branch without",
    (p) => {
      const words = p.create(["a"]);
      words.map((word) => word);
      words.write(collector([]));
    },
  ],
  ["a DoFn", (p) => p.create(["a"]).parDo({ process() {} })],
  ["an async map", (p) => p.create(["a"]).map(async (word) => word)],
  ["a retried map", (p) => p.create(["a"]).map((word) => word, { retry: { attempts: 2 } })],
];

test.each(EFFECTS)("%s may have effects", async (_name, build) => {
  expect(await warningsOf(build)).toEqual([]);
});
