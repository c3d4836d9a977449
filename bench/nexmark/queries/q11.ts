import {
  afterCount,
  afterWatermark,
  countPerElement,
  type IntervalWindow,
  type PCollection,
  seconds,
  sessions,
  windowInto,
} from "tidemark";
import { isBid, type NexmarkEvent } from "../events.ts";

export type SessionCount = readonly [bidder: number, sessionStart: number, sessionEnd: number, count: number];

/** A session of more bids than this is told in parts, whose counts add up. */
const PART = 100_000;

/**
 * Query 11: how many bids does a bidder make in one session, that is until 10 seconds pass without one?
 * Rows: `[bidder, sessionStart, sessionEnd, count]`; a session ends 10 seconds after its last bid.
 */
export function bidsBySession(events: PCollection<NexmarkEvent>): PCollection<SessionCount> {
  return events
    .filter("Bids", isBid)
    .map("Bidder", ({ bidder }) => bidder)
    .apply(
      windowInto(sessions(seconds(10)), {
        trigger: afterWatermark({ early: afterCount(PART), late: afterCount(1) }),
        accumulation: "discarding",
        allowedLateness: seconds(1),
      }),
    )
    .apply(countPerElement())
    .map("Format", ([bidder, count], { window }): SessionCount => {
      const { start, end } = window as IntervalWindow;
      return [bidder, start, end, count];
    });
}
