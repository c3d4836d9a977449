import {
  coGroupByKey,
  fixedWindows,
  type IntervalWindow,
  type KV,
  type PCollection,
  seconds,
  windowInto,
} from "tidemark";
import { isAuction, isPerson, type NexmarkEvent } from "../events.ts";

export type NewSeller = readonly [start: number, person: number, name: string, reserve: number];

/**
 * Query 8: who has registered and opened an auction within the same 10 seconds? A row for each such auction:
 * `[start, person, name, reserve]`.
 */
export function newSellers(events: PCollection<NexmarkEvent>): PCollection<NewSeller> {
  const windowed = events.apply(windowInto(fixedWindows(seconds(10))));
  const names = windowed.filter("People", isPerson).map("By id", ({ id, name }): KV<number, string> => [id, name]);
  const reserves = windowed
    .filter("Auctions", isAuction)
    .map("By seller", ({ seller, reserve }): KV<number, number> => [seller, reserve]);
  return coGroupByKey("Join", { names, reserves }).flatMap("Format", ([person, { names, reserves }], { window }) => {
    const { start } = window as IntervalWindow;
    return names.flatMap((name) => reserves.map((reserve): NewSeller => [start, person, name, reserve]));
  });
}
