/** Async calls that take long: checkpoints go on meanwhile, and each result comes once. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pipeline, pipeline, type Program, run, text } from "tidemark";
import { afterEach, beforeEach, expect, test } from "vitest";
import { begun, pacedNumbers } from "./paced-numbers.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-calls-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("calls in flight hold up no checkpoint; cut off without one more, the job makes them again, and each result is there once", async () => {
  const TOTAL = 60;
  const progress = begun();
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  let begunCalls = 0;
  const program = pipeline({
    name: "calls",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(TOTAL, progress, 2))
        .map(
          "Ask",
          async (n) => {
            begunCalls++;
            await gate;
            return `${n}`;
          },
          { concurrency: 100 },
        )
        .apply(text.write(join(folder, "out.txt"), { append: true }));
    },
  }) as Program;
  const checkpoint = { dir: join(folder, "checkpoints"), everyMs: 1 };
  const job = run(program, {}, { checkpoint });
  // Two more elements with each checkpoint: twenty of them have been made, and no call has come back.
  while (progress.safe < 40) await new Promise((resolve) => setImmediate(resolve));
  await job.cancel();
  expect(begunCalls).toBeGreaterThanOrEqual(40);

  letGo();
  await run(program, {}, { checkpoint }).wait();
  expect(begunCalls).toBeGreaterThanOrEqual(TOTAL + 40);
  const lines = readFileSync(join(folder, "out.txt"), "utf8").trimEnd().split("\n").map(Number);
  expect(lines.toSorted((a, b) => a - b)).toEqual(Array.from({ length: TOTAL }, (_, n) => n));
});
