/**
 * Tweets for the live demo: generated, the same for the same seed, in the order in which they arrive.
 *
 * G1 `arrivalMs` never decreases; `eventTimeMs` is at most `arrivalMs`.
 * G2 Most tweets arrive within `OUT_OF_ORDER_MS` of their event time; a small share comes later, up to two minutes.
 * G3 Trends rise and fall over a background of steady tags, in Korean and in English.
 */
import { writeFileSync } from "node:fs";

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
}

/** How far out of order tweets come, but for the late ones. */
export const OUT_OF_ORDER_MS = 5000;
const LATE_SHARE = 0.006;

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
];

const KO_TAGS = [
  "#커피",
  "#산책",
  "#맛집",
  "#날씨",
  "#음악",
  "#책",
  "#고양이",
  "#강아지",
  "#여행",
  "#사진",
  "#영화",
  "#운동",
];
const EN_TAGS = [
  "#coffee",
  "#walk",
  "#music",
  "#books",
  "#cats",
  "#dogs",
  "#travel",
  "#photo",
  "#movies",
  "#node",
  "@ann",
  "@joon",
];
const KO_WORDS =
  "오늘 정말 좋은 날 친구랑 함께 걷다가 작은 가게 앞에서 따뜻한 빵 냄새 너무 행복해 내일도 또 가고 싶다".split(" ");
const EN_WORDS =
  "what a lovely day we found a small place near the river and stayed until the lights came on again".split(" ");

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

function sentence(random: () => number, words: readonly string[]): string {
  const from = Math.floor(random() * (words.length - 5));
  return words.slice(from, from + 4 + Math.floor(random() * 4)).join(" ");
}

function delay(random: () => number): number {
  const draw = random();
  if (draw < LATE_SHARE / 2) return 30_000 + random() * 90_000;
  if (draw < LATE_SHARE) return 8000 + random() * 20_000;
  return random() < 0.7 ? random() * 1000 : random() * (OUT_OF_ORDER_MS - 100);
}

/** The tweets, in order of arrival. */
export function* generateTweets(options: GeneratorOptions): Generator<Tweet> {
  const random = randomBy(options.seed);
  const count = Math.round((options.durationMs / 1000) * options.perSecond);
  for (let id = 0; id < count; id++) {
    const arrivalMs = options.startMs + Math.floor((id * 1000) / options.perSecond);
    const eventTimeMs = Math.floor(arrivalMs - delay(random));
    const at = (eventTimeMs - options.startMs) / options.durationMs;
    const trend = random() < 0.6 ? trendAt(random, at) : undefined;
    const lang = trend?.lang ?? (random() < 0.5 ? "ko" : "en");
    const tags = lang === "ko" ? KO_TAGS : EN_TAGS;
    const parts = [sentence(random, lang === "ko" ? KO_WORDS : EN_WORDS)];
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
