/**
 * Winning bids: what queries 4, 6 and 9 have in common.
 *
 * B1 An auction is a window of its own, from its opening to its end; what is known of it then is its result.
 * B2 A bid comes with a window that is long enough for its auction to appear, and joins the auction's window if it was made
 *    before the auction's end. Bids that find no auction end with their windows, and come to nothing.
 * B3 The highest bid wins, of equal ones the earlier (of equally early ones that of the lower bidder), if it reaches the
 *    reserve.
 */
import {
  type CombineFn,
  customWindows,
  type KV,
  type Merge,
  type PCollection,
  type Window,
  windowInto,
} from "tidemark";
import { type Auction, type Bid, isAuction, isPerson, type NexmarkEvent } from "../events.ts";
import { AUCTION_DURATION_MS } from "../generator.ts";

/** An auction that is over, and the bid that has won it. */
export interface Sale {
  readonly auction: Auction;
  readonly bid: Bid;
}

/** The sales, each when its auction ends: at `expires` less a millisecond. Auctions without a winner give none. */
export function winningBids(events: PCollection<NexmarkEvent>): PCollection<Sale> {
  return events
    .filter("Auctions and bids", (event): event is Auction | Bid => !isPerson(event))
    .apply("By life of auction", windowInto(auctionWindows))
    .map("By auction", (event): KV<number, Auction | Bid> => [isAuction(event) ? event.id : event.auction, event])
    .combinePerKey("Best bid", bestBid)
    .flatMap("Sold", ([, { auction, bid }]) => {
      return auction !== null && bid !== null && bid.price >= auction.reserve ? [{ auction, bid }] : [];
    });
}

/** `[start, end)` of an auction, or of a bid that waits for its auction. */
interface AuctionWindow extends Window {
  readonly of: "auction" | "bid";
  readonly start: number;
  readonly end: number;
}

function auctionWindow(of: "auction" | "bid", start: number, end: number): AuctionWindow {
  return { of, start, end, maxTimestamp: end - 1, id: `${of} ${start} ${end}` };
}

/** How long a bid waits for its auction. */
const BID_WAITS_MS = 2 * AUCTION_DURATION_MS;

const auctionWindows = customWindows<AuctionWindow>({
  name: `life of auction, bids wait ${BID_WAITS_MS} ms`,
  assign(timestamp, element) {
    const event = element as Auction | Bid;
    return isAuction(event)
      ? [auctionWindow("auction", timestamp, event.expires)]
      : [auctionWindow("bid", timestamp, timestamp + BID_WAITS_MS)];
  },
  // The windows of one key: of one auction.
  merge(windows): readonly Merge<AuctionWindow>[] {
    const auction = windows.find(({ of }) => of === "auction");
    if (auction === undefined) return [];
    const inTime = windows.filter(({ of, start }) => of === "bid" && start < auction.end);
    return inTime.length === 0 ? [] : [{ from: [...inTime, auction], into: auction }];
  },
  toData: ({ of, start, end }) => [of, start, end],
  fromData: (data) => auctionWindow(...(data as ["auction" | "bid", number, number])),
});

/** What is known of an auction. */
interface Standing {
  readonly auction: Auction | null;
  readonly bid: Bid | null;
}

function better(a: Bid | null, b: Bid | null): Bid | null {
  if (a === null || b === null) return a ?? b;
  return (a.price - b.price || b.dateTime - a.dateTime || b.bidder - a.bidder) >= 0 ? a : b;
}

const bestBid: CombineFn<Auction | Bid, Standing, Standing> = {
  name: "BestBid",
  createAccumulator: () => ({ auction: null, bid: null }),
  addInput: ({ auction, bid }, event) =>
    isAuction(event) ? { auction: event, bid } : { auction, bid: better(bid, event) },
  mergeAccumulators: (standings) =>
    standings.reduce((a, b) => ({ auction: a.auction ?? b.auction, bid: better(a.bid, b.bid) })),
  extractOutput: (standing) => standing,
};
