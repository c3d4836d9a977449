import type { PCollection } from "tidemark";
import { isBid, type NexmarkEvent } from "../events.ts";

const EVERY = 123;

/** Query 2: the bids on every 123rd auction. Rows: `[auction, price]`. */
export function onSomeAuctions(
  events: PCollection<NexmarkEvent>,
): PCollection<readonly [auction: number, price: number]> {
  return events
    .filter("Bids", isBid)
    .filter("Every 123rd", ({ auction }) => auction % EVERY === 0)
    .map("Format", ({ auction, price }) => [auction, price] as const);
}
