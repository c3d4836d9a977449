import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceReader } from "tidemark";
import { describe, expect, test } from "vitest";
import type { NexmarkEvent } from "./events.ts";
import { AUCTION_DURATION_MS, nexmarkEvent, nexmarkSource } from "./generator.ts";
import { JavaRandom } from "./java-random.ts";

const FIRST_1000 = join(import.meta.dirname, "../../test/fixtures/nexmark-first-1000.ndjson");

function sequence<T>(seed: number, length: number, draw: (random: JavaRandom) => T): T[] {
  const random = new JavaRandom();
  random.reset(seed);
  return Array.from({ length }, () => draw(random));
}

describe("java.util.Random", () => {
  test("nextInt()", () => {
    expect(sequence(42, 3, (random) => random.int())).toEqual([-1170105035, 234785527, -1360544799]);
    expect(sequence(0, 3, (random) => random.int())).toEqual([-1155484576, -723955400, 1033096058]);
  });

  test("nextInt(bound)", () => {
    expect(sequence(42, 5, (random) => random.below(10))).toEqual([0, 3, 8, 4, 0]);
    expect(sequence(0, 4, (random) => random.below(100))).toEqual([60, 48, 29, 47]);
  });

  test("nextInt(bound) for powers of two takes the upper bits", () => {
    const ints = sequence(7, 50, (random) => random.int());
    expect(sequence(7, 50, (random) => random.below(16))).toEqual(ints.map((int) => int >>> 28));
  });

  test("nextInt(bound) draws again where small values would be more likely", () => {
    // Nearly half of all draws are above the last whole multiple of this bound.
    const bound = 2 ** 30 + 1;
    const drawn = sequence(1, 1000, (random) => random.below(bound));
    const upper = sequence(1, 4000, (random) => random.int() >>> 1).filter((bits) => bits < bound);
    expect(drawn).toEqual(upper.slice(0, 1000));
  });

  test("nextDouble()", () => {
    expect(sequence(0, 2, (random) => random.double())).toEqual([0.730967787376657, 0.24053641567148587]);
  });

  test("all 48 bits of a seed count", () => {
    const seeds = [5, 5 + 2 ** 24, 5 + 2 ** 47];
    expect(new Set(seeds.map((seed) => sequence(seed, 4, (random) => random.int()).join())).size).toBe(3);
  });
});

describe("the events", () => {
  test("N1: the first thousand are the given ones, to the letter", () => {
    const given = readFileSync(FIRST_1000, "utf8").trimEnd().split("\n");
    expect(given).toHaveLength(1000);
    expect(given.map((_, number) => JSON.stringify(nexmarkEvent(number)))).toEqual(given);
  });

  test("N1: an event does not depend on those that were made before it", () => {
    const alone = JSON.stringify(nexmarkEvent(123_456));
    nexmarkEvent(3);
    expect(JSON.stringify(nexmarkEvent(123_456))).toBe(alone);
  });

  test("N2: of 20,000 events 400 are people, 1,200 auctions, 18,400 bids", () => {
    const counts = { person: 0, auction: 0, bid: 0 };
    for (let number = 0; number < 20_000; number++) counts[nexmarkEvent(number).type]++;
    expect(counts).toEqual({ person: 400, auction: 1200, bid: 18_400 });
  });

  test("N3: references reach at most ten ahead, and some do", () => {
    let [people, auctions, ahead] = [1000, 1000, 0];
    for (let number = 0; number < 20_000; number++) {
      const event = nexmarkEvent(number);
      if (event.type === "person") people = event.id;
      if (event.type === "auction") auctions = event.id;
      if (event.type !== "bid") continue;
      expect(event.auction).toBeLessThanOrEqual(auctions + 10);
      expect(event.bidder).toBeLessThanOrEqual(people + 10);
      if (event.auction > auctions) ahead++;
    }
    expect(ahead).toBeGreaterThan(100);
  });

  test("an auction is open for less than twice the mean", () => {
    expect(AUCTION_DURATION_MS).toBe(16_667);
    for (let number = 1; number < 20_000; number += 50) {
      const event = nexmarkEvent(number);
      if (event.type !== "auction") throw new Error(`event ${number} is no auction`);
      expect(event.expires).toBeGreaterThan(event.dateTime);
      expect(event.expires - event.dateTime).toBeLessThanOrEqual(2 * AUCTION_DURATION_MS);
    }
  });
});

/** What a reader hands out, with its watermark before each poll. */
async function readAll(
  count: number,
  options: { groupSize?: number; position?: number; pollSize?: number } = {},
): Promise<{ event: NexmarkEvent; watermark: number; timestamp: number | undefined }[]> {
  const source = nexmarkSource(count, options);
  const reader = (await source.open(0, options.position)) as Required<SourceReader<NexmarkEvent, number>>;
  const read: { event: NexmarkEvent; watermark: number; timestamp: number | undefined }[] = [];
  for (let result = "more"; result === "more";) {
    const watermark = reader.watermark();
    const add = (event: NexmarkEvent, timestamp?: number): void => void read.push({ event, watermark, timestamp });
    result = reader.poll(options.pollSize ?? 7, { add, size: 0 });
  }
  return read;
}

describe("the source", () => {
  test("hands out all events in order, each at its time", async () => {
    const read = await readAll(100);
    expect(read.map(({ event }) => event)).toEqual(Array.from({ length: 100 }, (_, number) => nexmarkEvent(number)));
    expect(read.every(({ event, timestamp }) => event.dateTime === timestamp)).toBe(true);
    expect(await readAll(0)).toEqual([]);
  });

  test("goes on at a position", async () => {
    const all = await readAll(100, { groupSize: 10 });
    const rest = await readAll(100, { groupSize: 10, position: 35 });
    expect(rest.map(({ event }) => event)).toEqual(all.slice(35).map(({ event }) => event));
  });

  test("N4: out of order, the same events come shuffled within their groups, none behind the watermark", async () => {
    const read = await readAll(2300, { groupSize: 1000 });
    const times = read.map(({ event }) => event.dateTime);
    const inOrder = Array.from({ length: 2300 }, (_, number) => nexmarkEvent(number).dateTime);
    for (const [from, to] of [
      [0, 1000],
      [1000, 2000],
    ] as const) {
      expect(times.slice(from, to)).not.toEqual(inOrder.slice(from, to));
      expect(times.slice(from, to).toSorted((a, b) => a - b)).toEqual(inOrder.slice(from, to));
    }
    expect(times.slice(2000)).toEqual(inOrder.slice(2000));
    for (const { event, watermark } of read) expect(event.dateTime).toBeGreaterThanOrEqual(watermark);
    const watermarks = read.map(({ watermark }) => watermark);
    expect(watermarks).toEqual(watermarks.toSorted((a, b) => a - b));
  });
});
