import stringWidth from "string-width";
import { SimulatedClock } from "../../test/simulated-clock.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IntervalWindow, type KV } from "tidemark";
import { at, assertThat, runTest, testStream } from "tidemark/testing";
import { afterAll, describe, expect, test } from "vitest";
import { generateTweets, OUT_OF_ORDER_MS, type Tweet, writeTweets } from "./generator.ts";
import { replay } from "./replay.ts";
import { trending } from "./trending.ts";
import { fit, type Model, renderFrame, renderLine } from "./view.ts";

const OPTIONS = { seed: 7, durationMs: 120_000, perSecond: 50, startMs: 1_000_000 };
const folder = mkdtempSync(join(tmpdir(), "tidemark-lab-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("generated tweets", () => {
  const tweets = [...generateTweets(OPTIONS)];

  test("are the same for the same seed, and others for another", () => {
    expect([...generateTweets(OPTIONS)]).toEqual(tweets);
    expect([...generateTweets({ ...OPTIONS, seed: 8 })]).not.toEqual(tweets);
  });

  test("G1: arrive in order, none before its event time", () => {
    for (const [i, tweet] of tweets.entries()) {
      expect(tweet.eventTimeMs).toBeLessThanOrEqual(tweet.arrivalMs);
      if (i > 0) expect(tweet.arrivalMs).toBeGreaterThanOrEqual((tweets[i - 1] as Tweet).arrivalMs);
    }
  });

  test("G2: are out of order within bounds, but for a small late share", () => {
    const delays = tweets.map((tweet) => tweet.arrivalMs - tweet.eventTimeMs);
    const late = delays.filter((delay) => delay > OUT_OF_ORDER_MS).length;
    expect(late).toBeGreaterThan(0);
    expect(late / tweets.length).toBeLessThan(0.02);
    expect(delays.some((delay) => delay > 1000)).toBe(true);
  });

  test("G3: a trend rises and falls, in both languages", () => {
    const share = (tag: string, from: number, to: number): number => {
      const part = tweets.slice(from * tweets.length, to * tweets.length);
      return part.filter((tweet) => tweet.text.includes(tag)).length / part.length;
    };
    expect(share("#첫눈", 0.55, 0.65)).toBeGreaterThan(4 * share("#첫눈", 0.1, 0.3));
    expect(share("#첫눈", 0.55, 0.65)).toBeGreaterThan(4 * share("#첫눈", 0.85, 1));
    expect(new Set(tweets.map((tweet) => tweet.lang))).toEqual(new Set(["ko", "en"]));
  });
});

describe("the replay", () => {
  test("P1: hands out what is due, and no more; a reader opened at a position goes on there", async () => {
    const file = join(folder, "tweets.ndjson");
    const count = writeTweets(file, OPTIONS);
    const clock = new SimulatedClock(0);
    const source = replay(file, { speed: 10, now: () => clock.now() });
    const reader = await source.open(file, undefined);
    const got: Tweet[] = [];
    const into = { add: (tweet: Tweet) => void got.push(tweet), size: 0 };
    reader.poll(10_000, into);
    expect(got).toHaveLength(1);
    clock.advanceTo(1000);
    expect(reader.poll(10_000, into)).toBe("idle");
    // Ten seconds of tweets in one, and the one that is due right now.
    expect(got).toHaveLength(501);
    const rest = await source.open(file, reader.position());
    const others: Tweet[] = [];
    clock.advanceTo(1_000_000);
    expect(rest.poll(100_000, { add: (tweet) => void others.push(tweet), size: 0 })).toBe("end");
    expect(got.length + others.length).toBe(count);
    expect(others[0]?.id).toBe(501);
    await reader.close();
    await rest.close();
  });
});

describe("the view", () => {
  const top: readonly KV<string, number>[] = [
    ["#서울야시장", 120],
    ["#TypeScript", 80],
    ["#고양이와함께하는아주긴해시태그", 5],
  ];
  const pane = { start: 0, end: 60_000, timing: "ON_TIME", index: 3, top };
  const model: Model = {
    now: pane,
    before: new Map([["#TypeScript", 0]]),
    closed: [pane],
    watermark: 61_000,
    latest: 66_000,
    read: 10,
    total: 100,
    perSecond: 5,
    panes: { EARLY: 3, ON_TIME: 1 },
    dropped: 2,
  };

  test.each([120, 80, 40, 20])("V1: at %i columns no line is wider, and tags are aligned by columns", (columns) => {
    const lines = renderFrame(model, columns, false);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    const rows = lines.filter((line) => /^ +\d+ [+▲▼·]/.test(line));
    expect(rows).toHaveLength(3);
    const barAt = rows.flatMap((row) => (row.includes("█") ? [stringWidth(row.slice(0, row.indexOf("█")))] : []));
    expect(new Set(barAt).size).toBeLessThanOrEqual(1);
  });

  test("shows ranks, movement, pane, window and figures", () => {
    const text = renderFrame(model, 100, false).join("\n");
    expect(text).toContain("window [00:00:00, 00:01:00)  ON TIME pane 3");
    expect(text).toContain("1 + #서울야시장");
    expect(text).toContain("2 ▼ #TypeScript");
    expect(text).toContain("dropped as too late: 2");
    expect(renderLine(pane)).toBe(
      "[00:00:00, 00:01:00) ON TIME pane 3: #서울야시장 120, #TypeScript 80, #고양이와함께하는아주긴해시태그 5",
    );
  });

  test("fit counts columns, not letters", () => {
    expect(fit("#서울", 4)).toBe("#서 ");
    expect(stringWidth(fit("서울서울", 5))).toBe(5);
  });
});

test("the pipeline: tags counted by window, late tweets correct it, later ones come out of .late", async () => {
  const tweet = (eventTimeMs: number, text: string): { timestamp: number; value: Tweet } =>
    at(eventTimeMs, { id: 0, user: "u", lang: "en", text, eventTimeMs, arrivalMs: 0 });
  await runTest((p) => {
    const tweets = p.apply(
      testStream<Tweet>()
        .addElements(tweet(1000, "#a #b"), tweet(2000, "#a"))
        .advanceWatermarkTo(15_000)
        .addElements(tweet(3000, "#b"), tweet(4000, "#b"))
        .advanceWatermarkTo(100_000)
        .addElements(tweet(5000, "#a"))
        .advanceWatermarkToInfinity(),
    );
    const { top, late } = trending(tweets, { size: 10_000, every: 10_000, top: 1 });
    const window = new IntervalWindow(0, 10_000);
    assertThat(top)
      .inOnTimePane(window)
      .containsInAnyOrder([[["#a", 2]]]);
    assertThat(top)
      .inWindow(window)
      .inLatePanes()
      .satisfies((tops) => {
        expect(tops.at(-1)).toEqual([["#b", 3]]);
      });
    assertThat(late.map(({ element: tag, reason }): KV<string, string> => [tag, reason])).containsInAnyOrder([
      ["#a", "expired"],
    ]);
  });
});
