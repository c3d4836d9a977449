/** Jobs on the real clock: idle ones, cancelled and drained ones, several at once, and what is left of each. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  afterProcessingTime,
  countPerElement,
  globalWindows,
  isTidemarkError,
  type Pipeline,
  pipeline,
  type Program,
  repeatedly,
  run,
  type Source,
  text,
  windowInto,
} from "tidemark";
import { afterAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tidemark-jobs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Hands its elements out once, then is quiet for ever. */
function quietAfter<T>(elements: readonly T[]): Source<T> {
  return {
    name: "quiet",
    bounded: false,
    splits: () => [0],
    open: () => {
      let next = 0;
      return {
        poll(_max, into) {
          for (; next < elements.length; next++) into.add(elements[next] as T);
          return "idle";
        },
        ready: () => new Promise(() => {}),
        position: () => next,
        close: () => {},
      };
    },
  };
}

function program(name: string, build: (p: Pipeline) => unknown): Program {
  return pipeline({ name, build }) as Program;
}

function collector<T>(seen: T[], onWrite?: () => void) {
  return {
    name: "collector",
    open: () => ({
      write: (value: T) => {
        seen.push(value);
        onWrite?.();
      },
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}

describe("the end of a job", () => {
  const lines = (file: string) =>
    program("lines", (p) => {
      p.read(quietAfter(["a", "b"])).apply(text.write(file));
    });

  test("cancelled: its sinks make nothing visible, and waiting for it is an error", async () => {
    const file = join(folder, "cancelled.txt");
    const job = run(lines(file));
    await job.cancel();
    expect(existsSync(file)).toBe(false);
    const error: unknown = await job.wait().catch((reason: unknown) => reason);
    expect(isTidemarkError(error, "JOB_ABORTED")).toBe(true);
  });

  test("drained: what is pending fires, and output appears", async () => {
    const file = join(folder, "drained.txt");
    const seen: unknown[] = [];
    const job = run(
      program("drained", (p) => {
        const words = p.read(quietAfter(["a", "b", "a"]));
        words.apply(text.write(file));
        words
          .apply(windowInto(globalWindows(), { trigger: repeatedly(afterProcessingTime(3_600_000)) }))
          .apply(countPerElement())
          .write(collector(seen));
      }),
    );
    while (job.metrics().elementsRead < 3) await new Promise((resolve) => setImmediate(resolve));
    await job.drain();
    expect(job.state).toBe("done");
    expect(readFileSync(file, "utf8")).toBe("a\nb\na\n");
    expect(seen).toEqual(
      expect.arrayContaining([
        ["a", 2],
        ["b", 1],
      ]),
    );
  });

  test("failed: one coded error, everything closed, nothing visible", async () => {
    const file = join(folder, "failed.txt");
    let closed = 0;
    const source = quietAfter(["x"]);
    const watched: Source<string> = {
      ...source,
      open: async (split, position) => {
        const reader = await source.open(split, position);
        return { ...reader, close: () => void closed++ };
      },
    };
    const job = run(
      program("failed", (p) => {
        const words = p.read(watched);
        words.apply(text.write(file));
        words.map("Break", () => {
          throw new Error("broken");
        });
      }),
    );
    await expect(job.wait()).rejects.toThrow("STEP_FAILED");
    expect(job.state).toBe("failed");
    expect(closed).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  test("a source whose ready() rejects fails the job", async () => {
    const source: Source<number> = {
      name: "lost",
      bounded: false,
      splits: () => [0],
      open: () => ({
        poll: () => "idle",
        ready: () => Promise.reject(new Error("connection lost")),
        position: () => 0,
        close: () => {},
      }),
    };
    const job = run(program("lost", (p) => void p.read(source).map((n) => n)));
    await expect(job.wait()).rejects.toThrow("connection lost");
  });
});

test("an error of a source names its step, and the line where it was applied", async () => {
  const job = run(program("nowhere", (p) => void p.apply("Lines", text.read(join(folder, "nowhere.txt")))));
  const error: unknown = await job.wait().catch((reason: unknown) => reason);
  if (!isTidemarkError(error, "FILE_NOT_FOUND")) throw error;
  expect(error.context.step).toBe("Lines");
  expect(error.context.at).toMatch(/jobs\.test\.ts:\d+:\d+$/);
});

test("what build throws comes by wait(), coded, with the user's line", async () => {
  const job = run(
    program("unbuilt", () => {
      throw new TypeError("not yet");
    }),
  );
  const error: unknown = await job.wait().catch((reason: unknown) => reason);
  if (!isTidemarkError(error, "PROGRAM_BUILD_FAILED")) throw error;
  expect(error.what).toBe('the program "unbuilt" failed while it was built: TypeError: not yet');
  expect(error.context.at).toMatch(/jobs\.test\.ts:\d+:\d+$/);
  expect(error.cause).toBeInstanceOf(TypeError);
  expect(job.state).toBe("failed");
});

test("two jobs in one process do not know each other", async () => {
  const [one, two]: number[][] = [[], []];
  const build = (into: number[], factor: number) => (p: Pipeline) =>
    p
      .create([1, 2, 3])
      .map((n) => n * factor)
      .write(collector(into));
  const jobs = [run(program("same", build(one as number[], 1))), run(program("same", build(two as number[], 10)))];
  await Promise.all(jobs.map((job) => job.wait()));
  expect([one, two]).toEqual([
    [1, 2, 3],
    [10, 20, 30],
  ]);
});
