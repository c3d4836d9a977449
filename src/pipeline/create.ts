/** The in-memory source behind `p.create`: bounded, one split, its position the index of the next value. */
import type { TimestampedValue } from "../fn/state.ts";
import type { Batch, PollResult, Source, SourceReader } from "../fn/source.ts";
import type { Timestamp } from "../model/time.ts";

/** A source of `values` in order. @param timestampOf event time of the value at an index; default: the earliest there is */
export function createSource<T>(
  values: readonly T[],
  timestampOf?: (value: T) => Timestamp,
): Source<T, number, number> {
  return inMemory(`create(${values.length})`, values, (value, into) => {
    if (timestampOf === undefined) into.add(value);
    else into.add(value, timestampOf(value));
  });
}

/** A source of values that bring their own event times. */
export function createTimestampedSource<T>(values: readonly TimestampedValue<T>[]): Source<T, number, number> {
  return inMemory(`create(${values.length})`, values, ({ value, timestamp }, into) => into.add(value, timestamp));
}

function inMemory<E, T>(
  name: string,
  entries: readonly E[],
  addTo: (entry: E, into: Batch<T>) => void,
): Source<T, number, number> {
  return Object.freeze({
    name,
    bounded: true,
    splits: (): readonly number[] => [0],
    open: (_split: number, position: number | undefined) => new ListReader(entries, position ?? 0, addTo),
  });
}

class ListReader<E, T> implements SourceReader<T, number> {
  readonly #entries: readonly E[];
  readonly #addTo: (entry: E, into: Batch<T>) => void;
  #next: number;

  constructor(entries: readonly E[], position: number, addTo: (entry: E, into: Batch<T>) => void) {
    this.#entries = entries;
    this.#next = position;
    this.#addTo = addTo;
  }

  poll(max: number, into: Batch<T>): PollResult {
    const end = Math.min(this.#entries.length, this.#next + max);
    for (; this.#next < end; this.#next++) this.#addTo(this.#entries[this.#next] as E, into);
    return this.#next < this.#entries.length ? "more" : "end";
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  position(): number {
    return this.#next;
  }

  close(): void {}
}
