/**
 * Beam's coders of what travels between stages: elements with their time, windows and pane, and timers.
 *
 * W1 An element's parts can be written and read without an object around them: `encodeParts`, `decodeParts`.
 * W2 Elements in the global window alone share the array `GLOBAL_WINDOWS`.
 */
import { GLOBAL_WINDOW, GLOBAL_WINDOWS, type Window } from "../model/window.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decodeIn, encodeIn, encodeToBytes, type Coder, type CoderContext } from "./coder.ts";
import { iterableCoder, type IterableCoder } from "./composites.ts";
import { timestampCoder } from "./instant.ts";
import { readBool, stringCoder } from "./primitives.ts";
import { paneCoder } from "./windows.ts";

/** What an element carries besides its value. */
export interface ElementParts {
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
}

export interface WindowedValue<T> extends ElementParts {
  readonly value: T;
}

export interface WindowedValueCoder<T> extends Coder<WindowedValue<T>> {
  /** As `encode`. */
  encodeParts(value: T, timestamp: Timestamp, windows: readonly Window[], pane: Pane, out: ByteWriter): void;
  /** As `decode`, handing the parts to `take`. */
  decodeParts(
    input: ByteReader,
    take: (value: T, timestamp: Timestamp, windows: readonly Window[], pane: Pane) => void,
  ): void;
}

/** An element: its timestamp, windows and pane, then its value. */
export function windowedValueCoder<T>(value: Coder<T>, window: Coder<Window>): WindowedValueCoder<T> {
  const windowsCoder = iterableCoder(window);
  const encode = (context: CoderContext, item: WindowedValue<T>, out: ByteWriter): void => {
    writeParts(windowsCoder, item.timestamp, item.windows, item.pane, out);
    encodeIn(context, value, item.value, out);
  };
  const decode = (context: CoderContext, input: ByteReader): WindowedValue<T> => {
    const { timestamp, windows, pane } = readParts(windowsCoder, input);
    return { value: decodeIn(context, value, input), timestamp, windows, pane };
  };
  return {
    name: `windowedValue(${value.name},${window.name})`,
    urn: "beam:coder:windowed_value:v1",
    components: [value, window],
    deterministic: value.deterministic && window.deterministic,
    encode: (item, out) => encode("nested", item, out),
    decode: (input) => decode("nested", input),
    encodeOuter: (item, out) => encode("outer", item, out),
    decodeOuter: (input) => decode("outer", input),
    encodeParts(item, timestamp, windows, pane, out) {
      writeParts(windowsCoder, timestamp, windows, pane, out);
      value.encode(item, out);
    },
    decodeParts(input, take) {
      const timestamp = timestampCoder.decode(input);
      const windows = readWindows(windowsCoder, input);
      const pane = paneCoder.decode(input);
      take(value.decode(input), timestamp, windows, pane);
    },
  };
}

/**
 * Elements that all have the same timestamp, windows and pane, which are not written.
 * @param payload those parts as `windowedValueCoder` writes them; what follows them is ignored
 */
export function paramWindowedValueCoder<T>(
  value: Coder<T>,
  window: Coder<Window>,
  payload: Uint8Array,
): Coder<WindowedValue<T>> {
  const parts = readParts(iterableCoder(window), new ByteReader(payload));
  return {
    name: `paramWindowedValue(${value.name},${window.name})`,
    urn: "beam:coder:param_windowed_value:v1",
    components: [value, window],
    payload,
    deterministic: value.deterministic,
    encode: (item, out) => value.encode(item.value, out),
    decode: (input) => ({ value: value.decode(input), ...parts }),
    encodeOuter: (item, out) => encodeIn("outer", value, item.value, out),
    decodeOuter: (input) => ({ value: decodeIn("outer", value, input), ...parts }),
  };
}

/** The payload with which `paramWindowedValueCoder` gives its elements these parts. */
export function paramWindowedValuePayload(parts: ElementParts, window: Coder<Window>): Uint8Array {
  const windowsCoder = iterableCoder(window);
  const partsCoder: Coder<ElementParts> = {
    name: "parts",
    deterministic: window.deterministic,
    encode(value, out) {
      writeParts(windowsCoder, value.timestamp, value.windows, value.pane, out);
      // Beam reads the payload as an element whose value is no bytes: nested, a length of 0.
      out.varint(0);
    },
    decode: (input) => readParts(windowsCoder, input),
  };
  return encodeToBytes(partsCoder, parts);
}

/** A timer as it travels between runner and worker; its family is named outside. */
export interface TimerValue<K> {
  readonly key: K;
  /** Tells timers of one family apart; empty for those without a tag. */
  readonly tag: string;
  readonly windows: readonly Window[];
  /** When to fire and what to hold; `undefined` clears the timer. */
  readonly set: TimerSetting | undefined;
}

export interface TimerSetting {
  /** In the time domain of the family, milliseconds. */
  readonly fireTimestamp: Timestamp;
  /** The event time of what the firing emits: the watermark waits for it. */
  readonly holdTimestamp: Timestamp;
  readonly pane: Pane;
}

/** A timer: key, tag, windows, whether it is cleared; and if not, when it fires, what it holds, and its pane. */
export function timerCoder<K>(key: Coder<K>, window: Coder<Window>): Coder<TimerValue<K>> {
  const windowsCoder = iterableCoder(window);
  return {
    name: `timer(${key.name},${window.name})`,
    urn: "beam:coder:timer:v1",
    components: [key, window],
    deterministic: key.deterministic && window.deterministic,
    encode(timer, out) {
      key.encode(timer.key, out);
      stringCoder.encode(timer.tag, out);
      windowsCoder.encode(timer.windows, out);
      out.byte(timer.set === undefined ? 1 : 0);
      if (timer.set === undefined) return;
      timestampCoder.encode(timer.set.fireTimestamp, out);
      timestampCoder.encode(timer.set.holdTimestamp, out);
      paneCoder.encode(timer.set.pane, out);
    },
    decode(input) {
      const timerKey = key.decode(input);
      const tag = stringCoder.decode(input);
      const windows = readWindows(windowsCoder, input);
      if (readBool(input)) return { key: timerKey, tag, windows, set: undefined };
      const fireTimestamp = timestampCoder.decode(input);
      const holdTimestamp = timestampCoder.decode(input);
      return { key: timerKey, tag, windows, set: { fireTimestamp, holdTimestamp, pane: paneCoder.decode(input) } };
    },
  };
}

function writeParts(
  windowsCoder: Coder<Iterable<Window>>,
  timestamp: Timestamp,
  windows: readonly Window[],
  pane: Pane,
  out: ByteWriter,
): void {
  timestampCoder.encode(timestamp, out);
  windowsCoder.encode(windows, out);
  paneCoder.encode(pane, out);
}

function readParts(windowsCoder: IterableCoder<Window>, input: ByteReader): ElementParts {
  const timestamp = timestampCoder.decode(input);
  const windows = readWindows(windowsCoder, input);
  return { timestamp, windows, pane: paneCoder.decode(input) };
}

function readWindows(windowsCoder: IterableCoder<Window>, input: ByteReader): readonly Window[] {
  const windows = windowsCoder.decode(input);
  return windows.length === 1 && windows[0] === GLOBAL_WINDOW ? GLOBAL_WINDOWS : windows;
}
