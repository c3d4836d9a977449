/**
 * State cells over a record: the handles that user code reads and writes.
 *
 * S1 Handles are made once for a step (or once for a call that may be undone) and bound to a record for each element.
 * S2 What a record holds is plain data: a value, an array, an accumulator, a Map, a time-ordered list; `undefined` is empty.
 */
import type { Coder, DeterministicCoder } from "../coders/coder.ts";
import { keyCoderFor } from "../coders/key.ts";
import type { AnyCombine } from "../fn/combine-fn.ts";
import type {
  BagCell,
  CombiningCell,
  MapCell,
  OrderedListCell,
  SetCell,
  TimestampedValue,
  ValueCell,
} from "../fn/state.ts";
import type { MapKey } from "../host/records.ts";
import type { Timestamp } from "../model/time.ts";
import { synchronous } from "./errors.ts";
import { checkTimestamp } from "./operators.ts";
import { cellOf, setCell, type StateRecord } from "./state-record.ts";
import {
  endOf,
  firstAtOrAfter,
  headOf,
  insert,
  remove,
  sizeOf,
  timeOrdered,
  type TimeOrdered,
} from "./time-ordered.ts";

/** Which record the handles of a step stand on. */
export interface StateBinding {
  record: StateRecord;
  /** For errors. */
  readonly step: string;
  now(): number;
  /** What is told before the record changes: see host/records P4. */
  readonly records: RecordTracker;
  /** Called after a write to a cell with a TTL. */
  ttlWritten(record: StateRecord, ttl: number): void;
  /** Whether what is kept is checked and frozen: see strict-cells.ts. */
  readonly strict: boolean;
}

/** The part of a RecordStore that cells need. */
export interface RecordTracker {
  readonly interval: number;
  touch(record: StateRecord): void;
}

/** For records that are nobody's but a call's. */
export const UNTRACKED: RecordTracker = { interval: 0, touch: () => {} };

/** One cell's data, through the TTL. */
export class Slot {
  readonly binding: StateBinding;
  /** Its cell's position in the declaration. */
  readonly index: number;
  readonly #ttl: number | undefined;

  constructor(binding: StateBinding, index: number, ttl: number | undefined) {
    this.binding = binding;
    this.index = index;
    this.#ttl = ttl;
  }

