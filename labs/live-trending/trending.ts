/**
 * Trending hashtags: the pipeline of the demo, and a program of its own for files of tweets:
 *   npx tidemark run labs/live-trending/trending.ts --input tweets.ndjson --output top.ndjson
 */
import {
  afterCount,
  afterProcessingTime,
  afterWatermark,
  countPerElement,
  eventTime,
  type KV,
  type Late,
  minutes,
  ndjson,
  type PCollection,
  pipeline,
  seconds,
  slidingWindows,
  topPerWindow,
  windowInto,
} from "tidemark";
import { z } from "zod";
import { OUT_OF_ORDER_MS, type Tweet } from "./generator.ts";

/** The tags of one pane of one window, most frequent first. */
export type Top = readonly KV<string, number>[];

export interface TrendingOptions {
  /** Milliseconds of event time. */
  readonly size: number;
  readonly every: number;
  readonly top: number;
}

/** Korean, English and all other letters; `\w` would miss #서울. */
const TAG = /[#@]+[\p{L}\p{N}_]+/gu;

const FIRINGS = afterWatermark({ early: afterProcessingTime(seconds(1)), late: afterCount(1) });

/** How tweets tell their event time, and how far out of order they come. */
export const BY_EVENT_TIME = eventTime((tweet: Tweet) => tweet.eventTimeMs, { outOfOrderness: OUT_OF_ORDER_MS });

/** The top tags of every window: early each second, on time, and again with each late tweet. Beside it, what came too late. */
export function trending(
  tweets: PCollection<Tweet>,
  options: TrendingOptions,
): { readonly top: PCollection<Top>; readonly late: PCollection<Late<string>> } {
  const counts = tweets
    .flatMap("Tags", (tweet) => tweet.text.match(TAG) ?? [])
    .apply(
      windowInto(slidingWindows({ size: options.size, every: options.every }), {
        trigger: FIRINGS,
        accumulation: "accumulating",
        allowedLateness: seconds(30),
      }),
    )
    .apply("Count", countPerElement());
  const top = counts
    // Counts come tag by tag; what is shown comes once a second for a window, however many tags have changed.
    .apply("Each second", windowInto({ trigger: FIRINGS }))
    .apply("Top", topPerWindow(options.top));
  return { top, late: counts.late };
}

export default pipeline(import.meta, {
  name: "trending",
  options: z.object({
    input: z.string().describe("tweets as NDJSON, with text and eventTimeMs"),
    output: z.string().describe("where the top tags of each pane go, as NDJSON"),
    every: z.number().default(5).describe("seconds from one window to the next"),
    top: z.number().int().default(10).describe("how many tags"),
  }),
  build(p, options) {
    const tweets = p.apply(ndjson.read<Tweet>(options.input, { timestamps: BY_EVENT_TIME }));
    const { top } = trending(tweets, { size: minutes(1), every: seconds(options.every), top: options.top });
    top
      .map("Format", (tags, { window, pane }) => ({ window, timing: pane.timing, tags }))
      .apply(ndjson.write(options.output));
  },
});
