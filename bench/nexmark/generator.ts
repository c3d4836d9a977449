/**
 * Nexmark events, generated: the same ones as Apache Beam's generator makes with its default settings.
 *
 * N1 An event is a function of its number alone: its random numbers are those of `new java.util.Random(number)`, drawn in
 *    the order of the fields below. So a reader goes on at any number, and nothing is kept.
 * N2 Of 50 events 1 is a person, 3 are auctions, 46 bids. People and auctions have the numbers 1000, 1001, … in turn.
 * N3 A reference may name a person or an auction that comes up to ten later: joins have to wait.
 * N4 Out of order, events come in groups: each group holds the events that it would hold in order, shuffled.
 */
import type { Batch, PollResult, Source, SourceReader, Timestamp } from "tidemark";
import type { Auction, Bid, NexmarkEvent, Person } from "./events.ts";
import { JavaRandom } from "./java-random.ts";

/** The time of the first event: 2015-07-15T00:00:00Z. */
export const START_MS: number = Date.UTC(2015, 6, 15);
/** Microseconds from one event to the next: Beam's 10,000 events a second from 100 generators side by side. */
export const DELAY_US = 10_000;
/** Auctions that are open at one time; how long one is open follows from it. */
const AUCTIONS_IN_FLIGHT = 100;

const EVENTS_PER_ROUND = 50;
const AUCTIONS_PER_ROUND = 3;
const FIRST_ID = 1000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
const PEOPLE_ACTIVE = 1000;
/** How far ahead of the last person or auction a reference may reach. */
const LEAD = 10;
/** Every so many people or auctions another one is the favourite. */
const FAVOURITE_EVERY = 100;
/** Multiplying by a prime shuffles a group: every place is taken once. */
const SHUFFLE_PRIME = 953;

const PERSON_BYTES = 200;
const AUCTION_BYTES = 500;
const BID_BYTES = 100;

const FIRST_NAMES = "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter".split(",");
const LAST_NAMES = "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris".split(",");
const CITIES = "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne".split(",");
const STATES = "AZ,CA,ID,OR,WA,WY".split(",");

/** How long an auction is open in the mean, in milliseconds, rounded up. */
export const AUCTION_DURATION_MS: number = Math.ceil((Math.floor((DELAY_US * 50) / 3) * AUCTIONS_IN_FLIGHT) / 1000);

/** When event `number` happens. */
export function timeOf(number: number): Timestamp {
  return START_MS + Math.floor((number * DELAY_US) / 1000);
}

function lastPerson(number: number): number {
  return Math.floor(number / EVENTS_PER_ROUND);
}

/** The newest auction when event `number` happens, counted from 0; -1 before the first. */
function lastAuction(number: number): number {
  const round = Math.floor(number / EVENTS_PER_ROUND);
  const place = number % EVENTS_PER_ROUND;
  // The person of a round comes before its auctions.
  if (place === 0) return round * AUCTIONS_PER_ROUND - 1;
  return round * AUCTIONS_PER_ROUND + Math.min(place, AUCTIONS_PER_ROUND) - 1;
}

/** The last favourite not after `newest`. */
function favourite(newest: number): number {
  return Math.floor(newest / FAVOURITE_EVERY) * FAVOURITE_EVERY;
}

const random = new JavaRandom();

/** Event `number`, from 0. */
export function nexmarkEvent(number: number): NexmarkEvent {
  random.reset(number);
  const place = number % EVENTS_PER_ROUND;
  if (place === 0) return person(number);
  return place <= AUCTIONS_PER_ROUND ? auction(number) : bid(number);
}

function person(number: number): Person {
  const name = `${pick(FIRST_NAMES)} ${pick(LAST_NAMES)}`;
  const emailAddress = `${words(7)}@${words(5)}.com`;
  const creditCard = [digits(), digits(), digits(), digits()].join(" ");
  const city = pick(CITIES);
  const state = pick(STATES);
  const size = 8 + name.length + emailAddress.length + creditCard.length + city.length + state.length;
  return {
    type: "person",
    id: FIRST_ID + lastPerson(number),
    name,
    emailAddress,
    creditCard,
    city,
    state,
    dateTime: timeOf(number),
    extra: filler(size, PERSON_BYTES),
  };
}

function auction(number: number): Auction {
  const dateTime = timeOf(number);
  // Three of four are sold by the favourite.
  const seller = FIRST_ID + (random.below(4) > 0 ? favourite(lastPerson(number)) : anyPerson(number));
  const category = FIRST_CATEGORY + random.below(CATEGORIES);
  const initialBid = price();
  const horizon = timeOf(number + Math.floor((AUCTIONS_IN_FLIGHT * EVENTS_PER_ROUND) / AUCTIONS_PER_ROUND)) - dateTime;
  const expires = dateTime + 1 + random.below(Math.max(horizon * 2, 1));
  const itemName = words(20);
  const description = words(100);
  const reserve = initialBid + price();
  const size = 8 + itemName.length + description.length + 5 * 8;
  return {
    type: "auction",
    id: FIRST_ID + lastAuction(number),
    itemName,
    description,
    initialBid,
    reserve,
    dateTime,
    expires,
    seller,
    category,
    extra: filler(size, AUCTION_BYTES),
  };
}

