/** The command savepoint: what it lists, and copies that a job goes on from. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  eventTime,
  fixedWindows,
  isTidemarkError,
  type Pipeline,
  pipeline,
  type Program,
  run,
  text,
  valueState,
  withKeys,
} from "tidemark";
import { afterEach, beforeEach, expect, test } from "vitest";
import { begun, pacedNumbers } from "./paced-numbers.ts";
import { savepoint } from "./savepoint-command.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-savepoint-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const inFolder = (name: string): string => join(folder, name);

const TOTAL = 400;
const progress = begun();

function sums(output: string): Program {
  return pipeline({
    name: "sums",
    build(p: Pipeline) {
      p.read("Numbers", pacedNumbers(TOTAL, progress, 10), { timestamps: eventTime((n: number) => n) })
        .windowInto(fixedWindows(TOTAL))
        .apply(
          "ByKey",
          withKeys((n: number) => n % 7),
        )
        .parDo("Sum", {
          state: { sum: valueState<number>() },
          process([, n], { state: { sum } }) {
            sum.write((sum.read() ?? 0) + n);
          },
          onWindowExpiration: ({ key, state: { sum } }) => [`${key} ${sum.read()}`],
        })
        .apply(text.write(output));
    },
  }) as Program;
}

async function until(read: number): Promise<void> {
  while (progress.read < read) await new Promise((resolve) => setImmediate(resolve));
}

test("ls names the job, its checkpoints and what their steps keep; a copy made while it runs is one that it can go on from", async () => {
  progress.read = 0;
  const dir = inFolder("checkpoints");
  const job = run(sums(inFolder("out.txt")), {}, { checkpoint: { dir, everyMs: 1 } });
  await until(100);
  const copied = await savepoint(["copy", dir, inFolder("copy")]);
  expect(copied).toBe(`copied to ${inFolder("copy")}: start the job with --checkpoint-dir ${inFolder("copy")}\n`);
  await expect(savepoint(["copy", dir, inFolder("copy")])).rejects.toThrow(/FILE_UNWRITABLE.*is not empty/);
  await until(200);
  await job.stop();
  expect(await savepoint(["ls", dir])).toMatch(
    /^job "sums": \d+\.\d KiB\n\nsavepoint \d+, 20\S+Z\n {2}Sum: 7 records of state\(canonical, fixed\) \{sum: value<value>\}\n\ncheckpoint \d+/,
  );
  const { checkpoints } = JSON.parse(await savepoint(["ls", "--json", inFolder("copy")])) as {
    checkpoints: { kind: string; problem: string }[];
  };
  expect(new Set(checkpoints.map(({ kind, problem }) => `${kind}${problem}`))).toEqual(new Set(["checkpoint"]));

  progress.read = 0;
  await run(sums(inFolder("again.txt")), {}, { checkpoint: { dir: inFolder("copy"), everyMs: 1 } }).wait();
  const truth = Array.from({ length: 7 }, (_, key) => {
    const own = Array.from({ length: TOTAL }, (__, n) => n).filter((n) => n % 7 === key);
    return `${key} ${own.reduce((a, b) => a + b, 0)}`;
  });
  expect(readFileSync(inFolder("again.txt"), "utf8").trimEnd().split("\n").toSorted()).toEqual(truth);
});

test("CHECKPOINT_NOT_FOUND, FILE_UNWRITABLE, USAGE: a folder without checkpoints, one that is full, what makes no sense", async () => {
  const codeOf = async (args: readonly string[]): Promise<string> => {
    try {
      return await savepoint(args);
    } catch (error) {
      return isTidemarkError(error) ? error.code : String(error);
    }
  };
  for (const args of [
    ["ls", folder],
    ["show", folder],
    ["diff", folder, folder],
    ["copy", inFolder("none"), inFolder("copy")],
  ])
    expect(await codeOf(args)).toBe("CHECKPOINT_NOT_FOUND");
  const other = pipeline({ name: "other", build: (p) => p.create([1]) }) as Program;
  await run(sums(inFolder("out.txt")), {}, { checkpoint: { dir: inFolder("state"), everyMs: 1 } }).wait();
  await expect(savepoint(["check", "p.ts", inFolder("state")], other)).rejects.toThrow(
    /CHECKPOINT_INCOMPATIBLE.*are those of job "sums", not of "other"/,
  );
  for (const args of [[], ["ls"], ["burn", folder], ["ls", "a", "b"], ["check", folder]])
    expect(await codeOf(args)).toBe("USAGE");
});
