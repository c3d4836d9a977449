import { fixedWindows, type IntervalWindow, maxGlobally, type PCollection, seconds, windowInto } from "tidemark";
import { isBid, type NexmarkEvent } from "../events.ts";

export type HighestBid = readonly [start: number, auction: number, bidder: number, price: number];

/**
 * Query 7: the highest bids of every 10 seconds; all of them where several are equal. Rows: `[start, auction, bidder, price]`.
 *
 * The highest price of a window is a side input: bids wait for it until their window is over.
 */
export function highestBids(events: PCollection<NexmarkEvent>): PCollection<HighestBid> {
  const bids = events.filter("Bids", isBid).apply(windowInto(fixedWindows(seconds(10))));
  const highest = bids
    .map("Price", ({ price }) => price)
    .apply("Highest", maxGlobally({ withDefault: false }))
    .asSingleton("Highest price");
  return bids
    .filter("Are highest", ({ price }, { sideInputs }) => price === sideInputs.highest, { sideInputs: { highest } })
    .map("Format", ({ auction, bidder, price }, { window }): HighestBid => {
      return [(window as IntervalWindow).start, auction, bidder, price];
    });
}
