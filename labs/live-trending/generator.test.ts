import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { generateTweets, OUT_OF_ORDER_MS, writeTweets } from "./generator.ts";

const SEED = 20261123;
const TAG = /[#@]+[\p{L}\p{N}_]+/gu;
const OPTIONS = { seed: 7, durationMs: 120_000, perSecond: 50, startMs: 1_000_000 };
const folder = mkdtempSync(join(tmpdir(), "tidemark-tweets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The option is a share: of so many tweets, within a wide margin of chance. */
test.each([0, 0.1, 1])("G2: lateFraction %d is the share that comes after the bound", (lateFraction) => {
  const delays = [...generateTweets({ ...OPTIONS, lateFraction })].map((tweet) => tweet.arrivalMs - tweet.eventTimeMs);
  const share = delays.filter((delay) => delay > OUT_OF_ORDER_MS).length / delays.length;
  expect(Math.abs(share - lateFraction)).toBeLessThan(lateFraction % 1 === 0 ? 1e-9 : 0.02);
});

test("G1, G2: hold for every seed and rate, and no delay passes two minutes", () => {
  const options = fc.record({
    seed: fc.integer(),
    perSecond: fc.integer({ min: 1, max: 500 }),
    lateFraction: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(options, (some) => {
      let last = 0;
      for (const { arrivalMs, eventTimeMs } of generateTweets({ ...some, durationMs: 2000, startMs: 1_000_000 })) {
        expect(arrivalMs).toBeGreaterThanOrEqual(last);
        expect(eventTimeMs).toBeLessThanOrEqual(arrivalMs);
        expect(arrivalMs - eventTimeMs).toBeLessThanOrEqual(120_001);
        last = arrivalMs;
      }
    }),
    { seed: SEED, numRuns: 50 },
  );
});

test("G3: tags of both alphabets, hundreds of them, the first ones frequent; mentions beside them", () => {
  const counts = new Map<string, number>();
  for (const { text } of generateTweets({ ...OPTIONS, perSecond: 200 })) {
    // What is marked as a tag is a whole word: the pattern leaves nothing of it behind.
    for (const word of text.split(" ")) if (/^[#@]/.test(word)) expect(word.match(TAG)).toEqual([word]);
    for (const tag of text.match(TAG) ?? []) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  const tags = [...counts.keys()];
  expect(tags.length).toBeGreaterThan(250);
  expect(tags.filter((tag) => /\p{Script=Hangul}/u.test(tag)).length).toBeGreaterThan(100);
  expect(tags.some((tag) => tag.startsWith("@"))).toBe(true);
  expect(counts.get("#커피")).toBeGreaterThan(10 * (counts.get("#부산커피") ?? 0));
});

test("the command line writes the same bytes as writeTweets, and refuses to guess a file's name", () => {
  const program = fileURLToPath(new URL("./generator.ts", import.meta.url));
  const [byCommand, byCall] = [join(folder, "a.ndjson"), join(folder, "b.ndjson")];
  const flags = ["--seed", "7", "--seconds", "3", "--rate", "20", "--out", byCommand];
  expect(execFileSync(process.execPath, [program, ...flags], { encoding: "utf8" })).toContain("60 tweets");
  writeTweets(byCall, { seed: 7, durationMs: 3000, perSecond: 20, startMs: Date.UTC(2026, 0, 1, 12) });
  expect(readFileSync(byCommand, "utf8")).toBe(readFileSync(byCall, "utf8"));
  expect(() => execFileSync(process.execPath, [program], { stdio: "pipe" })).toThrow(/--out FILE/);
});
