/**
 * State cells of a call that may be undone: changes are kept beside the record until the call has succeeded.
 *
 * D1 Until `applyTo` the record's data is what it was. Nobody else changes it meanwhile: calls of one key wait for each other.
 * D2 A cell costs what is done with it: adding to a bag, changing a map or set cost O(1), however much they hold. Ordered
 *    lists and accumulators are copied when they are first changed, and a bag that has been added to when it is read.
 */
import { decodeFromBytes, encodeToBytes } from "../coders/coder.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type { StateSpec, StateSpecs } from "../fn/state.ts";
import { makeCells } from "./make-cells.ts";
import { OverlayMap } from "./overlay-map.ts";
import { type Entries, Slot, type StateBinding, UNTRACKED } from "./state-cells.ts";
import { cellOf, setCell, type StateRecord } from "./state-record.ts";
import { copyTimeOrdered, type TimeOrdered } from "./time-ordered.ts";

class DraftSlot extends Slot {
  readonly #spec: StateSpec<unknown>;
  readonly #draft: StateRecord;
  /** Whether the draft's data is its own, to be put in the record's place. */
  #own = false;
  /** What was added to a bag that is not its own. */
  #added: unknown[] = [];

  constructor(binding: StateBinding, index: number, spec: StateSpec<unknown>) {
    super(binding, index, spec.ttl);
    this.#spec = spec;
    this.#draft = binding.record;
  }

  override get(): unknown {
    if (this.#added.length > 0) return this.change();
    return super.get();
  }

  override change(): unknown {
    const data = super.get();
    if (this.#own) return data;
    this.#own = true;
    const added = this.#added;
    this.#added = [];
    if (data === undefined && added.length === 0) return undefined;
    const copy = this.#spec.kind === "bag" ? [...((data ?? []) as unknown[]), ...added] : copyOf(this.#spec, data);
    setCell(this.#draft, this.index, copy);
    return copy;
  }

  override set(data: unknown): void {
    this.#own = true;
    this.#added = [];
    super.set(data);
  }

  override append(item: unknown): void {
    if (this.#own) super.append(item);
    // What has outlived its TTL is not added to.
    else if (super.get() === undefined) this.set([item]);
    else {
      this.#added.push(item);
      this.touch();
    }
  }

  /** Puts what the call has made of the cell into `record`. */
  applyTo(record: StateRecord): void {
    const kept = cellOf(record, this.index);
    if (!this.#own) {
      if (this.#added.length === 0) return;
      if (kept === undefined) setCell(record, this.index, this.#added);
      else for (const item of this.#added) (kept as unknown[]).push(item);
      return;
    }
    const data = cellOf(this.#draft, this.index);
    if (data instanceof OverlayMap) {
      const map = (kept ?? new Map()) as Entries;
      data.applyTo(map);
      setCell(record, this.index, map.size === 0 ? undefined : map);
    } else setCell(record, this.index, data);
  }
}

/** What can be changed without changing `data`. */
function copyOf(spec: StateSpec<unknown>, data: unknown): unknown {
  switch (spec.kind) {
    case "orderedList":
      return copyTimeOrdered(data as TimeOrdered);
    case "map":
    case "set":
      return new OverlayMap(data as Entries);
    case "combining":
      return copyAccumulator(spec.combineFn as CombineFn<unknown, unknown, unknown>, data);
    case "bag":
    case "value":
      return data;
  }
}

function copyAccumulator({ accumulatorCoder }: CombineFn<unknown, unknown, unknown>, accumulator: unknown): unknown {
  return accumulatorCoder === undefined
    ? structuredClone(accumulator)
    : decodeFromBytes(accumulatorCoder, encodeToBytes(accumulatorCoder, accumulator));
}

/** The cells of one call, and what it has made of them. */
export interface DraftCells {
  readonly cells: Readonly<Record<string, unknown>>;
  /** Puts the changes into `record`. */
  applyTo(record: StateRecord): void;
}

/** A record that can be changed without changing `record`, as long as it is changed by `draftCells`. */
export function draftRecord(record: StateRecord): StateRecord {
  const { others, writtenAt } = record;
  return { ...record, mark: UNTRACKED.interval, others: others && [...others], writtenAt: writtenAt && [...writtenAt] };
}

/** @param binding stands on a draft of the record */
export function draftCells(specs: StateSpecs, binding: StateBinding): DraftCells {
  const slots: DraftSlot[] = [];
  const draft = binding.record;
  const cells = makeCells(specs, binding, (index, spec) => {
    const slot = new DraftSlot(binding, index, spec);
    slots.push(slot);
    return slot;
  });
  return {
    cells,
    applyTo(record) {
      for (const slot of slots) slot.applyTo(record);
      record.writtenAt = draft.writtenAt;
    },
  };
}
