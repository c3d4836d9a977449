/**
 * The Nexmark queries as a program:
 *   npm run -s nexmark -- --query 5 --events 100000 --output hot.ndjson
 * README.md says what each query asks, and what its rows are.
 */
import { existsSync } from "node:fs";
import { eventTime, ndjson, type PCollection, type Pipeline, pipeline, seconds } from "tidemark";
import { z } from "zod";
import type { NexmarkEvent } from "./events.ts";
import { nexmarkSource } from "./generator.ts";
import { passThrough } from "./queries/q0.ts";
import { inEuro } from "./queries/q1.ts";
import { bidsBySession } from "./queries/q11.ts";
import { onSomeAuctions } from "./queries/q2.ts";
import { localOffers } from "./queries/q3.ts";
import { meanPriceByCategory } from "./queries/q4.ts";
import { hotAuctions } from "./queries/q5.ts";
import { meanPriceBySeller } from "./queries/q6.ts";
import { highestBids } from "./queries/q7.ts";
import { newSellers } from "./queries/q8.ts";
import { winners } from "./queries/q9.ts";

/** From the events to the rows of the result, each an array. */
export type Query = (events: PCollection<NexmarkEvent>) => PCollection<readonly unknown[]>;

/** The queries by their numbers. */
export const QUERIES = {
  0: passThrough,
  1: inEuro,
  2: onSomeAuctions,
  3: localOffers,
  4: meanPriceByCategory,
  5: hotAuctions,
  6: meanPriceBySeller,
  7: highestBids,
  8: newSellers,
  9: winners,
  11: bidsBySession,
} as const satisfies Readonly<Record<number, Query>>;

export type QueryNumber = keyof typeof QUERIES;

const NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11] as const satisfies readonly QueryNumber[];

/** The number of events that `text` asks for; `undefined` where it is no number at all, and so a path. */
function countIn(text: string): number | undefined {
  const count = Number(text);
  return text.trim() === "" || Number.isNaN(count) ? undefined : count;
}

const events = z.string().check(({ value, issues }) => {
  const count = countIn(value);
  const message =
    count === undefined
      ? existsSync(value)
        ? undefined
        : `"${value}" is neither a whole number nor a file that exists`
      : Number.isSafeInteger(count) && count >= 0
        ? undefined
        : `${value} is not a whole number of 0 or more`;
  if (message !== undefined) issues.push({ code: "custom", input: value, message });
});

export default pipeline(import.meta, {
  name: "nexmark",
  options: z.object({
    query: z.literal(NUMBERS).describe("which query"),
    events: events.describe("how many events to generate, or a file of them as NDJSON"),
    output: z.string().min(1).describe("where the rows go: a JSON array on each line"),
    groupSize: z
      .number()
      .int()
      .min(1)
      .refine((size) => size % 953 !== 0, "must not be a multiple of 953")
      .default(1)
      .describe("generated events come out of order within groups of so many"),
    outOfOrderness: z.number().min(0).default(10).describe("how many seconds a file's events may be out of order"),
  }),
  build(p, options) {
    const query: Query = QUERIES[options.query];
    query(readEvents(p, options)).apply(ndjson.write(options.output));
  },
});

function readEvents(
  p: Pipeline,
  options: { readonly events: string; readonly groupSize: number; readonly outOfOrderness: number },
): PCollection<NexmarkEvent> {
  const count = countIn(options.events);
  if (count !== undefined) return p.read("Events", nexmarkSource(count, options));
  const outOfOrderness = Math.round(seconds(options.outOfOrderness));
  const timestamps = eventTime((event: NexmarkEvent) => event.dateTime, { outOfOrderness });
  return p.apply("Events", ndjson.read<NexmarkEvent>(options.events, { parse: parseEvent, timestamps }));
}

const TYPES: readonly unknown[] = ["person", "auction", "bid"];

function parseEvent(line: string): NexmarkEvent {
  const event = JSON.parse(line) as Partial<NexmarkEvent> | null;
  if (TYPES.includes(event?.type) && typeof event?.dateTime === "number") return event as NexmarkEvent;
  throw new Error(`an event has a type, one of ${TYPES.join(", ")}, and a dateTime in milliseconds`);
}
