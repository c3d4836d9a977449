/**
 * State cells over a record: the handles that user code reads and writes.
 *
 * S1 Handles are made once for a step (or once for a call that may be undone) and bound to a record for each element.
 * S2 What a record holds is plain data: a value, an array, an accumulator, a Map, a time-ordered list; `undefined` is empty.
 */
import { type Coder, decodeFromBytes, type DeterministicCoder, encodeToBytes } from "../coders/coder.ts";
import { keyCoderFor } from "../coders/key.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type {
  BagCell,
  CombiningCell,
  MapCell,
  OrderedListCell,
  SetCell,
  StateSpecs,
  TimestampedValue,
  ValueCell,
} from "../fn/state.ts";
import type { KeyedRecord, MapKey, StateData } from "../host/records.ts";
import type { Timestamp } from "../model/time.ts";
import { synchronous } from "./errors.ts";
import { checkTimestamp } from "./operators.ts";
import {
  copyTimeOrdered,
  firstAtOrAfter,
  insert,
  remove,
  sizeOf,
  timeOrdered,
  type TimeOrdered,
} from "./time-ordered.ts";

/** The record of a stateful step. */
export interface StateRecord extends KeyedRecord, StateData {}

/** Which record the handles of a step stand on. */
export interface StateBinding {
  record: StateRecord;
  /** For errors. */
  readonly step: string;
  now(): number;
  /** Called after a write to a cell with a TTL. */
  ttlWritten(record: StateRecord, ttl: number): void;
  /** Whether what is kept is checked and frozen: see strict-cells.ts. */
  readonly strict: boolean;
}

/** One cell's data, through the TTL. */
export class Slot {
  readonly binding: StateBinding;
  readonly #index: number;
  readonly #ttl: number | undefined;

  constructor(binding: StateBinding, index: number, ttl: number | undefined) {
    this.binding = binding;
    this.#index = index;
    this.#ttl = ttl;
  }

  get(): unknown {
    const { record } = this.binding;
    if (this.#ttl !== undefined && this.#expired(record)) record.cells[this.#index] = undefined;
    return record.cells[this.#index];
  }

  set(data: unknown): void {
    const { record } = this.binding;
    record.cells[this.#index] = data;
    this.touch();
  }

  /** Says that data reached by `get` was changed in place. */
  touch(): void {
    if (this.#ttl === undefined) return;
    const { record } = this.binding;
    (record.writtenAt ??= [])[this.#index] = this.binding.now();
    this.binding.ttlWritten(record, this.#ttl);
  }

  #expired(record: StateRecord): boolean {
    const writtenAt = record.writtenAt?.[this.#index];
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
    const items = this.#slot.get() as unknown[] | undefined;
    if (items === undefined) this.#slot.set([value]);
    else {
      items.push(value);
      this.#slot.touch();
    }
  }
  isEmpty(): boolean {
    return this.read().length === 0;
  }
  clear(): void {
    this.#slot.set(undefined);
  }
}

export class CombiningHandle implements CombiningCell<unknown, unknown> {
  readonly #slot: Slot;
  readonly #combine: CombineFn<unknown, unknown, unknown>;
  constructor(slot: Slot, combine: CombineFn<unknown, unknown, unknown>) {
    this.#slot = slot;
    this.#combine = combine;
  }
  #accumulator(): unknown {
    const kept = this.#slot.get();
    return kept === undefined ? this.#synchronous(this.#combine.createAccumulator()) : kept;
  }
  #synchronous<T>(value: T): T {
    return synchronous(value, this.#slot.binding.step, "the CombineFn of a state cell");
  }
  read(): unknown {
    return this.#synchronous(this.#combine.extractOutput(this.#accumulator()));
  }
  add(input: unknown): void {
    this.#slot.set(this.#synchronous(this.#combine.addInput(this.#accumulator(), input)));
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

type Entries = Map<MapKey, [key: unknown, value: unknown]>;

export class MapHandle implements MapCell<unknown, unknown> {
  readonly #slot: Slot;
  readonly #mapKey: (key: unknown) => MapKey;
  constructor(slot: Slot, mapKey: (key: unknown) => MapKey) {
    this.#slot = slot;
    this.#mapKey = mapKey;
  }
  #entries(): Entries {
    return (this.#slot.get() as Entries | undefined) ?? EMPTY;
  }
  get(key: unknown): unknown {
    return this.#entries().get(this.#mapKey(key))?.[1];
  }
  has(key: unknown): boolean {
    return this.#entries().has(this.#mapKey(key));
  }
  put(key: unknown, value: unknown): void {
    const entries = this.#slot.get() as Entries | undefined;
    if (entries === undefined) this.#slot.set(new Map([[this.#mapKey(key), [key, value]]]));
    else {
      entries.set(this.#mapKey(key), [key, value]);
      this.#slot.touch();
    }
  }
  remove(key: unknown): void {
    const entries = this.#slot.get() as Entries | undefined;
    if (entries?.delete(this.#mapKey(key))) this.#slot.touch();
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
const EMPTY: Entries = new Map();

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
    const list = this.#list();
    if (list === undefined) this.#slot.set(timeOrdered(timestamp, value));
    else {
      insert(list, timestamp, value);
      this.#slot.touch();
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
      items.push({ timestamp: list.items[i] as Timestamp, value: list.items[i + 1] });
    return items;
  }
  clearRange(from: Timestamp, to: Timestamp): void {
    const list = this.#list();
    if (list === undefined) return;
    const begin = firstAtOrAfter(list, from);
    const end = firstAtOrAfter(list, to);
    if (end <= begin) return;
    if (begin === list.head && end === list.end) this.#slot.set(undefined);
    else {
      remove(list, begin, end);
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

/** A copy of a record's data that can be changed without changing the record. Cost: that of copying every cell. */
export function copyCells(specs: StateSpecs, cells: readonly unknown[]): unknown[] {
  return Object.values(specs).map((spec, index) => {
    const data = cells[index];
    if (data === undefined) return undefined;
    switch (spec.kind) {
      case "bag":
        return [...(data as unknown[])];
      case "orderedList":
        return copyTimeOrdered(data as TimeOrdered);
      case "map":
      case "set":
        return new Map(data as Entries);
      case "combining":
        return copyAccumulator(spec.combineFn as CombineFn<unknown, unknown, unknown>, data);
      case "value":
        return data;
    }
  });
}

function copyAccumulator({ accumulatorCoder }: CombineFn<unknown, unknown, unknown>, accumulator: unknown): unknown {
  return accumulatorCoder === undefined
    ? structuredClone(accumulator)
    : decodeFromBytes(accumulatorCoder, encodeToBytes(accumulatorCoder, accumulator));
}

/** Whether nothing is kept. */
export function cellsAreEmpty(cells: readonly unknown[]): boolean {
  for (let i = 0; i < cells.length; i++) if (cells[i] !== undefined) return false;
  return true;
}
