/**
 * Tweets for the live demo: generated, the same for the same seed, in the order in which they arrive.
 *
 * G1 `arrivalMs` never decreases; `eventTimeMs` is at most `arrivalMs`.
 * G2 Most tweets arrive within `OUT_OF_ORDER_MS` of their event time; a small share comes later, up to two minutes.
 * G3 Trends rise and fall over a background of 300 steady tags, in Korean and in English.
 *
 * A file of them: node labs/live-trending/generator.ts --seed 7 --out tweets.ndjson
 */
import { realpathSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export interface Tweet {
  readonly id: number;
  readonly user: string;
  readonly lang: "ko" | "en";
  readonly text: string;
  readonly eventTimeMs: number;
  readonly arrivalMs: number;
}

export interface GeneratorOptions {
  readonly seed: number;
  /** How long the tweets take to arrive, in milliseconds of their own time. */
  readonly durationMs: number;
  /** Tweets for each second of their own time. */
  readonly perSecond: number;
  /** When the first one arrives. */
  readonly startMs: number;
  /** Share of tweets that come after `OUT_OF_ORDER_MS`, from 0 to 1; half of them after 30 seconds or more. Default 0.006. */
  readonly lateFraction?: number;
}

/** How far out of order tweets come, but for the late ones. */
export const OUT_OF_ORDER_MS = 5000;
const LATE_FRACTION = 0.006;

interface Trend {
  readonly tag: string;
  readonly lang: "ko" | "en";
  /** Where in the run it peaks, from 0 to 1, and how wide the hill is. */
  readonly peak: number;
  readonly width: number;
  readonly height: number;
}

const TRENDS: readonly Trend[] = [
  { tag: "#서울야시장", lang: "ko", peak: 0.08, width: 0.1, height: 1 },
  { tag: "#streaming", lang: "en", peak: 0.15, width: 0.12, height: 0.8 },
  { tag: "#벚꽃축제", lang: "ko", peak: 0.25, width: 0.08, height: 1.3 },
  { tag: "#TypeScript", lang: "en", peak: 0.35, width: 0.1, height: 1.1 },
  { tag: "#한강피크닉", lang: "ko", peak: 0.45, width: 0.07, height: 1.4 },
  { tag: "#eventtime", lang: "en", peak: 0.52, width: 0.06, height: 1 },
  { tag: "#첫눈", lang: "ko", peak: 0.6, width: 0.05, height: 1.8 },
  { tag: "#watermark", lang: "en", peak: 0.7, width: 0.09, height: 1.2 },
  { tag: "#부산바다", lang: "ko", peak: 0.8, width: 0.08, height: 1.3 },
  { tag: "#lateButHere", lang: "en", peak: 0.88, width: 0.06, height: 1.1 },
  { tag: "#주말등산", lang: "ko", peak: 0.95, width: 0.06, height: 1.5 },
  { tag: "#GoodNight", lang: "en", peak: 0.99, width: 0.04, height: 1 },
];

/** The plain words come first, since the first tags are the frequent ones: #커피, then #산책, later #아침커피. */
function tagsOf(words: readonly string[], prefixes: readonly string[]): readonly string[] {
  const joined = prefixes.flatMap((prefix) => words.map((word) => `#${prefix}${word}`));
  return [...words.map((word) => `#${word}`), ...joined].slice(0, 150);
}

const KO_TAGS = tagsOf(
  "커피 산책 맛집 날씨 음악 책 고양이 강아지 여행 사진 영화 운동".split(" "),
  "아침 저녁 주말 동네 여름 겨울 우리집 오늘의 새로운 서울 제주 부산".split(" "),
);
const EN_TAGS = tagsOf(
  "Coffee Walk Music Books Cats Dogs Travel Photo Movies Node Garden Bread".split(" "),
  "Morning Evening Weekend Local Summer Winter Home Daily New River City Island".split(" "),
);
const MENTIONS = { ko: ["@민지", "@서연", "@joon"], en: ["@ann", "@joon", "@maria"] } as const;

/** A sentence takes one part of each list, in this order. */
const SENTENCES = {
  ko: [
    ["오늘", "어제 저녁에", "주말마다", "점심 먹고", "비가 그친 뒤"],
    ["친구랑", "가족이랑", "혼자", "이웃들과", "강아지랑"],
    ["강가를 걸었어요", "작은 가게를 찾았어요", "따뜻한 빵을 먹었어요", "노래를 들었어요", "별을 봤어요"],
  ],
  en: [
    ["today", "last night", "after lunch", "once the rain stopped", "every weekend"],
    ["my friends and I", "the whole family", "our neighbours", "the dog and I", "two of us"],
    ["walked along the river", "found a small shop", "shared warm bread", "sang on the roof", "counted the stars"],
  ],
} as const;

/** Mulberry32: the same numbers for the same seed. */
function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Log-uniform: low numbers are common, high ones rare. */
function zipf(random: () => number, n: number): number {
  return Math.min(n - 1, Math.floor(Math.exp(random() * Math.log(n + 1)) - 1));
}

function strength(trend: Trend, at: number): number {
  const distance = (at - trend.peak) / trend.width;
  return trend.height * Math.exp(-distance * distance);
}

function trendAt(random: () => number, at: number): Trend | undefined {
  const total = TRENDS.reduce((sum, trend) => sum + strength(trend, at), 0);
  let left = random() * (total + 0.4);
  for (const trend of TRENDS) {
    left -= strength(trend, at);
    if (left < 0) return trend;
  }
  return undefined;
}

function pick(random: () => number, from: readonly string[]): string {
  return from[Math.floor(random() * from.length)] as string;
}

function delay(random: () => number, lateFraction: number): number {
  const draw = random();
  if (draw < lateFraction / 2) return 30_000 + random() * 90_000;
  if (draw < lateFraction) return 8000 + random() * 20_000;
  return random() < 0.7 ? random() * 1000 : random() * (OUT_OF_ORDER_MS - 100);
}

/** The tweets, in order of arrival. */
export function* generateTweets(options: GeneratorOptions): Generator<Tweet> {
  const random = randomBy(options.seed);
  const count = Math.round((options.durationMs / 1000) * options.perSecond);
  for (let id = 0; id < count; id++) {
    const arrivalMs = options.startMs + Math.floor((id * 1000) / options.perSecond);
    const eventTimeMs = Math.floor(arrivalMs - delay(random, options.lateFraction ?? LATE_FRACTION));
    const at = (eventTimeMs - options.startMs) / options.durationMs;
    const trend = random() < 0.6 ? trendAt(random, at) : undefined;
    const lang = trend?.lang ?? (random() < 0.5 ? "ko" : "en");
    const tags = lang === "ko" ? KO_TAGS : EN_TAGS;
    const parts = SENTENCES[lang].map((list) => pick(random, list));
    if (random() < 0.08) parts.unshift(pick(random, MENTIONS[lang]));
    if (trend !== undefined) parts.push(trend.tag);
    if (random() < 0.7) parts.push(tags[zipf(random, tags.length)] as string);
    yield { id, user: `user${zipf(random, 5000)}`, lang, text: parts.join(" "), eventTimeMs, arrivalMs };
  }
}

/** Writes them as NDJSON. @returns how many */
export function writeTweets(path: string, options: GeneratorOptions): number {
  const lines: string[] = [];
  for (const tweet of generateTweets(options)) lines.push(JSON.stringify(tweet));
  writeFileSync(path, `${lines.join("\n")}\n`);
  return lines.length;
}

const USAGE = `node labs/live-trending/generator.ts --out FILE [--seed 1] [--seconds 300] [--rate 100]

  --seconds and --rate count in the tweets' own time.
`;

function main(): void {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { out: text, seed: text, seconds: text, rate: text } });
  const seed = Number(values.seed ?? 1);
  const durationMs = Number(values.seconds ?? 300) * 1000;
  const perSecond = Number(values.rate ?? 100);
  if (values.out === undefined || Number.isNaN(seed) || !(durationMs > 0) || !(perSecond > 0)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const startMs = Date.UTC(2026, 0, 1, 12);
  const count = writeTweets(values.out, { seed, durationMs, perSecond, startMs });
  process.stdout.write(`${count} tweets in ${values.out}\n`);
}

// Not import.meta.main: Node 22 does not have it.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
