/**
 * Reading declared fields against `JSON.parse`, without a pipeline around it:
 *   node --conditions=tidemark-source bench/scan.ts [json|all|used|none] [w2|w4]
 * Prints the least and the middle of 12 rounds over the same bytes, in nanoseconds of CPU for each record. One way of reading
 * in each process, as V8 compiles code for all that it has seen.
 *
 * json: lines as strings, `JSON.parse`; all: all fields declared; used: those that the workload needs; none: only its time.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fields, shapeOf } from "../src/io/ndjson/fields.ts";
import { RecordReader } from "../src/io/ndjson/record-reader.ts";
import { generate } from "./generate.ts";

const RECORDS = 240_000;
const ROUNDS = 12;
const CHUNK_BYTES = 64 * 1024;
const LF = 10;

const DECLARED: Readonly<Record<string, Readonly<Record<string, Fields>>>> = {
  w2: {
    all: { user: "string", text: "string", event_time: "integer" },
    used: { text: "string", event_time: "integer" },
    none: { event_time: "integer" },
  },
  w4: {
    all: { card: "string", amount: "number", merchant: "string", event_time: "integer" },
    used: { card: "string", amount: "number", event_time: "integer" },
    none: { event_time: "integer" },
  },
};

const [way = "all", workload = "w2"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "tidemark-scan-"));
generate(workload, RECORDS, join(folder, "data"));
const data = readFileSync(join(folder, "data"));
rmSync(folder, { recursive: true });

interface Timed {
  readonly event_time: number;
}

/** Some records live for a while, as they do in a pipeline. */
const kept: unknown[] = [];
let sum = 0;

function take(record: unknown, i: number): void {
  kept[i & 255] = record;
  sum += (record as Timed).event_time;
}

/** Reads a chunk, of which the line feed at `to` is the last. @returns how many records it has */
type ReadChunk = (chunk: Buffer, to: number) => number;

function byParsing(chunk: Buffer, to: number): number {
  const lines = chunk.toString("latin1", 0, to).split("\n");
  lines.forEach((line, i) => take(JSON.parse(line), i));
  return lines.length;
}

function byFields(fields: Fields): ReadChunk {
  const records = new RecordReader(shapeOf(fields));
  return (chunk, to) => {
    records.scanner.load(chunk, to, "one");
    let count = 0;
    for (let at = 0; at < to; at = records.scanner.at + 1) take(records.read(at), count++);
    return count;
  };
}

function nanosecondsPerRecord(read: ReadChunk): number {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES + 8);
  const before = process.cpuUsage();
  let count = 0;
  for (let at = 0; at < data.length;) {
    const end = data.lastIndexOf(LF, at + CHUNK_BYTES - 1) + 1;
    data.copy(chunk, 0, at, end);
    count += read(chunk, end - at - 1);
    at = end;
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

const fields = DECLARED[workload]?.[way];
const read = fields === undefined ? byParsing : byFields(fields);
const rounds = Array.from({ length: ROUNDS }, () => nanosecondsPerRecord(read)).toSorted((a, b) => a - b);
const [least, middle] = [rounds[0] as number, rounds[ROUNDS / 2] as number];
process.stdout.write(`${workload} ${way}: ${least.toFixed(0)} ns, middle ${middle.toFixed(0)} ns (sum ${sum})\n`);
