/**
 * Each query computed from a whole list of events, by definition and as plainly as can be, for the tests: windows are looped
 * over, each one looks through the list. It has no code in common with the queries, the generator, or Tidemark.
 */
import type { Auction, Bid, NexmarkEvent, Person } from "./events.ts";

type Row = readonly unknown[];
type Events = readonly NexmarkEvent[];

const bidsOf = (events: Events): Bid[] => events.flatMap((event) => (event.type === "bid" ? [event] : []));
const peopleOf = (events: Events): Person[] => events.flatMap((event) => (event.type === "person" ? [event] : []));
const auctionsOf = (events: Events): Auction[] => events.flatMap((event) => (event.type === "auction" ? [event] : []));

/** The windows `[start, start + size)`, every `every` ms, that hold at least one item, with what they hold. */
function windowed<T>(items: readonly T[], timeOf: (item: T) => number, size: number, every: number): [number, T[]][] {
  const times = items.map(timeOf);
  const first = Math.min(...times);
  const last = Math.max(...times);
  const found: [number, T[]][] = [];
  for (let start = Math.floor((first - size) / every) * every; start <= last; start += every) {
    const inside = items.filter((_, i) => (times[i] as number) >= start && (times[i] as number) < start + size);
    if (inside.length > 0) found.push([start, inside]);
  }
  return found;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => number): [number, T[]][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups];
}

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** An auction with the bid that won it. A bid is forgotten 2 * 16,667 ms after it was made, if its auction is not there then. */
function sales(events: Events): { auction: Auction; winner: Bid }[] {
  const bids = bidsOf(events);
  return auctionsOf(events).flatMap((auction) => {
    const ranked = bids
      .filter((bid) => bid.auction === auction.id && bid.dateTime < auction.expires && bid.price >= auction.reserve)
      .filter((bid) => bid.dateTime + 2 * 16_667 > auction.dateTime)
      .sort((a, b) => b.price - a.price || a.dateTime - b.dateTime || a.bidder - b.bidder);
    return ranked.slice(0, 1).map((winner) => ({ auction, winner }));
  });
}

/** The last row of each seller. Where rows of other sellers lie between them, and how many come before, is not told. */
function lastMeans(events: Events): Row[] {
  return grouped(sales(events), ({ auction }) => auction.seller).map(([seller, sold]) => {
    const last = sold
      .map(({ winner }) => winner)
      .sort((a, b) => b.dateTime - a.dateTime || b.price - a.price)
      .slice(0, 10);
    return [seller, Math.round(mean(last.map(({ price }) => price)))];
  });
}

function sessionsOf(bidder: number, bids: readonly Bid[]): Row[] {
  const rows: [number, number, number, number][] = [];
  for (const time of bids.map(({ dateTime }) => dateTime).sort((a, b) => a - b)) {
    const current = rows.at(-1);
    if (current === undefined || time >= current[2]) rows.push([bidder, time, time + 10_000, 1]);
    else {
      current[2] = time + 10_000;
      current[3]++;
    }
  }
  return rows;
}

/** Rows by query, in no particular order. Of query 6 only the last row of each seller. */
export const BY_LIST: Readonly<Record<number, (events: Events) => readonly Row[]>> = {
  0: (events) => events.map((event) => [event]),
  1: (events) =>
    bidsOf(events).map((bid) => [bid.auction, bid.bidder, Math.floor((bid.price * 89) / 100), bid.dateTime, bid.extra]),
  2: (events) => bidsOf(events).flatMap(({ auction, price }) => (auction % 123 === 0 ? [[auction, price]] : [])),
  3: (events) => {
    const local = peopleOf(events).filter(({ state }) => state === "OR" || state === "ID" || state === "CA");
    const offers = auctionsOf(events).filter(({ category }) => category === 10);
    return local.flatMap(({ id, name, city, state }) =>
      offers.filter(({ seller }) => seller === id).map((auction) => [name, city, state, auction.id]),
    );
  },
  4: (events) =>
    windowed(sales(events), ({ auction }) => auction.expires - 1, 10_000, 5000).flatMap(([start, sold]) =>
      grouped(sold, ({ auction }) => auction.category).map(([category, ofCategory]) => {
        return [start, start + 10_000, category, mean(ofCategory.map(({ winner }) => winner.price))];
      }),
    ),
  5: (events) =>
    windowed(bidsOf(events), ({ dateTime }) => dateTime, 10_000, 5000).flatMap(([start, bids]) => {
      const counts = grouped(bids, ({ auction }) => auction).map(([auction, own]) => [auction, own.length] as const);
      const most = Math.max(...counts.map(([, count]) => count));
      return counts.flatMap(([auction, n]) => (n === most ? [[start, start + 10_000, auction, n]] : []));
    }),
  6: lastMeans,
  7: (events) =>
    windowed(bidsOf(events), ({ dateTime }) => dateTime, 10_000, 10_000).flatMap(([start, bids]) => {
      const highest = Math.max(...bids.map(({ price }) => price));
      return bids.flatMap((bid) => (bid.price === highest ? [[start, bid.auction, bid.bidder, bid.price]] : []));
    }),
  8: (events) =>
    windowed([...events], ({ dateTime }) => dateTime, 10_000, 10_000).flatMap(([start, inside]) =>
      peopleOf(inside).flatMap(({ id, name }) =>
        auctionsOf(inside).flatMap(({ seller, reserve }) => (seller === id ? [[start, id, name, reserve]] : [])),
      ),
    ),
  9: (events) => sales(events).map(({ auction, winner }) => [auction.id, winner.bidder, winner.price, winner.dateTime]),
  11: (events) => grouped(bidsOf(events), ({ bidder }) => bidder).flatMap(([bidder, bids]) => sessionsOf(bidder, bids)),
};
