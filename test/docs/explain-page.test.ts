/** What docs/explain.md says that the engine says of its programs is what the engine says. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeExplanation, type Program, run } from "tidemark";
import { expect, test } from "vitest";
import { settle } from "../engine/kit.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import { publicApi } from "./docstrings.ts";
import { examplesOfMarkdown, moduleOf } from "./examples.ts";

const PAGE = "docs/explain.md";
const root = dirname(dirname(import.meta.dirname));
const generated = join(import.meta.dirname, ".explain");

test("the texts of the page are those of real runs", async () => {
  const page = readFileSync(join(root, PAGE), "utf8");
  const texts = [...page.matchAll(/^```text\n([^]*?)^```$/gm)].map((match) => match[1]);
  const api = publicApi(root);
  rmSync(generated, { recursive: true, force: true });
  mkdirSync(generated, { recursive: true });
  const said: string[] = [];
  for (const example of examplesOfMarkdown(PAGE, page)) {
    const file = join(generated, `${example.line}.ts`);
    writeFileSync(file, moduleOf(example, api, "../kit.fixture.ts").text);
    const { default: program } = (await import(file)) as { readonly default: Program };
    const clock = new SimulatedClock(Date.UTC(2026, 0, 1, 13, 30));
    const job = run(program, {}, { clock, onWarning: () => {} });
    await settle(clock);
    clock.advanceTo(clock.now() + 60_000);
    await settle(clock);
    said.push(`${describeExplanation(job.explain())}\n`);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
  }
  expect(said).toHaveLength(3);
  expect(texts).toEqual(said);
});