  get(): unknown {
    const { record } = this.binding;
    if (this.#ttl !== undefined && this.#expired(record)) return undefined;
    return cellOf(record, this.index);
  }

  /** As `get`, for data that is changed in place; `touch` follows. */
  change(): unknown {
    const { record, records } = this.binding;
    if (record.mark !== records.interval) records.touch(record);
    return this.get();
  }

  set(data: unknown): void {
    const { record, records } = this.binding;
    if (record.mark !== records.interval) records.touch(record);
    setCell(record, this.index, data);
    this.touch();
  }

  /** Adds to an array. */
  append(item: unknown): void {
    const items = this.change() as unknown[] | undefined;
    if (items === undefined) this.set([item]);
    else {
      items.push(item);
      this.touch();
    }
  }

  /** Says that data reached by `change` was changed in place. */
  touch(): void {
    if (this.#ttl === undefined) return;
    const { record } = this.binding;
    (record.writtenAt ??= [])[this.index] = this.binding.now();
    this.binding.ttlWritten(record, this.#ttl);
  }

  #expired(record: StateRecord): boolean {
    const writtenAt = record.writtenAt?.[this.index];
    return writtenAt !== undefined && this.binding.now() - writtenAt >= (this.#ttl as number);
  }
}

export class ValueHandle implements ValueCell<unknown> {
  readonly #slot: Slot;
  constructor(slot: Slot) {
    this.#slot = slot;
  }
  read(): unknown {
    return this.#slot.get();
  }
  write(value: unknown): void {
    this.#slot.set(value);
  }
  clear(): void {
    this.#slot.set(undefined);
  }
}

export class BagHandle implements BagCell<unknown> {
  readonly #slot: Slot;
  constructor(slot: Slot) {
    this.#slot = slot;
  }
  read(): readonly unknown[] {
    return (this.#slot.get() as unknown[] | undefined) ?? [];
  }
  add(value: unknown): void {
    this.#slot.append(value);
  }
  isEmpty(): boolean {
    return this.#slot.get() === undefined;
  }
  clear(): void {
    this.#slot.set(undefined);
  }
}

export class CombiningHandle implements CombiningCell<unknown, unknown> {
  readonly #slot: Slot;
  readonly #combine: AnyCombine;
  constructor(slot: Slot, combine: AnyCombine) {
    this.#slot = slot;
    this.#combine = combine;
  }
  #orNew(kept: unknown): unknown {
    return kept === undefined ? this.#synchronous(this.#combine.createAccumulator()) : kept;
  }
  #synchronous<T>(value: T): T {
    return synchronous(value, this.#slot.binding.step, "the CombineFn of a state cell");
  }
  read(): unknown {
    return this.#synchronous(this.#combine.extractOutput(this.#orNew(this.#slot.get())));
  }
  add(input: unknown): void {
    this.#slot.set(this.#synchronous(this.#combine.addInput(this.#orNew(this.#slot.change()), input)));
  }
  isEmpty(): boolean {
    return this.#slot.get() === undefined;
  }
  clear(): void {
    this.#slot.set(undefined);
  }
}

/** What stands for a key in the Map of a cell: by content, or by the coder that the program gave. */
export function mapKeyBy(coder: Coder<unknown> | undefined): (key: unknown) => MapKey {
  return keyCoderFor(coder as DeterministicCoder<unknown> | undefined).toMapKey;
}

export type Entries = Map<MapKey, [key: unknown, value: unknown]>;
/** What a map cell needs of its entries. */
type EntriesRead = Pick<Entries, "get" | "has" | "size" | "values">;
type EntriesChanged = EntriesRead & {
  set(key: MapKey, entry: [unknown, unknown]): unknown;
  delete(key: MapKey): boolean;
};

export class MapHandle implements MapCell<unknown, unknown> {
  readonly #slot: Slot;
  readonly #mapKey: (key: unknown) => MapKey;
  constructor(slot: Slot, mapKey: (key: unknown) => MapKey) {
    this.#slot = slot;
    this.#mapKey = mapKey;
  }
  #entries(): EntriesRead {
    return (this.#slot.get() as EntriesRead | undefined) ?? EMPTY;
  }
  get(key: unknown): unknown {
    return this.#entries().get(this.#mapKey(key))?.[1];
  }
  has(key: unknown): boolean {
    return this.#entries().has(this.#mapKey(key));
  }
  put(key: unknown, value: unknown): void {
    const entries = this.#slot.change() as EntriesChanged | undefined;
    if (entries === undefined) this.#slot.set(new Map([[this.#mapKey(key), [key, value]]]));
    else {
      entries.set(this.#mapKey(key), [key, value]);
      this.#slot.touch();
    }
  }
  remove(key: unknown): void {
    const mapKey = this.#mapKey(key);
    if (!this.#entries().has(mapKey)) return;
    const entries = this.#slot.change() as EntriesChanged;
    entries.delete(mapKey);
    if (entries.size === 0) this.#slot.set(undefined);
    else this.#slot.touch();
  }
  *keys(): IterableIterator<unknown> {
    for (const [key] of this.#entries().values()) yield key;
  }
  *values(): IterableIterator<unknown> {
    for (const [, value] of this.#entries().values()) yield value;
  }
  *entries(): IterableIterator<[unknown, unknown]> {
    for (const [key, value] of this.#entries().values()) yield [key, value];
  }
  isEmpty(): boolean {
    return this.#entries().size === 0;
  }
  clear(): void {
    this.#slot.set(undefined);
  }
}
const EMPTY: EntriesRead = new Map();

export class SetHandle implements SetCell<unknown> {
  readonly #map: MapHandle;
  constructor(slot: Slot, mapKey: (key: unknown) => MapKey) {
    this.#map = new MapHandle(slot, mapKey);
  }
  has(value: unknown): boolean {
    return this.#map.has(value);
  }
  add(value: unknown): boolean {
    if (this.#map.has(value)) return false;
    this.#map.put(value, value);
    return true;
  }
  remove(value: unknown): void {
    this.#map.remove(value);
  }
  read(): IterableIterator<unknown> {
    return this.#map.keys();
  }
  isEmpty(): boolean {
    return this.#map.isEmpty();
  }
  clear(): void {
    this.#map.clear();
  }
}

export class OrderedListHandle implements OrderedListCell<unknown> {
  readonly #slot: Slot;
  constructor(slot: Slot) {
    this.#slot = slot;
  }
  #list(): TimeOrdered | undefined {
    return this.#slot.get() as TimeOrdered | undefined;
  }
  get size(): number {
    const list = this.#list();
    return list === undefined ? 0 : sizeOf(list);
  }
  add(value: unknown, timestamp: Timestamp): void {
    checkTimestamp(this.#slot.binding.step, timestamp);
    const list = this.#slot.change() as TimeOrdered | undefined;
    if (list === undefined) this.#slot.set(timeOrdered(timestamp, value));
    else {
      const added = insert(list, timestamp, value);
      if (added === list) this.#slot.touch();
      else this.#slot.set(added);
    }
  }
  read(): readonly TimestampedValue<unknown>[] {
    return this.readRange(-Infinity, Infinity);
  }
  readRange(from: Timestamp, to: Timestamp): readonly TimestampedValue<unknown>[] {
    const list = this.#list();
    if (list === undefined) return [];
    const items: TimestampedValue<unknown>[] = [];
    const end = firstAtOrAfter(list, to);
    for (let i = firstAtOrAfter(list, from); i < end; i += 2)
      items.push({ timestamp: list[i] as Timestamp, value: list[i + 1] });
    return items;
  }
  clearRange(from: Timestamp, to: Timestamp): void {
    const list = this.#list();
    if (list === undefined) return;
    const begin = firstAtOrAfter(list, from);
    const end = firstAtOrAfter(list, to);
    if (end <= begin) return;
    if (begin === headOf(list) && end === endOf(list)) this.#slot.set(undefined);
    else {
      remove(this.#slot.change() as TimeOrdered, begin, end);
      this.#slot.touch();
    }
  }
  isEmpty(): boolean {
    return this.#list() === undefined;
  }
  clear(): void {
    this.#slot.set(undefined);
  }
}
