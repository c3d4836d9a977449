/** Data for the workloads: pure ASCII, the same bytes for the same size. `bench/compare.ts` makes what it needs. */
import { closeSync, openSync, writeSync } from "node:fs";
import { seededRandom } from "../src/base/random.ts";

const START = 1_700_000_000_000;
const SYLLABLES =
  "ba be bi bo ca ce co da de do fa fi ga go ha he ka ki la le lo ma mi mo na no pa pe ra ri ro sa se so ta ti to va we ya".split(
    " ",
  );

type Next = () => number;

function vocabulary(next: Next, size: number): string[] {
  const words = new Set<string>();
  while (words.size < size) {
    let word = "";
    for (let left = 1 + Math.floor(next() * 3); left >= 0; left--)
      word += SYLLABLES[Math.floor(next() * SYLLABLES.length)];
    words.add(word);
  }
  return [...words];
}

/** Log-uniform ranks: a few words are common, most are rare. */
function rank(next: Next, size: number): number {
  return Math.min(size - 1, Math.floor(Math.exp(next() * Math.log(size + 1)) - 1));
}

function textLine(next: Next, words: readonly string[]): string {
  const line = Array.from({ length: 3 + Math.floor(next() * 7) }, () => words[rank(next, words.length)]);
  return next() < 0.12 ? "" : `${line.join(" ")}${next() < 0.2 ? "," : "."}`;
}

function tweetLine(next: Next, words: readonly string[], i: number): string {
  const late = Math.floor(next() < 0.7 ? next() * 1000 : next() * 9900);
  const text = Array.from({ length: 5 + Math.floor(next() * 10) }, () => words[rank(next, words.length)]);
  for (let tags = Math.floor(next() * 3.6); tags > 0; tags--)
    text.push(`${next() < 0.1 ? "@" : "#"}${words[rank(next, 2000)]}`);
  return JSON.stringify({
    user: `u${Math.floor(next() * 100_000)}`,
    text: text.join(" "),
    event_time: START + i - late,
  });
}

function paymentLine(next: Next, i: number): string {
  const q = next();
  const amount = 1 + Math.floor(-40_000 * Math.log(1 - next()));
  return JSON.stringify({
    card: `c${Math.floor(100_000 * q * q)}`,
    amount,
    merchant: `m${Math.floor(next() * 5000)}`,
    event_time: START + i,
  });
}

/** Bids, half of them for the hottest auction, up to 2 s out of order. */
function bidLine(next: Next, i: number): string {
  const live = Math.floor(i / 50);
  const hot = next() < 0.5;
  return JSON.stringify({
    auction: hot ? Math.floor(live / 100) * 100 : Math.max(0, live - Math.floor(next() * 1000)),
    bidder: Math.floor(next() * 50_000),
    price: 1 + Math.floor(next() * 10_000),
    event_time: START + i - Math.floor(next() * 2000),
  });
}

/** A person, then three auctions of people of late. */
function registrationLine(next: Next, i: number): string {
  const people = Math.floor(i / 4);
  if (i % 4 === 0) return JSON.stringify({ type: "person", id: people, name: `p${people}`, event_time: START + i });
  const seller = Math.max(0, people - Math.floor(next() * 5000));
  const reserve = Math.floor(next() * 1000);
  return JSON.stringify({ type: "auction", id: i, seller, reserve, event_time: START + i });
}

/** Writes `count` lines (w1: lines of text) for a workload. */
export function generate(workload: string, count: number, path: string): void {
  const { next } = seededRandom(11);
  const words = vocabulary(next, workload === "w1" ? 4800 : 3000);
  const lineOf: Readonly<Record<string, (i: number) => string>> = {
    w1: () => textLine(next, words),
    w2: (i) => tweetLine(next, words, i),
    w4: (i) => paymentLine(next, i),
    q5: (i) => bidLine(next, i),
    q8: (i) => registrationLine(next, i),
  };
  const makeLine = lineOf[workload];
  if (makeLine === undefined) throw new Error(`there are no data for ${workload}`);
  const file = openSync(path, "w");
  let lines: string[] = [];
  for (let i = 0; i < count; i++) {
    lines.push(makeLine(i));
    if (lines.length === 10_000 || i === count - 1) {
      writeSync(file, `${lines.join("\n")}\n`, null, "latin1");
      lines = [];
    }
  }
  closeSync(file);
}
