/** Beam's coders of windows and of panes. */
import { TidemarkError } from "../base/errors.ts";
import { GLOBAL_WINDOW, IntervalWindow, type GlobalWindow, type Window } from "../model/window.ts";
import { NO_FIRING, ON_TIME_AND_ONLY, type Pane, type PaneTiming } from "../model/pane.ts";
import { corrupt, type ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Coder, DeterministicCoder } from "./coder.ts";
import { exactMilliseconds, timestampCoder, timestampOf, writeExactMilliseconds } from "./instant.ts";
import { valueCoder } from "./value.ts";

/**
 * `[start, end)`: the end as an instant, then the length in milliseconds as a varint.
 *
 * @example
 * ```ts
 * const minute = new IntervalWindow(0, 60_000);
 * decodeFromBytes(intervalWindowCoder, encodeToBytes(intervalWindowCoder, minute)); // -> minute
 * ```
 */
export const intervalWindowCoder: DeterministicCoder<IntervalWindow> = {
  name: "intervalWindow",
  urn: "beam:coder:interval_window:v1",
  deterministic: true,
  encode(window: IntervalWindow, out: ByteWriter): void {
    const { start, end } = window;
    timestampCoder.encode(end, out);
    // Not `end - start` beyond 2^53: there, the difference of two doubles is not that of the instants they stand for.
    const exact = Number.isSafeInteger(start) && Number.isSafeInteger(end) && Number.isSafeInteger(end - start);
    const length = exact ? end - start : exactMilliseconds(end) - exactMilliseconds(start);
    if (length < 0)
      throw new TidemarkError("VALUE_NOT_ENCODABLE", {
        what: `a window ends before it starts: ${start} to ${end}`,
        fix: "swap start and end",
      });
    if (typeof length === "number") out.varint(length);
    else out.varintBig(length);
  },
  decode(input: ByteReader): IntervalWindow {
    const end = timestampCoder.decode(input);
    const length = input.varintExact();
    if (length < 0) throw corrupt(`a window cannot be ${length} ms long`);
    if (typeof length === "number" && Number.isSafeInteger(end) && Number.isSafeInteger(end - length))
      return new IntervalWindow(end - length, end);
    return new IntervalWindow(timestampOf(exactMilliseconds(end) - BigInt(length)), end);
  },
};

/**
 * The global window: no bytes at all.
 *
 * @example
 * ```ts
 * encodeToBytes(globalWindowCoder, GLOBAL_WINDOW).length; // -> 0
 * ```
 */
export const globalWindowCoder: DeterministicCoder<GlobalWindow> = {
  name: "globalWindow",
  urn: "beam:coder:global_window:v1",
  deterministic: true,
  encode: (): void => {},
  decode: (): GlobalWindow => GLOBAL_WINDOW,
};

/** Windows that a runner need not understand: their last instant, then the window. */
export function customWindowCoder<W extends Window>(window: DeterministicCoder<W>): DeterministicCoder<W>;
export function customWindowCoder<W extends Window>(window: Coder<W>): Coder<W>;
export function customWindowCoder<W extends Window>(window: Coder<W>): Coder<W> {
  return {
    name: `customWindow(${window.name})`,
    urn: "beam:coder:custom_window:v1",
    components: [window],
    deterministic: window.deterministic,
    encode(value, out) {
      // Beyond 2^53 `end - 1` is no double: then the exact instant is written, not the one that `maxTimestamp` rounds to.
      if (value instanceof IntervalWindow && !Number.isSafeInteger(value.end))
        writeExactMilliseconds(exactMilliseconds(value.end) - 1n, out);
      else timestampCoder.encode(value.maxTimestamp, out);
      window.encode(value, out);
    },
    decode(input) {
      timestampCoder.decode(input);
      return window.decode(input);
    },
  };
}

/** Windows as their WindowFn writes them. */
export function windowCoder(windowFn: WindowFn): Coder<Window> {
  return {
    name: `window(${windowFn.name})`,
    deterministic: true,
    encode: (window, out) => valueCoder.encode(windowFn.toData(window), out),
    decode: (input) => windowFn.fromData(valueCoder.decode(input)),
  };
}

/** The timings by their number on the wire. */
const TIMINGS: readonly PaneTiming[] = ["EARLY", "ON_TIME", "LATE", "UNKNOWN"];

/** How many indices follow the first byte of a pane. */
const NO_INDEX = 0;
const ONE_INDEX = 1;
const TWO_INDICES = 2;

/** The panes that are one byte, by that byte: shared, since nearly every element has one of them. */
const ONE_BYTE_PANES: readonly Pane[] = Array.from({ length: 16 }, (_, byte) => {
  const pane = paneOf(byte, 0, TIMINGS[byte >> 2] === "EARLY" ? -1 : 0);
  return samePane(pane, NO_FIRING)
    ? NO_FIRING
    : samePane(pane, ON_TIME_AND_ONLY)
      ? ON_TIME_AND_ONLY
      : Object.freeze(pane);
});

/**
 * A pane in 1 byte (first, last, timing, how many indices follow), then 0 to 2 varints.
 * The indices of an UNKNOWN pane are not written: no trigger has counted it.
 */
export const paneCoder: DeterministicCoder<Pane> = {
  name: "pane",
  deterministic: true,
  encode(pane: Pane, out: ByteWriter): void {
    const { timing, index, nonSpeculativeIndex } = pane;
    const flags = (pane.isFirst ? 1 : 0) | (pane.isLast ? 2 : 0) | (TIMINGS.indexOf(timing) << 2);
    if (timing === "UNKNOWN" || (index === 0 && nonSpeculativeIndex === 0)) {
      out.byte(flags | (NO_INDEX << 4));
    } else if (timing === "EARLY" || index === nonSpeculativeIndex) {
      out.byte(flags | (ONE_INDEX << 4));
      out.varint(index);
    } else {
      out.byte(flags | (TWO_INDICES << 4));
      out.varint(index);
      out.varint(nonSpeculativeIndex);
    }
  },
  decode(input: ByteReader): Pane {
    const byte = input.byte();
    switch (byte >> 4) {
      case NO_INDEX:
        return ONE_BYTE_PANES[byte] as Pane;
      case ONE_INDEX: {
        const index = readIndex(input);
        return paneOf(byte, index, TIMINGS[(byte >> 2) & 3] === "EARLY" ? -1 : index);
      }
      case TWO_INDICES:
        return paneOf(byte, readIndex(input), readIndex(input));
      default:
        throw corrupt(`a pane has 0, 1 or 2 indices, not ${byte >> 4}`);
    }
  },
};

function readIndex(input: ByteReader): number {
  const index = input.varintExact();
  if (typeof index === "number") return index;
  throw corrupt(`a pane cannot have the index ${index}`);
}

function paneOf(byte: number, index: number, nonSpeculativeIndex: number): Pane {
  return {
    timing: TIMINGS[(byte >> 2) & 3] as PaneTiming,
    index,
    nonSpeculativeIndex,
    isFirst: (byte & 1) !== 0,
    isLast: (byte & 2) !== 0,
  };
}

function samePane(a: Pane, b: Pane): boolean {
  return (
    a.timing === b.timing &&
    a.index === b.index &&
    a.nonSpeculativeIndex === b.nonSpeculativeIndex &&
    a.isFirst === b.isFirst &&
    a.isLast === b.isLast
  );
}
