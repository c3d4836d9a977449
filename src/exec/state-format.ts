/**
 * How the records of stateful DoFns are written into checkpoints, and read again, also by later versions of the program.
 *
 * F1 A record begins with the number of its layout (host/layouts): cells lie in the order of that one.
 * F2 Cells whose items are no plain data have their length before them, so that they can be passed over without their coder.
 */
import { TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";
import { preview } from "../base/preview.ts";
import { type ByteReader, corrupt } from "../coders/byte-reader.ts";
import type { ByteWriter } from "../coders/byte-writer.ts";
import type { Coder, DeterministicCoder } from "../coders/coder.ts";
import { timestampCoder } from "../coders/instant.ts";
import { keyCoderFor } from "../coders/key.ts";
import { valueCoder } from "../coders/value.ts";
import { windowCoder } from "../coders/windows.ts";
import type { StateMigration, StateSpec, StateSpecs } from "../fn/state.ts";
import { type CellLayout, howToRead, livesOn, type RecordLayout } from "../host/layouts.ts";
import type { MapKey, RecordFormat } from "../host/records.ts";
import type { Timestamp } from "../model/time.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";
import { dataOf, itemCoder, itemsOf } from "./cell-items.ts";
import { cellOf, recordsOf, setCell, type StateRecord } from "./state-record.ts";
import { endOf, headOf, sizeOf, type TimeOrdered } from "./time-ordered.ts";

type Spec = StateSpec<unknown>;

/** A cell as this version of the program has it. */
interface Cell {
  readonly name: string;
  readonly spec: Spec;
  readonly coder: Coder<unknown>;
  readonly opaque: boolean;
}

/** Reads one cell of a record in an earlier layout; `index` -1 where it is passed over. */
interface CellReader {
  readonly index: number;
  readonly opaque: boolean;
  readonly ttl: boolean;
  readonly isBag: boolean;
  items(input: ByteReader): unknown[];
}

/** @param key absent where keys are plain data */
export function stateFormat(
  specs: StateSpecs,
  key: DeterministicCoder<unknown> | undefined,
  windowFn: WindowFn,
): RecordFormat<StateRecord> {
  const cells = Object.entries(specs).map(([name, spec]): Cell => {
    return { name, spec, coder: itemCoder(spec), opaque: isOpaque(spec) };
  });
  const fresh = recordsOf(cells.length);
  const bags = cells.flatMap(({ spec: { kind } }, i) => (kind === "bag" ? [i] : []));
  const layout: RecordLayout = {
    lane: "state",
    key: keyCoderFor(key).coder.name,
    windows: windowFn.kind,
    cells: cells.map((cell) => layoutOf(cell)),
  };
  let history: readonly RecordLayout[] = [layout];
  let number = 1;
  let restartedAt = 0;
  let readers = [readersOf(history, 0, cells)];
  return {
    layout,
    lazy: true,
    keys: keyCoderFor(key),
    windows: windowCoder(windowFn),
    goOn(layouts, now) {
      history = layouts;
      number = history.length;
      restartedAt = now;
      readers = history.map((_, place) => readersOf(history, place, cells));
    },
    write(record, out) {
      out.byte(number);
      for (let i = 0; i < cells.length; i++) {
        const cell = cells[i] as Cell;
        writeCell(cell, cellOf(record, i), out);
        if (cell.spec.ttl !== undefined) out.float64(record.writtenAt?.[i] ?? 0);
      }
    },
    read(input, recordKey, mapKey: MapKey, window: Window, added = []) {
      const record = fresh(recordKey, mapKey, window);
      const written = input.byte();
      const of = readers[written - 1];
      if (of === undefined)
        throw corrupt(`a record in layout ${written}, of which the checkpoint has ${history.length}`);
      const items = of.map(() => [] as unknown[]);
      for (const part of [input, ...added]) readParts(part, of, items, record);
      of.forEach(({ index }, i) => {
        const own = items[i] as unknown[];
        if (index < 0 || own.length === 0) return;
        const { spec } = cells[index] as Cell;
        setCell(record, index, dataOf(spec, own));
        if (spec.ttl !== undefined && record.writtenAt?.[index] === undefined)
          (record.writtenAt ??= [])[index] = restartedAt;
      });
      return record;
    },
    ...(bags.length > 0 && {
      lists: (record) => bags.map((i) => cellOf(record, i) as unknown[] | undefined),
      writeAdded(record, since, out) {
        for (let i = 0; i < cells.length; i++) {
          const cell = cells[i] as Cell;
          const data = cellOf(record, i);
          const from = since[bags.indexOf(i)];
          writeCell(cell, from === undefined ? data : (data as unknown[] | undefined)?.slice(from), out);
          if (cell.spec.ttl !== undefined) out.float64(record.writtenAt?.[i] ?? 0);
        }
      },
    }),
  };
}

function layoutOf({ name, spec, coder, opaque }: Cell): CellLayout {
  const { kind, ttl, version = 1, migrations = [] } = spec;
  const from = migrations.map((one) => ({ version: one.from, coder: itemCoder(formerSpec(spec, one)).name }));
  return { name, kind, coder: coder.name, opaque, ttl: ttl !== undefined, version, from };
}

/** The cell as it was declared in the version that the migration is from. */
function formerSpec({ kind, keyCoder, combineFn }: Spec, { coder }: StateMigration<unknown>): Spec {
  if (kind === "combining" && combineFn !== undefined) {
    const { accumulatorCoder: _, ...rest } = combineFn;
    return { kind, combineFn: coder === undefined ? rest : { ...rest, accumulatorCoder: coder } };
  }
  return { kind, ...(coder && { coder }), ...(keyCoder && { keyCoder }) };
}

function isOpaque({ coder, keyCoder, combineFn }: Spec): boolean {
  return coder !== undefined || keyCoder !== undefined || combineFn?.accumulatorCoder !== undefined;
}

/** How records of the layout at that place are read. */
function readersOf(history: readonly RecordLayout[], place: number, cells: readonly Cell[]): readonly CellReader[] {
  return (history[place]?.cells ?? []).map((former): CellReader => {
    const { name, kind, opaque, ttl } = former;
    const found = cells.findIndex((cell) => cell.name === name);
    const index = livesOn(name, place, history) ? found : -1;
    const isBag = kind === "bag";
    if (index < 0) {
      // Of plain data the kind says how it lies there.
      const coder = itemCoder({ kind: kind as Spec["kind"] });
      return { index, opaque, ttl, isBag, items: (input) => readItems(coder, input) };
    }
    const { spec, coder } = cells[index] as Cell;
    if (howToRead(former, layoutOf(cells[index] as Cell)) === "kept")
      return { index, opaque, ttl, isBag, items: (input) => readItems(coder, input) };
    const migration = spec.migrations?.find(({ from }) => from === former.version) as StateMigration<unknown>;
    const before = itemCoder(formerSpec(spec, migration));
    return { index, opaque, ttl, isBag, items: (input) => readItems(before, input).map(migrated(spec, migration)) };
  });
}

/** Of an item; of a map's or an ordered list's, of the value in it. */
function migrated({ kind }: Spec, migration: StateMigration<unknown>): (item: unknown) => unknown {
  const convert = (value: unknown): unknown => {
    try {
      return migration.convert(value);
    } catch (error) {
      throw migrationFailed(migration.from, value, error);
    }
  };
  if (kind !== "map" && kind !== "orderedList") return convert;
  return (item) => {
    const [at, value] = item as readonly [unknown, unknown];
    return [at, convert(value)];
  };
}

function migrationFailed(from: number, value: unknown, error: unknown): TidemarkError {
  const at = userFrame(error);
  return new TidemarkError("CHECKPOINT_INCOMPATIBLE", {
    what: `the migration from version ${from} of a cell threw ${String(error)}`,
    why: "a value that lies in the checkpoint could not be made one of the present version",
    fix: "let the function given to migration() convert every value that the earlier version may have written",
    element: preview(value),
    ...(at !== undefined && { at }),
    cause: error,
  });
}

/** What was written whole, or what was added since: bags grow, all else is as it was written last. */
function readParts(input: ByteReader, of: readonly CellReader[], items: unknown[][], record: StateRecord): void {
  of.forEach((reader, i) => {
    const { index, opaque, ttl, isBag } = reader;
    const cell = opaque ? input.take(input.length()) : input;
    if (index < 0 && opaque) cell.view(cell.remaining);
    else {
      const own = reader.items(cell);
      if (isBag) for (const item of own) (items[i] as unknown[]).push(item);
      else items[i] = own;
    }
    if (!ttl) return;
    const writtenAt = input.float64();
    if (index >= 0 && (items[i] as unknown[]).length > 0) (record.writtenAt ??= [])[index] = writtenAt;
  });
}

function readItems(coder: Coder<unknown>, input: ByteReader): unknown[] {
  const items: unknown[] = [];
  for (let left = input.varint(); left > 0; left--) items.push(coder.decode(input));
  return items;
}

function writeCell({ spec, coder, opaque }: Cell, data: unknown, out: ByteWriter): void {
  const start = opaque ? out.startLength() : 0;
  writeItems(spec, coder, data, out);
  if (opaque) out.endLength(start);
}

/** The number of items, then each. */
function writeItems(spec: Spec, coder: Coder<unknown>, data: unknown, out: ByteWriter): void {
  if (data === undefined) return out.byte(0);
  if (spec.kind === "value" || spec.kind === "combining") {
    out.byte(1);
    return coder.encode(data, out);
  }
  if (spec.kind === "orderedList") return writeOrdered(spec.coder ?? valueCoder, data as TimeOrdered, out);
  const items = itemsOf(spec, data);
  out.varint(items.length);
  for (const item of items) coder.encode(item, out);
}

/** As `itemCoder` would, without a pair for each item: there may be a list for each of a million keys. */
function writeOrdered(coder: Coder<unknown>, list: TimeOrdered, out: ByteWriter): void {
  out.varint(sizeOf(list));
  for (let i = headOf(list); i < endOf(list); i += 2) {
    timestampCoder.encode(list[i] as Timestamp, out);
    coder.encode(list[i + 1], out);
  }
}