function bid(number: number): Bid {
  // One of two goes to the favourite, and three of four are made by the favourite, who is not the one who sells.
  const on = FIRST_ID + (random.below(2) > 0 ? favourite(lastAuction(number)) : anyAuction(number));
  const bidder = FIRST_ID + (random.below(4) > 0 ? favourite(lastPerson(number)) + 1 : anyPerson(number));
  const offer = price();
  return {
    type: "bid",
    auction: on,
    bidder,
    price: offer,
    dateTime: timeOf(number),
    extra: filler(4 * 8, BID_BYTES),
  };
}

function anyPerson(number: number): number {
  const people = lastPerson(number) + 1;
  const active = Math.min(people, PEOPLE_ACTIVE);
  return people - active + random.below(active + LEAD);
}

function anyAuction(number: number): number {
  const newest = lastAuction(number);
  const oldest = Math.max(newest - AUCTIONS_IN_FLIGHT, 0);
  return oldest + random.below(newest - oldest + 1 + LEAD);
}

function pick(from: readonly string[]): string {
  return from[random.below(from.length)] as string;
}

function digits(): string {
  return String(random.below(10_000)).padStart(4, "0");
}

/** Cents, log-uniform from 1.00 to 1,000,000.00. */
function price(): number {
  return Math.round(10 ** (random.double() * 6) * 100);
}

/** Where texts are put together: adding character after character to a string takes twice the time. */
const text = Buffer.alloc(1024);
const SPACE = 32;
const SMALL_A = 97;

/** Small letters and spaces, 3 to `max - 1`, without spaces at the ends. */
function words(max: number): string {
  const length = 3 + random.below(max - 3);
  for (let i = 0; i < length; i++) text[i] = random.below(13) === 0 ? SPACE : SMALL_A + random.below(26);
  return text.toString("latin1", 0, length).trim();
}

/** Brings an event of `size` bytes to about `wanted`: a fifth more or less. Six characters are made of one draw. */
function filler(size: number, wanted: number): string {
  if (size > wanted) return "";
  const rest = wanted - size;
  const spread = Math.round(rest * 0.2);
  const length = rest - spread + (spread === 0 ? 0 : random.below(2 * spread));
  let draw = 0;
  for (let i = 0; i < length; i++) {
    if (i % 6 === 0) draw = random.int();
    // The remainder is negative where the draw is: characters down to "H" occur.
    text[i] = SMALL_A + (draw % 26);
    draw = (draw / 26) | 0;
  }
  return text.toString("latin1", 0, length);
}

/** How events are generated; all members optional. */
export interface GeneratorOptions {
  /** Events come out of order within groups of this many (N4). Default 1: in order. Not a multiple of 953. */
  readonly groupSize?: number;
}

/** The numbers of events in the order in which they come, and the time before which none comes any more. */
class Order {
  readonly #count: number;
  readonly #groupSize: number;

  constructor(count: number, groupSize: number) {
    this.#count = count;
    this.#groupSize = groupSize;
  }

  #groupStart(index: number): number {
    return index - (index % this.#groupSize);
  }

  /** The number of the event at `index`. A last group that is not full comes in order. */
  at(index: number): number {
    const start = this.#groupStart(index);
    if (start + this.#groupSize > this.#count) return index;
    return start + ((index * SHUFFLE_PRIME) % this.#groupSize);
  }

  watermarkAt(index: number): Timestamp {
    return timeOf(this.#groupStart(index));
  }
}

/**
 * The first `count` events as a source. Its watermark is exact: no event is late.
 * Position: how many have been handed out.
 */
export function nexmarkSource(count: number, options: GeneratorOptions = {}): Source<NexmarkEvent, number, number> {
  const { groupSize = 1 } = options;
  const order = new Order(count, groupSize);
  return Object.freeze({
    name: `nexmark(${count} events${groupSize === 1 ? "" : `, out of order in groups of ${groupSize}`})`,
    bounded: true,
    splits: () => [0],
    open: (_split: number, position: number | undefined) => new NexmarkReader(order, count, position ?? 0),
  });
}

class NexmarkReader implements SourceReader<NexmarkEvent, number> {
  readonly #order: Order;
  readonly #count: number;
  #next: number;

  constructor(order: Order, count: number, next: number) {
    this.#order = order;
    this.#count = count;
    this.#next = next;
  }

  poll(max: number, into: Batch<NexmarkEvent>): PollResult {
    const end = Math.min(this.#count, this.#next + max);
    for (; this.#next < end; this.#next++) {
      const event = nexmarkEvent(this.#order.at(this.#next));
      into.add(event, event.dateTime);
    }
    return this.#next === this.#count ? "end" : "more";
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  position(): number {
    return this.#next;
  }

  watermark(): Timestamp {
    return this.#order.watermarkAt(this.#next);
  }

  close(): void {}
}
