/** A string is an iterable of its characters, which nobody means: what does not compile is refused at run time too. */
import type { PCollection } from "tidemark";
import { expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const STEPS: readonly (readonly [string, (words: PCollection<string>) => unknown])[] = [
  ["flatMap", (words) => words.flatMap("Split", ((word: string) => word) as never)],
  ["an async flatMap", (words) => words.flatMap("Split", (async (word: string) => word) as never)],
  ["a DoFn", (words) => words.parDo("Split", { process: (word: string) => word } as never)],
  ["an async DoFn", (words) => words.parDo("Split", { process: async (word: string) => word } as never)],
];

test.each(STEPS)("%s", async (_name, step) => {
  const error = await failureOf((p) => void step(p.create(["ab"])));
  expect(error).toMatchObject({ code: "NOT_ITERABLE", context: { step: "Split" } });
});
