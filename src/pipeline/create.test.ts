import fc from "fast-check";
import { expect, test } from "vitest";
import type { Batch, Source } from "../fn/source.ts";
import { createSource, createTimestampedSource } from "./create.ts";

const SEED = 20261123;

class Collected<T> implements Batch<T> {
  readonly entries: [value: T, timestamp: number | undefined][] = [];
  add(value: T, timestamp?: number): void {
    this.entries.push([value, timestamp]);
  }
  get size(): number {
    return this.entries.length;
  }
}

/** Polls to the end, reopening at the position after each poll. */
async function readAll<T>(source: Source<T, number, number>, max: number): Promise<Collected<T>["entries"]> {
  const into = new Collected<T>();
  let position: number | undefined;
  for (const split of await source.splits(1)) {
    for (;;) {
      const reader = await source.open(split, position);
      const before = into.size;
      const result = reader.poll(max, into);
      expect(into.size - before).toBeLessThanOrEqual(max);
      position = reader.position();
      await reader.close();
      if (result === "end") break;
    }
  }
  return into.entries;
}

test("R1, R2: whatever the size of polls, and reopened anywhere, each value comes once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), async (values, max) => {
      expect(await readAll(createSource(values), max)).toEqual(values.map((value) => [value, undefined]));
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test("values are given event times by a function, or bring their own", async () => {
  expect(
    await readAll(
      createSource([3, 4], (n) => n * 10),
      9,
    ),
  ).toEqual([
    [3, 30],
    [4, 40],
  ]);
  expect(await readAll(createTimestampedSource([{ timestamp: 7, value: "a" }]), 9)).toEqual([["a", 7]]);
});

test("it ends by itself", () => {
  expect(createSource([]).bounded).toBe(true);
});
