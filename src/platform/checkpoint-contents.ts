/** What lies in the newest good checkpoint of a folder, record by record. Path: cli/savepoint.ts -> HERE. */
import { ByteReader } from "../coders/byte-reader.ts";
import type { StageFacts } from "../engine/freezing.ts";
import { readTimers } from "../engine/record-chunks.ts";
import { stageFacts } from "../engine/step-changes.ts";
import type { SavedTimer } from "../engine/timers.ts";
import { type Contents, keyContents, recordContents, windowContents } from "../exec/record-contents.ts";
import { layoutText, type RecordLayout } from "../host/layouts.ts";
import type { Entry, Snapshot } from "../host/snapshot.ts";
import { reading } from "./checkpoint-folder.ts";
import { type CheckpointReader, type CheckpointRow, problemOf } from "./checkpoint-reader.ts";

/** One key of one window, as far as it is plain data. */
export interface RecordFacts {
  readonly step: string;
  /** As its WindowFn writes it: of most kinds `[start, end]`. */
  readonly window: unknown;
  readonly key: unknown;
  readonly contents: Contents;
  readonly timers: readonly SavedTimer[];
}

/** What a step has beside its records. */
export interface StepContents {
  readonly step: string;
  readonly input: number;
  readonly output: number;
  readonly layout?: string;
  /** Where a source stands. */
  readonly reading?: unknown;
}

/** @param visit given a snapshot that can be read until it returns @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED */
export function withNewest<T>(folder: string, visit: (snapshot: Snapshot, row: CheckpointRow) => T): T | undefined {
  return reading(folder, (reader) => {
    const found = newestIn(reader);
    return found && visit(found.snapshot, found.row);
  });
}

function newestIn(reader: CheckpointReader): { snapshot: Snapshot; row: CheckpointRow } | undefined {
  const folded = Number(reader.meta().get("folded") ?? 0);
  for (const row of reader.checkpoints()) {
    const chunks = reader.chunks(row.epoch);
    if (row.epoch < folded || problemOf(row, chunks, folded) !== "") continue;
    return { snapshot: reader.snapshot(row, chunks, folded), row };
  }
  return undefined;
}

export function stepsIn(snapshot: Snapshot): readonly StepContents[] {
  return [...stageFacts(snapshot)].map(([step, { input, output, layouts, reading: position }]) => ({
    step,
    input,
    output,
    ...(layouts && { layout: layoutText(layouts.at(-1) as RecordLayout) }),
    ...(position !== undefined && { reading: position }),
  }));
}

/** The records of a step. */
export function* recordsIn(snapshot: Snapshot, step: string): Generator<RecordFacts> {
  const layouts = stageFacts(snapshot).get(step)?.layouts;
  if (layouts === undefined) return;
  for (const entry of snapshot.entries("records", step)) yield recordOf(step, layouts, entry);
}

function recordOf(step: string, layouts: readonly RecordLayout[], { window, key, bodies }: Entry): RecordFacts {
  const [body, ...added] = bodies;
  const input = new ByteReader(body as Uint8Array);
  const timers = readTimers(input);
  const newest = layouts.at(-1) as RecordLayout;
  return {
    step,
    window: windowContents(newest, window),
    key: keyContents(newest, key),
    contents: recordContents(layouts, input.view(input.remaining), added),
    timers,
  };
}

/** How one step differs between two folders. */
export interface StepDifference {
  readonly step: string;
  readonly layouts?: readonly [before: string, after: string];
  readonly onlyBefore: number;
  readonly onlyAfter: number;
  readonly changed: number;
  readonly same: number;
  /** The first of those that differ. */
  readonly first: readonly { readonly before?: RecordFacts; readonly after?: RecordFacts }[];
}

/** @param most how many records that differ are told of for each step */
export function differences(before: Snapshot, after: Snapshot, most: number): readonly StepDifference[] {
  const [was, is] = [stageFacts(before), stageFacts(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((step) => {
    const layouts = [was, is].map((facts) => layoutIn(facts.get(step))) as [string, string];
    const [left, right] = [
      { snapshot: before, layouts: was.get(step)?.layouts ?? [] },
      { snapshot: after, layouts: is.get(step)?.layouts ?? [] },
    ];
    const difference = compare(step, left, right, most);
    const isLayout = layouts[0] !== layouts[1];
    const { onlyBefore, onlyAfter, changed } = difference;
    if (!isLayout && onlyBefore + onlyAfter + changed === 0) return [];
    return [{ ...difference, ...(isLayout && { layouts }) }];
  });
}

function layoutIn(facts: StageFacts | undefined): string {
  if (facts === undefined) return "no such step";
  return facts.layouts === undefined ? "nothing" : layoutText(facts.layouts.at(-1) as RecordLayout);
}

/** One side of a comparison of a step. */
interface Side {
  readonly snapshot: Snapshot;
  readonly layouts: readonly RecordLayout[];
}

function compare(step: string, before: Side, after: Side, most: number): StepDifference {
  const left = new Map(Array.from(before.snapshot.entries("records", step), (entry) => [placeOf(entry), entry]));
  const first: { before?: RecordFacts; after?: RecordFacts }[] = [];
  const facts = ({ layouts }: Side, entry: Entry): RecordFacts => recordOf(step, layouts, entry);
  const tell = (one: (typeof first)[number]): void => {
    if (first.length < most) first.push(one);
  };
  let [onlyAfter, changed, same] = [0, 0, 0];
  for (const entry of after.snapshot.entries("records", step)) {
    const place = placeOf(entry);
    const other = left.get(place);
    left.delete(place);
    if (other === undefined) {
      onlyAfter++;
      tell({ after: facts(after, entry) });
    } else if (bodyOf(other) === bodyOf(entry)) same++;
    else {
      changed++;
      tell({ before: facts(before, other), after: facts(after, entry) });
    }
  }
  for (const entry of left.values()) tell({ before: facts(before, entry) });
  return { step, onlyBefore: left.size, onlyAfter, changed, same, first };
}

function placeOf({ window, key }: Entry): string {
  return `${Buffer.from(window).toString("latin1")}\n${Buffer.from(key).toString("latin1")}`;
}

function bodyOf({ bodies }: Entry): string {
  return bodies.map((body) => Buffer.from(body).toString("latin1")).join("\n");
}
