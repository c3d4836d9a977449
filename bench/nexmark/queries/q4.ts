import {
  type IntervalWindow,
  meanPerKey,
  type PCollection,
  type KV,
  seconds,
  slidingWindows,
  windowInto,
} from "tidemark";
import type { NexmarkEvent } from "../events.ts";
import { winningBids } from "./winning-bids.ts";

export type CategoryMean = readonly [windowStart: number, windowEnd: number, category: number, mean: number];

/**
 * Query 4: the mean price of what was sold, by category, over the last 10 seconds, every 5 seconds.
 * Rows: `[windowStart, windowEnd, category, mean]`; the mean is not rounded.
 */
export function meanPriceByCategory(events: PCollection<NexmarkEvent>): PCollection<CategoryMean> {
  return events
    .apply("Winning bids", winningBids)
    .map("By category", ({ auction, bid }): KV<number, number> => [auction.category, bid.price])
    .apply(windowInto(slidingWindows({ size: seconds(10), every: seconds(5) })))
    .apply(meanPerKey())
    .map("Format", ([category, mean], { window }): CategoryMean => {
      const { start, end } = window as IntervalWindow;
      return [start, end, category, mean];
    });
}
