/** The fake runner: exec hosted in a second thread, by bundles of bytes, gives what the embedded engine gives. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { generate } from "../../bench/generate.ts";
import { folder, script } from "./kit.ts";

interface BothHosts {
  readonly embedded: readonly string[];
  readonly fake: readonly string[];
  readonly elements: { readonly embedded: object; readonly fake: object };
  readonly requests: number;
  readonly messages: number;
}

/** @param programs names, each with its input @param prefetch how many keys of a bundle are fetched ahead */
async function onBothHosts(
  programs: readonly (readonly [name: string, input: string])[],
  prefetch = 1000,
): Promise<Readonly<Record<string, BothHosts>>> {
  return JSON.parse(await script("on-both-hosts", folder(), String(prefetch), ...programs.flat())) as Record<
    string,
    BothHosts
  >;
}

/** The programs of programs.fixture.ts; how many lines each gives says that it does what its name says. */
const LINES = {
  combines: 18,
  "sliding sums": 39,
  "counted panes": 43,
  sessions: 13,
  top: 4,
  "grouped twice": 18,
  "every cell": 126,
  timers: 24,
  "machine time": 3,
  "side inputs": 60,
  "combines that look up": 18,
  "grouped and looked up": 18,
  "late elements": 6,
  "async functions": 63,
  // 60 elements, and five metrics.
  "counts of its own": 65,
  "failing calls": 60,
};

test("programs with combines, state, timers, side inputs and async functions give the same on both hosts", async () => {
  const results = await onBothHosts(Object.keys(LINES).map((name) => [name, ""]));
  for (const { embedded, fake, elements } of Object.values(results)) {
    expect(fake).toEqual(embedded);
    expect(elements.fake).toMatchObject(elements.embedded);
    expect(Object.keys(elements.embedded)).not.toEqual([]);
  }
  expect(Object.fromEntries(Object.entries(results).map(([name, { fake }]) => [name, fake.length]))).toEqual(LINES);
}, 60_000);

test("w1, w2 and w4 give the same on both hosts", async () => {
  const data = folder();
  const workloads = ["w1", "w2", "w4"];
  for (const name of workloads) generate(name, 2000, join(data, `${name}.${name === "w1" ? "txt" : "ndjson"}`));
  const results = await onBothHosts(workloads.map((name) => [name, join(data, name)]));
  for (const { embedded, fake } of Object.values(results)) {
    expect(fake).toEqual(embedded);
    expect(fake).not.toEqual([]);
  }
}, 60_000);

test("state that was not fetched ahead is waited for, and read the same", async () => {
  const programs = [["every cell", ""]] as const;
  const { "every cell": ahead } = await onBothHosts(programs);
  const { "every cell": waited } = await onBothHosts(programs, 0);
  expect(waited?.fake).toEqual(ahead?.fake);
  // As many cells are asked for, but key by key.
  expect(waited?.requests).toBe(ahead?.requests);
  expect(waited?.messages).toBeGreaterThan(ahead?.messages as number);
}, 60_000);

test("progress and a split are answered while a function keeps the worker's thread busy", async () => {
  const told = JSON.parse(await script("busy", folder())) as object;
  expect(told).toEqual({
    before: { claimed: 1, limit: 10 },
    // Half of the nine that are not claimed stay.
    split: 5,
    after: { claimed: 1, limit: 5 },
    values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    elementsIn: 10,
  });
}, 60_000);
