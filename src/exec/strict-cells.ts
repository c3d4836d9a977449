/**
 * State cells in strict mode: a value that cannot be encoded is refused at its first write, and nobody changes in place what
 * is kept.
 *
 * S1 An accumulator is checked when it gets its first input and whenever the cell is read, not at each input.
 */
import type { AnyCombine } from "../fn/combine-fn.ts";
import type { StateSpec, TimestampedValue } from "../fn/state.ts";
import type { MapKey } from "../host/records.ts";
import type { Timestamp } from "../model/time.ts";
import {
  BagHandle,
  CombiningHandle,
  MapHandle,
  mapKeyBy,
  OrderedListHandle,
  SetHandle,
  type Slot,
  ValueHandle,
} from "./state-cells.ts";
import { deepFreeze, type Guard, guardFor } from "./strict.ts";
import { StrictCombine } from "./strict-combine.ts";

class StrictValue extends ValueHandle {
  readonly #guard: Guard;
  constructor(slot: Slot, guard: Guard) {
    super(slot);
    this.#guard = guard;
  }
  override read(): unknown {
    const kept = super.read();
    return kept === undefined ? undefined : this.#guard.give(kept);
  }
  override write(value: unknown): void {
    super.write(value === undefined ? undefined : this.#guard.take(value));
  }
}

class StrictBag extends BagHandle {
  readonly #guard: Guard;
  constructor(slot: Slot, guard: Guard) {
    super(slot);
    this.#guard = guard;
  }
  override read(): readonly unknown[] {
    return Object.freeze(super.read().map((kept) => this.#guard.give(kept)));
  }
  override add(value: unknown): void {
    super.add(this.#guard.take(value));
  }
}

class StrictCombining extends CombiningHandle {
  override add(input: unknown): void {
    // An accumulator may hold its inputs.
    deepFreeze(input);
    super.add(input);
  }
}

class StrictMap extends MapHandle {
  readonly #keys: Guard;
  readonly #values: Guard;
  constructor(slot: Slot, mapKey: (key: unknown) => MapKey, keys: Guard, values: Guard) {
    super(slot, mapKey);
    this.#keys = keys;
    this.#values = values;
  }
  override get(key: unknown): unknown {
    const kept = super.get(key);
    return kept === undefined ? undefined : this.#values.give(kept);
  }
  override put(key: unknown, value: unknown): void {
    super.put(this.#keys.take(key), this.#values.take(value));
  }
  override *keys(): IterableIterator<unknown> {
    for (const key of super.keys()) yield this.#keys.give(key);
  }
  override *values(): IterableIterator<unknown> {
    for (const value of super.values()) yield this.#values.give(value);
  }
  override *entries(): IterableIterator<[unknown, unknown]> {
    for (const [key, value] of super.entries()) yield [this.#keys.give(key), this.#values.give(value)];
  }
}

class StrictSet extends SetHandle {
  readonly #guard: Guard;
  constructor(slot: Slot, mapKey: (value: unknown) => MapKey, guard: Guard) {
    super(slot, mapKey);
    this.#guard = guard;
  }
  override add(value: unknown): boolean {
    return super.add(this.#guard.take(value));
  }
  override *read(): IterableIterator<unknown> {
    for (const value of super.read()) yield this.#guard.give(value);
  }
}

class StrictOrderedList extends OrderedListHandle {
  readonly #guard: Guard;
  constructor(slot: Slot, guard: Guard) {
    super(slot);
    this.#guard = guard;
  }
  override add(value: unknown, timestamp: Timestamp): void {
    super.add(this.#guard.take(value), timestamp);
  }
  override readRange(from: Timestamp, to: Timestamp): readonly TimestampedValue<unknown>[] {
    return super.readRange(from, to).map(({ timestamp, value }) => ({ timestamp, value: this.#guard.give(value) }));
  }
}

/** The handle of a cell that checks. */
export function strictHandle(spec: StateSpec<unknown>, slot: Slot): unknown {
  const { step } = slot.binding;
  const guard = guardFor(step, spec.coder);
  switch (spec.kind) {
    case "value":
      return new StrictValue(slot, guard);
    case "bag":
      return new StrictBag(slot, guard);
    case "combining":
      return new StrictCombining(slot, new StrictCombine(spec.combineFn as AnyCombine, step));
    case "map":
      return new StrictMap(slot, mapKeyBy(spec.keyCoder), guardFor(step, spec.keyCoder), guard);
    case "set":
      return new StrictSet(slot, mapKeyBy(spec.coder), guard);
    case "orderedList":
      return new StrictOrderedList(slot, guard);
  }
}
