/**
 * The same workloads by hand: one loop, Maps, no framework. What the machine's Node can do with a general JSON parser.
 *   plain.ts <w1|w2|w3|w4|q5|q8> DATA_PREFIX OUT_DIR
 */
import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";

interface Count {
  n: number;
}
type Counts = Map<string, Count>;

function* chunksOfLines(path: string): Generator<string[]> {
  const file = openSync(path, "r");
  const buffer = Buffer.allocUnsafe(1 << 18);
  let rest = "";
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
    const lines = (rest + buffer.toString("latin1", 0, read)).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
  closeSync(file);
}

class Out {
  readonly #file: number;
  #text = "";

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }
  put(line: string): void {
    this.#text += line;
    if (this.#text.length > 1 << 18) this.#flush();
  }
  #flush(): void {
    if (this.#text !== "") writeSync(this.#file, this.#text, null, "latin1");
    this.#text = "";
  }
  close(): void {
    this.#flush();
    closeSync(this.#file);
  }
}

function add(counts: Counts, key: string): void {
  const found = counts.get(key);
  if (found === undefined) counts.set(key, { n: 1 });
  else found.n++;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 39;
}

function w1(input: string, out: Out): void {
  const counts: Counts = new Map();
  for (const lines of chunksOfLines(`${input}.txt`)) {
    for (const line of lines) {
      let from = -1;
      for (let i = 0; i <= line.length; i++) {
        const letter = i < line.length && isLetter(line.charCodeAt(i));
        if (letter && from < 0) from = i;
        else if (!letter && from >= 0) {
          add(counts, line.slice(from, i));
          from = -1;
        }
      }
    }
  }
  for (const [word, { n }] of counts) out.put(`${word}: ${n}\n`);
}

const TAG = /[#@]+\w+/g;

function addTags(line: string, counts: (time: number) => Counts): number {
  const { text, event_time: time } = JSON.parse(line) as { text: string; event_time: number };
  const into = counts(time);
  TAG.lastIndex = 0;
  for (let match = TAG.exec(text); match !== null; match = TAG.exec(text)) add(into, match[0]);
  return time;
}

function addBid(line: string, counts: (time: number) => Counts): number {
  const { auction, event_time: time } = JSON.parse(line) as { auction: string; event_time: number };
  add(counts(time), auction);
  return time;
}

/**
 * Counts by fixed windows of 5 s; `close` gets them in order, once nothing can come for them.
 * @param addLine counts what is in a line, and returns its time
 */
function windows(
  input: string,
  outOfOrder: number,
  addLine: (line: string, counts: (time: number) => Counts) => number,
  close: (start: number, counts: Counts) => void,
): void {
  const open = new Map<number, Counts>();
  const waits = 5000 + outOfOrder;
  let latest = -Infinity;
  let next = Infinity;
  const countsOf = (time: number): Counts => {
    const start = time - (time % 5000);
    let counts = open.get(start);
    if (counts === undefined) {
      open.set(start, (counts = new Map()));
      next = Math.min(next, start + waits);
    }
    return counts;
  };
  for (const lines of chunksOfLines(`${input}.ndjson`)) {
    for (const line of lines) {
      const time = addLine(line, countsOf);
      if (time <= latest) continue;
      latest = time;
      while (latest >= next && open.size > 0) {
        const due = next - waits;
        const closing = open.get(due);
        if (closing !== undefined) close(due, closing);
        open.delete(due);
        next += 5000;
      }
    }
  }
  for (const start of [...open.keys()].toSorted((a, b) => a - b)) close(start, open.get(start) as Counts);
}

function w2(input: string, out: Out): void {
  windows(input, 10_000, addTags, (start, counts) => {
    for (const [tag, { n }] of counts) out.put(`${start}\t${tag}\t${n}\n`);
  });
}

/** A running total over twelve slices of 5 s: add the new one, take the oldest away. `emit` gets each window of 60 s. */
function sliding(emit: (start: number, total: Counts) => void): {
  close: (start: number, counts: Counts) => void;
  end: () => void;
} {
  const slices = new Map<number, Counts>();
  const total: Counts = new Map();
  let last: number | undefined;
  const step = (slice: number): void => {
    for (const [key, { n }] of slices.get(slice) ?? []) {
      const found = total.get(key);
      if (found === undefined) total.set(key, { n });
      else found.n += n;
    }
    for (const [key, { n }] of slices.get(slice - 60_000) ?? []) {
      const found = total.get(key) as Count;
      found.n -= n;
      if (found.n === 0) total.delete(key);
    }
    slices.delete(slice - 60_000);
    if (total.size > 0) emit(slice - 55_000, total);
    last = slice;
  };
  return {
    close(start, counts) {
      if (last !== undefined) for (let slice = last + 5000; slice < start && total.size > 0; slice += 5000) step(slice);
      slices.set(start, counts);
      step(start);
    },
    end() {
      while (total.size > 0) step((last as number) + 5000);
    },
  };
}

function w3(input: string, out: Out): void {
  const { close, end } = sliding((start, total) => {
    for (const [tag, { n }] of total) out.put(`${start}\t${tag}\t${n}\n`);
  });
  windows(input, 10_000, addTags, close);
  end();
}

function q5(input: string, out: Out): void {
  const { close, end } = sliding((start, total) => {
    let most = 0;
    for (const { n } of total.values()) most = Math.max(most, n);
    for (const [auction, { n }] of total) if (n === most) out.put(`${start}\t${auction}\t${n}\n`);
  });
  windows(input, 2000, addBid, close);
  end();
}

/** In order of time: a window of 10 s is over when the next one begins. */
function q8(input: string, out: Out): void {
  interface Registration {
    readonly type: string;
    readonly id: number;
    readonly name: string;
    readonly seller: number;
    readonly event_time: number;
  }
  let window = -1;
  const names = new Map<number, string>();
  const sellers = new Set<number>();
  const close = (): void => {
    for (const [id, name] of names) if (sellers.has(id)) out.put(`${window}\t${id}\t${name}\n`);
    names.clear();
    sellers.clear();
  };
  for (const lines of chunksOfLines(`${input}.ndjson`)) {
    for (const line of lines) {
      const event = JSON.parse(line) as Registration;
      const start = event.event_time - (event.event_time % 10_000);
      if (start !== window) {
        close();
        window = start;
      }
      if (event.type === "person") names.set(event.id, event.name);
      else sellers.add(event.seller);
    }
  }
  close();
}

function w4(input: string, out: Out): void {
  const cards = new Map<string, { times: number[]; amounts: number[]; sum: number }>();
  // What a timer does: a card is forgotten 60 s after its last payment.
  const times: number[] = [];
  const names: string[] = [];
  let due = 0;
  for (const lines of chunksOfLines(`${input}.ndjson`)) {
    for (const line of lines) {
      const {
        card,
        amount,
        event_time: time,
      } = JSON.parse(line) as { card: string; amount: number; event_time: number };
      let recent = cards.get(card);
      if (recent === undefined) cards.set(card, (recent = { times: [], amounts: [], sum: 0 }));
      let old = 0;
      while (old < recent.times.length && (recent.times[old] as number) <= time - 60_000)
        recent.sum -= recent.amounts[old++] as number;
      if (old > 0) {
        recent.times.splice(0, old);
        recent.amounts.splice(0, old);
      }
      recent.times.push(time);
      recent.amounts.push(amount);
      recent.sum += amount;
      if (recent.times.length > 3 && recent.sum > 200_000)
        out.put(`${card}\t${time}\t${recent.times.length}\t${recent.sum}\n`);
      times.push(time);
      names.push(card);
      for (; (times[due] as number) <= time - 60_000; due++) {
        const name = names[due] as string;
        if (cards.get(name)?.times.at(-1) === times[due]) cards.delete(name);
      }
      if (due > 65_536) {
        times.splice(0, due);
        names.splice(0, due);
        due = 0;
      }
    }
  }
}

const LOOPS: Readonly<Record<string, (input: string, out: Out) => void>> = { w1, w2, w3, w4, q5, q8 };
const [name = "", input = "", folder = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const out = new Out(`${folder}/part-0`);
(LOOPS[name] as (input: string, out: Out) => void)(input, out);
out.close();
