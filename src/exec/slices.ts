/**
 * Slices of sliding windows: event time cut at every start and end of a window, so that all instants of a slice lie in the
 * same windows. An element is accumulated once, in its slice, however many windows it is in.
 *
 * I1 Windows are told apart by their last instant: in one sliding windowing it is unique, and later for later windows.
 * I2 A slice is in the windows from `oldestMax` to `newestMax`. Of two slices, the one that begins later leaves its windows
 *    later too, so in the order of `newestMax` windows take slices up and let go of them first in, first out.
 * I3 A slice is `open` until the first of its windows has fired.
 */
import type { KeyedRecord, WindowRecords } from "../host/records.ts";
import type { Timestamp } from "../model/time.ts";
import { IntervalWindow, type Window } from "../model/window.ts";

/** Beyond this, sums of times may round, and windows are not evenly spaced. */
const EXACT_MAX = 2 ** 51;

/** What is kept for one key: in a slice, or in a window for elements that came by themselves. */
export interface Cell extends KeyedRecord {
  accumulator: unknown;
}

export interface Slice {
  readonly newest: IntervalWindow;
  readonly oldestMax: Timestamp;
  readonly newestMax: Timestamp;
  readonly cells: WindowRecords<Cell>;
  open: boolean;
}

/** The name under which a slice's records are filed: no window of its own. */
export class SliceWindow implements Window {
  readonly id: string;
  readonly maxTimestamp: Timestamp;
  readonly start: Timestamp;
  readonly end: Timestamp;

  constructor(start: Timestamp, end: Timestamp, maxTimestamp: Timestamp) {
    this.id = `slice ${start}:${end}`;
    this.start = start;
    this.end = end;
    this.maxTimestamp = maxTimestamp;
  }
}

export function sliceWindow(oldest: IntervalWindow, newest: IntervalWindow): SliceWindow {
  return new SliceWindow(newest.start, oldest.end, newest.maxTimestamp);
}

/**
 * Whether an element's windows are those of a slice: all windows around one instant, evenly spaced, newest first. Others
 * are single windows, into which steps with a view of the window take elements apart, and those at the ends of time.
 */
export function areSlice(windows: readonly Window[]): windows is readonly IntervalWindow[] {
  const newest = windows[0];
  const next = windows[1];
  const oldest = windows.at(-1);
  if (!isInterval(newest) || !isInterval(next) || !isInterval(oldest)) return false;
  if (newest.end > EXACT_MAX || oldest.start < -EXACT_MAX) return false;
  const period = newest.start - next.start;
  const size = newest.end - newest.start;
  if (windows.length < Math.floor(size / period)) return false;
  for (let i = 1; i < windows.length; i++) {
    const window = windows[i];
    if (!isInterval(window) || window.start !== newest.start - i * period || window.end !== window.start + size)
      return false;
  }
  return true;
}

function isInterval(window: Window | undefined): window is IntervalWindow {
  return window instanceof IntervalWindow;
}

/** The live slices of a step, in their order. */
export class Slices {
  #list: Slice[] = [];
  /** Slices before this one have been taken up by the window that fired last. */
  #taken = 0;

  insert(slice: Slice): void {
    const at = this.#firstFrom(slice.newestMax, slice.oldestMax);
    this.#list.splice(at, 0, slice);
    if (at < this.#taken) this.#taken++;
  }

  /** The next slice that the window with this last instant, which fires, has to take up. Closes it. */
  take(max: Timestamp): Slice | undefined {
    const next = this.#list[this.#taken];
    if (next === undefined || next.oldestMax > max) return undefined;
    this.#taken++;
    next.open = false;
    return next;
  }

  /** The slices of the window with this last instant, in order. */
  *of(max: Timestamp): Generator<Slice> {
    for (let i = this.#firstFrom(max, -Infinity); i < this.#list.length; i++) {
      const slice = this.#list[i] as Slice;
      if (slice.oldestMax > max) return;
      yield slice;
    }
  }

  /** The last instants of all windows that have slices, in order. @param period from one window to the next */
  *windows(period: number): Generator<Timestamp> {
    let last = -Infinity;
    for (const { oldestMax, newestMax } of this.#list) {
      for (let max = Math.max(oldestMax, last + period); max <= newestMax; max += period) yield (last = max);
    }
  }

  /** Whether the window with this last instant has a slice. */
  has(max: Timestamp): boolean {
    const first = this.#list[this.#firstFrom(max, -Infinity)];
    return first !== undefined && first.oldestMax <= max;
  }

  /** All of them, in order, and how many have been taken up. */
  saved(): { readonly slices: readonly Slice[]; readonly taken: number } {
    return { slices: [...this.#list], taken: this.#taken };
  }

  /** What `saved` gave. */
  restore(slices: readonly Slice[], taken: number): void {
    this.#list = [...slices];
    this.#taken = taken;
  }

  /** Takes out the slices whose last window is over. */
  dropUntil(isOver: (slice: Slice) => boolean, drop: (slice: Slice) => void): void {
    let count = 0;
    while (count < this.#list.length && isOver(this.#list[count] as Slice)) drop(this.#list[count++] as Slice);
    if (count === 0) return;
    this.#list.splice(0, count);
    this.#taken = Math.max(0, this.#taken - count);
  }

  /** The place of the first slice that is in a window with this last instant or a later one. */
  #firstFrom(newestMax: Timestamp, oldestMax: Timestamp): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const slice = this.#list[middle] as Slice;
      if (slice.newestMax < newestMax || (slice.newestMax === newestMax && slice.oldestMax < oldestMax))
        low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
