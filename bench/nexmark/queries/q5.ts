import {
  combineGlobally,
  countPerElement,
  type IntervalWindow,
  type PCollection,
  seconds,
  slidingWindows,
  windowInto,
} from "tidemark";
import { mostFn } from "../../most.ts";
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
