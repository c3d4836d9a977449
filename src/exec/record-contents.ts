/**
 * What the records of a checkpoint hold, for people: read without the program that wrote them, by their layouts.
 *
 * Only plain data can be shown. What a coder of the program's own has written is said to be so many bytes of it.
 */
import { ByteReader } from "../coders/byte-reader.ts";
import { decodeFromBytes } from "../coders/coder.ts";
import { canonicalCoder } from "../coders/key.ts";
import { valueCoder } from "../coders/value.ts";
import type { StateSpec } from "../fn/state.ts";
import type { CellLayout, RecordLayout } from "../host/layouts.ts";
import type { WindowFn } from "../model/window-fn.ts";
import { itemCoder } from "./cell-items.ts";
import { generalLaneFormat, sliceLaneFormat, windowLaneFormat } from "./record-formats.ts";

/** Stands for what cannot be shown. */
export interface Opaque {
  readonly bytes: number;
  readonly coder: string;
}

/** By the names of cells; of a grouping `accumulator`, and `pane` where it has fired. */
export type Contents = Readonly<Record<string, unknown>>;

/** A key, as plain data where it is that. */
export function keyContents({ key }: RecordLayout, bytes: Uint8Array): unknown {
  return key === canonicalCoder.name ? decodeFromBytes(canonicalCoder, bytes) : opaque(bytes.length, key);
}

function opaque(bytes: number, coder: string): Opaque {
  return { bytes, coder };
}

/** A window as its WindowFn writes it: of most kinds `[start, end]`. */
export function windowContents({ lane }: RecordLayout, bytes: Uint8Array): unknown {
  const input = new ByteReader(bytes);
  if (lane !== "slice") return valueCoder.decode(input);
  if (input.byte() === 0) return valueCoder.decode(input);
  return { slice: [input.float64(), input.float64()] };
}

/** @param layouts by their numbers from 1 @param body as its lane wrote it, without timers @param added to bags since */
export function recordContents(
  layouts: readonly RecordLayout[],
  body: Uint8Array,
  added: readonly Uint8Array[],
): Contents {
  const newest = layouts.at(-1) as RecordLayout;
  if (newest.lane !== "state") return groupingContents(newest, body);
  const input = new ByteReader(body);
  const { cells = [] } = layouts[input.byte() - 1] ?? newest;
  const contents: Record<string, unknown> = {};
  for (const part of [input, ...added.map((bytes) => new ByteReader(bytes))])
    for (const cell of cells) readCell(cell, part, contents);
  return contents;
}

function readCell(cell: CellLayout, input: ByteReader, contents: Record<string, unknown>): void {
  const { name, kind, coder } = cell;
  if (cell.opaque) {
    const bytes = input.length();
    input.view(bytes);
    contents[name] = opaque(bytes, coder);
  } else {
    const items: unknown[] = [];
    const plain = itemCoder({ kind: kind as StateSpec<unknown>["kind"] });
    for (let left = input.varint(); left > 0; left--) items.push(plain.decode(input));
    if (kind === "bag") contents[name] = [...((contents[name] as unknown[] | undefined) ?? []), ...items];
    else if (kind === "value" || kind === "combining") contents[name] = items[0];
    else contents[name] = items;
  }
  if (cell.ttl) input.float64();
}

/** Windows are read elsewhere, so any WindowFn does. */
const ANY_WINDOWS = { kind: "", name: "" } as unknown as WindowFn;

function groupingContents({ lane, accumulator = "" }: RecordLayout, body: Uint8Array): Contents {
  if (accumulator !== valueCoder.name) return { record: opaque(body.length, accumulator) };
  const coders = { key: undefined, accumulator: valueCoder, windowFn: ANY_WINDOWS };
  const format =
    lane === "general"
      ? generalLaneFormat(coders, "")
      : lane === "slice"
        ? sliceLaneFormat(coders)
        : windowLaneFormat(coders);
  const record = format.read(new ByteReader(body), undefined, undefined, undefined as never);
  return { accumulator: record.accumulator, ...(record.pane !== undefined && { pane: record.pane }) };
}
