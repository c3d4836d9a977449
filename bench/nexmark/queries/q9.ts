import type { PCollection } from "tidemark";
import type { NexmarkEvent } from "../events.ts";
import { winningBids } from "./winning-bids.ts";

export type WinningBid = readonly [auction: number, bidder: number, price: number, bidTime: number];

/** Query 9: the bid that wins, for each auction that has one. Rows: `[auction, bidder, price, bidTime]`. */
export function winners(events: PCollection<NexmarkEvent>): PCollection<WinningBid> {
  return events
    .apply("Winning bids", winningBids)
    .map("Format", ({ auction, bid }): WinningBid => [auction.id, bid.bidder, bid.price, bid.dateTime]);
}
