/** The benchmark workloads as a user would write them, on the public API. bench/README.md says what each one is. */
import {
  afterProcessingTime,
  afterWatermark,
  coGroupByKey,
  combineGlobally,
  countPerElement,
  eventTime,
  eventTimer,
  fixedWindows,
  type IntervalWindow,
  type KV,
  MIN_TIMESTAMP,
  ndjson,
  orderedListState,
  output,
  type PCollection,
  type Pipeline,
  pipeline,
  type Program,
  seconds,
  slidingWindows,
  text,
  type Window,
  type WindowFn,
  windowInto,
} from "tidemark";
import { mostFn } from "./most.ts";

interface Tweet {
  readonly user: string;
  readonly text: string;
  readonly event_time: number;
}

interface Payment {
  readonly card: string;
  readonly amount: number;
  readonly merchant: string;
  readonly event_time: number;
}

const WORD = /[A-Za-z']+/g;
const TAG = /[#@]+\w+/g;
const NONE: readonly string[] = [];

/** Batch word count. */
function words(split: (line: string) => Iterable<string>): (p: Pipeline, input: string, out: string) => void {
  return (p, input, out) => {
    p.apply(text.read(`${input}.txt`))
      .flatMap("Words", (line) => split(line))
      .apply(countPerElement())
      .map("Format", ([word, count]) => `${word}: ${count}`)
      .apply(text.write(out));
  };
}

function* eachWord(line: string): Generator<string> {
  for (const [word] of line.matchAll(WORD)) yield word;
}

function startOf(window: Window): number {
  return (window as IntervalWindow).start;
}

type TimedText = Pick<Tweet, "text" | "event_time">;

const timestamps = eventTime((tweet: TimedText) => tweet.event_time, { outOfOrderness: seconds(10) });

/** Lines parsed as a whole. */
function anyTweets(p: Pipeline, input: string): PCollection<TimedText> {
  return p.apply(ndjson.read<Tweet>(`${input}.ndjson`, { timestamps }));
}

/** Only the fields that are used are read. */
function typedTweets(p: Pipeline, input: string): PCollection<TimedText> {
  return p.apply(ndjson.read(`${input}.ndjson`, { fields: { text: "string", event_time: "integer" }, timestamps }));
}

/** Hashtags counted in windows of event time, at most 10 s out of order. */
function tags(
  windowFn: WindowFn,
  tweets: (p: Pipeline, input: string) => PCollection<TimedText> = anyTweets,
): (p: Pipeline, input: string, out: string) => void {
  return (p, input, out) => {
    tweets(p, input)
      .flatMap("Tags", (tweet) => tweet.text.match(TAG) ?? NONE)
      .apply(windowInto(windowFn))
      .apply(countPerElement())
      .map("Format", ([tag, count], { window }) => `${startOf(window)}\t${tag}\t${count}`)
      .apply(text.write(out));
  };
}

/** As `tags`, with what each window has every second of processing time too; only the panes on time are written. */
function earlyTags(windowFn: WindowFn): (p: Pipeline, input: string, out: string) => void {
  return (p, input, out) => {
    anyTweets(p, input)
      .flatMap("Tags", (tweet) => tweet.text.match(TAG) ?? NONE)
      .apply(
        windowInto(windowFn, {
          trigger: afterWatermark({ early: afterProcessingTime(seconds(1)) }),
          accumulation: "accumulating",
        }),
      )
      .apply(countPerElement())
      .flatMap("Format", ([tag, count], { window, pane }) =>
        pane.timing === "ON_TIME" ? [`${startOf(window)}\t${tag}\t${count}`] : NONE,
      )
      .apply(text.write(out));
  };
}

/** Cards with more than 3 payments of more than 200,000 together within 60 s. */
function w4(p: Pipeline, input: string, out: string): void {
  p.apply(ndjson.read<Payment>(`${input}.ndjson`, { timestamps: eventTime((payment) => payment.event_time) }))
    .map("By card", (payment): KV<string, Payment> => [payment.card, payment])
    .parDo("Watch", {
      state: { recent: orderedListState<number>() },
      timers: { quiet: eventTimer() },
      outputs: { main: output<string>() },
      process([card, { amount, event_time: time }], { state, timers, output }) {
        const { recent } = state;
        recent.clearRange(MIN_TIMESTAMP, time - seconds(60) + 1);
        recent.add(amount, time);
        if (recent.size > 3) {
          let sum = 0;
          for (const { value } of recent.read()) sum += value;
          if (sum > 200_000) output(`${card}\t${time}\t${recent.size}\t${sum}`);
        }
        timers.quiet.set(time + seconds(60));
      },
      onTimer: {
        quiet({ state }) {
          state.recent.clear();
        },
      },
    })
    .apply(text.write(out));
}

interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly event_time: number;
}

/** The auctions with the most bids of the last 60 s, every 5 s; bids are at most 2 s out of order. */
function q5(p: Pipeline, input: string, out: string): void {
  const bidTimes = eventTime((bid: Bid) => bid.event_time, { outOfOrderness: seconds(2) });
  p.apply(ndjson.read<Bid>(`${input}.ndjson`, { timestamps: bidTimes }))
    .map("Auction", (bid) => bid.auction)
    .apply(windowInto(slidingWindows({ size: seconds(60), every: seconds(5) })))
    .apply(countPerElement())
    .apply("Most", combineGlobally(mostFn, { withDefault: false }))
    .flatMap("Format", ({ auctions, count }, { window }) =>
      auctions.map((auction) => `${startOf(window)}\t${auction}\t${count}`),
    )
    .apply(text.write(out));
}

interface Person {
  readonly type: "person";
  readonly id: number;
  readonly name: string;
  readonly event_time: number;
}

interface Auction {
  readonly type: "auction";
  readonly seller: number;
  readonly event_time: number;
}

const isPerson = (event: Person | Auction): event is Person => event.type === "person";
const isAuction = (event: Person | Auction): event is Auction => event.type === "auction";

/** Who registered and opened an auction within the same 10 s. */
function q8(p: Pipeline, input: string, out: string): void {
  const inOrder = eventTime((event: Person | Auction) => event.event_time);
  const events = p
    .apply(ndjson.read<Person | Auction>(`${input}.ndjson`, { timestamps: inOrder }))
    .apply(windowInto(fixedWindows(seconds(10))));
  const names = events.filter("People", isPerson).map("By id", ({ id, name }): KV<number, string> => [id, name]);
  const auctions = events
    .filter("Auctions", isAuction)
    .map("By seller", ({ seller }): KV<number, null> => [seller, null]);
  coGroupByKey("Join", { names, auctions })
    .flatMap("Format", ([id, both], { window }) =>
      both.auctions.length === 0 ? [] : both.names.map((name) => `${startOf(window)}\t${id}\t${name}`),
    )
    .apply(text.write(out));
}

const BUILDERS: Readonly<Record<string, (p: Pipeline, input: string, out: string) => void>> = {
  w1: words((line) => line.match(WORD) ?? NONE),
  "w1-generator": words(eachWord),
  w2: tags(fixedWindows(seconds(5))),
  "w2-typed": tags(fixedWindows(seconds(5)), typedTweets),
  w3: tags(slidingWindows({ size: seconds(60), every: seconds(5) })),
  "w3-early": earlyTags(slidingWindows({ size: seconds(60), every: seconds(5) })),
  w4,
  q5,
  q8,
};

/** The names of the file workloads. */
export const WORKLOADS: readonly string[] = Object.keys(BUILDERS);

/** Builds the pipeline of a workload: see `workload`. */
export function buildWorkload(p: Pipeline, name: string, input: string, out: string): void {
  (BUILDERS[name] as (p: Pipeline, input: string, out: string) => void)(p, input, out);
}

/** The program of a workload. @param input path of the data without its ending @param out path of the result */
export function workload(name: string, input: string, out: string): Program {
  return pipeline({ name, build: (p) => buildWorkload(p, name, input, out) }) as Program;
}
