/** WindowFn: which windows an element belongs to, and for merging ones which windows become one. */
import type { Timestamp } from "./time.ts";
import type { Window } from "./window.ts";

/** `from` become `into`. `into` may be one of `from`, or new. */
export interface Merge<W extends Window> {
  readonly from: readonly W[];
  readonly into: W;
}

/**
 * A window function. Synchronous and pure.
 *
 * F1 `assign` depends on its arguments only: the element's timestamp, the element, and its windows so far. Where `byTimestampOnly` is true it depends on the timestamp alone, and equal
 *    timestamps may share one returned array, which nobody changes.
 * F2 A merging function implements `merge`; it gets all active windows of one key and returns disjoint merges, each of
 *    two or more windows or of one that is renamed.
 */
export interface WindowFn<W extends Window = Window> {
  /** For graphs and messages, as in `fixed(5s)`; equal text, equal function. */
  readonly name: string;
  readonly kind: "global" | "fixed" | "sliding" | "sessions" | "custom";
  readonly byTimestampOnly: boolean;
  /** The windows of an element at `timestamp`, which is in `windows` so far; there may be none. */
  assign(timestamp: Timestamp, element: unknown, windows: readonly Window[]): readonly W[];
  /** Present if and only if windows merge. */
  merge?(windows: readonly W[]): readonly Merge<W>[];
  /** The window of the side input that an element in `mainWindow` sees; default: the window of its last instant. */
  sideInputWindow(mainWindow: Window): W;
  /** How many ms before the end of the main window that of the side input ends at most. Default 0: no earlier than it. */
  readonly maximumLookback?: number;
  /** Windows as JSON-like data and back, for encoding and checkpoints. */
  toData(window: W): unknown;
  /** The window that `toData` gave `data` for. */
  fromData(data: unknown): W;
}
