import {
  combineGlobally,
  type CombineFn,
  countPerElement,
  type IntervalWindow,
  type KV,
  type PCollection,
  seconds,
  slidingWindows,
  windowInto,
} from "tidemark";
import { isBid, type NexmarkEvent } from "../events.ts";

export type HotAuction = readonly [start: number, end: number, auction: number, count: number];

/**
 * Query 5: the auctions with the most bids in the last 10 seconds, every 5 seconds; all of them where several have the most.
 * Rows: `[start, end, auction, count]`.
 */
export function hotAuctions(events: PCollection<NexmarkEvent>): PCollection<HotAuction> {
  return events
    .filter("Bids", isBid)
    .map("Auction", ({ auction }) => auction)
    .apply(windowInto(slidingWindows({ size: seconds(10), every: seconds(5) })))
    .apply(countPerElement())
    .apply("Most", combineGlobally(mostFn, { withDefault: false }))
    .flatMap("Format", ({ auctions, count }, { window }) => {
      const { start, end } = window as IntervalWindow;
      return auctions.map((auction): HotAuction => [start, end, auction, count]);
    });
}

/** All auctions with the greatest count. */
interface Most {
  count: number;
  auctions: number[];
}

const mostFn: CombineFn<KV<number, number>, Most, Most> = {
  name: "Most",
  createAccumulator: () => ({ count: 0, auctions: [] }),
  addInput: (most, [auction, count]) => add(most, [auction], count),
  mergeAccumulators: ([first, ...others]) =>
    others.reduce((most, { auctions, count }) => add(most, auctions, count), first as Most),
  extractOutput: (most) => most,
};

function add(most: Most, auctions: readonly number[], count: number): Most {
  if (count > most.count) return { count, auctions: [...auctions] };
  if (count === most.count) most.auctions.push(...auctions);
  return most;
}
