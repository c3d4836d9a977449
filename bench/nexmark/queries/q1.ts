import type { PCollection } from "tidemark";
import { isBid, type NexmarkEvent } from "../events.ts";

export type BidInEuro = readonly [auction: number, bidder: number, euroCents: number, bidTime: number, extra: string];

/** Query 1: bids in euro, at 89 cents for a dollar, rounded down. Rows: `[auction, bidder, price, bidTime, extra]`. */
export function inEuro(events: PCollection<NexmarkEvent>): PCollection<BidInEuro> {
  return events.filter("Bids", isBid).map("To euro", ({ auction, bidder, price, dateTime, extra }): BidInEuro => {
    return [auction, bidder, Math.floor((price * 89) / 100), dateTime, extra];
  });
}
