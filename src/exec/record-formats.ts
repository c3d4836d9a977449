/**
 * How the records of groupings are written into checkpoints, and read again; state-format.ts has those of stateful DoFns.
 *
 * F1 A record begins with the version of its lane's format; a later version reads all earlier ones.
 * F2 What is transient (bundle-end lists, caches) is not written: checkpoints lie between bundles.
 */
import { type ByteReader, corrupt } from "../coders/byte-reader.ts";
import type { ByteWriter } from "../coders/byte-writer.ts";
import type { Coder, DeterministicCoder } from "../coders/coder.ts";
import { iterableCoder } from "../coders/composites.ts";
import { keyCoderFor } from "../coders/key.ts";
import { valueCoder } from "../coders/value.ts";
import { paneCoder, windowCoder } from "../coders/windows.ts";
import type { RecordLayout } from "../host/layouts.ts";
import type { KeyedRecord, RecordFormat } from "../host/records.ts";
import type { Pane } from "../model/pane.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";
import type { TriggerState } from "../windowing/trigger-machine.ts";
import type { Cell as GeneralCell } from "./general-lane.ts";
import { SliceWindow } from "./slices.ts";
import type { OwnCell } from "./slice-lane.ts";
import type { Cell as WindowCell } from "./window-lane.ts";

const VERSION = 1;

/** Lists of values, as groupings gather them. @param value absent where they are plain data */
export function listCoder(value: Coder<unknown> | undefined): Coder<unknown> {
  return value === undefined ? valueCoder : (iterableCoder(value) as Coder<unknown>);
}

/** The coders of one keyed step. */
export interface StepCoders {
  readonly key: DeterministicCoder<unknown> | undefined;
  readonly accumulator: Coder<unknown>;
  readonly windowFn: WindowFn;
}

function checkVersion(input: ByteReader): void {
  const version = input.byte();
  if (version !== VERSION) throw corrupt(`a record in format ${version}; this version of Tidemark reads ${VERSION}`);
}

function writeOptional<T>(coder: Coder<T>, value: T | undefined, out: ByteWriter): void {
  out.byte(value === undefined ? 0 : 1);
  if (value !== undefined) coder.encode(value, out);
}

function readOptional<T>(coder: Coder<T>, input: ByteReader): T | undefined {
  return input.byte() === 0 ? undefined : coder.decode(input);
}

function layoutOf(lane: RecordLayout["lane"], { key, accumulator, windowFn }: StepCoders): RecordLayout {
  return { lane, key: keyCoderFor(key).coder.name, windows: windowFn.kind, accumulator: accumulator.name };
}

export function windowLaneFormat(coders: StepCoders): RecordFormat<WindowCell> {
  const { accumulator } = coders;
  return {
    layout: layoutOf("window", coders),
    lazy: true,
    keys: keyCoderFor(coders.key),
    windows: windowCoder(coders.windowFn),
    write(cell, out) {
      out.byte(VERSION);
      writeOptional(accumulator, cell.accumulator, out);
      writeOptional<Pane>(paneCoder, cell.pane, out);
    },
    read(input, key, mapKey, window) {
      checkVersion(input);
      const kept = readOptional(accumulator, input);
      const pane = readOptional<Pane>(paneCoder, input);
      return { key, mapKey, window, timers: undefined, mark: 0, accumulator: kept, pane, dirty: false };
    },
  };
}

export function sliceLaneFormat(coders: StepCoders): RecordFormat<OwnCell> {
  const inner = windowLaneFormat(coders);
  return {
    ...inner,
    layout: layoutOf("slice", coders),
    lazy: false,
    windows: {
      name: `slices(${inner.windows.name})`,
      deterministic: true,
      encode(window, out) {
        const isSlice = window instanceof SliceWindow;
        out.byte(isSlice ? 1 : 0);
        if (!isSlice) return inner.windows.encode(window, out);
        out.float64(window.start);
        out.float64(window.end);
        out.float64(window.maxTimestamp);
      },
      decode(input) {
        if (input.byte() === 0) return inner.windows.decode(input);
        return new SliceWindow(input.float64(), input.float64(), input.float64());
      },
    },
  };
}

function writeTrigger({ finished, count, dueMs, children }: TriggerState, out: ByteWriter): void {
  out.byte((finished ? 1 : 0) | (dueMs === null ? 0 : 2));
  out.varint(count);
  if (dueMs !== null) out.float64(dueMs);
  out.varint(children.length);
  for (const child of children) writeTrigger(child, out);
}

function readTrigger(input: ByteReader): TriggerState {
  const flags = input.byte();
  const count = input.varint();
  const dueMs = (flags & 2) === 0 ? null : input.float64();
  const children: TriggerState[] = [];
  for (let left = input.length(); left > 0; left--) children.push(readTrigger(input));
  return { finished: (flags & 1) !== 0, count, dueMs, children };
}

/** @param trigger its text: its state means nothing to another one */
export function generalLaneFormat(coders: StepCoders, trigger: string): RecordFormat<GeneralCell> {
  const { accumulator } = coders;
  return {
    layout: { ...layoutOf("general", coders), trigger },
    lazy: false,
    keys: keyCoderFor(coders.key),
    windows: windowCoder(coders.windowFn),
    write(cell, out) {
      out.byte(VERSION);
      out.byte(cell.closed ? 1 : 0);
      writeOptional(accumulator, cell.accumulator, out);
      out.varint(cell.fresh);
      out.byte(cell.heldAt === undefined ? 0 : 1);
      if (cell.heldAt !== undefined) out.float64(cell.heldAt);
      writeOptional<Pane>(paneCoder, cell.pane, out);
      writeTrigger(cell.trigger, out);
    },
    read(input, key, mapKey, window) {
      checkVersion(input);
      const closed = input.byte() !== 0;
      const kept = readOptional(accumulator, input);
      const fresh = input.varint();
      const heldAt = input.byte() === 0 ? undefined : input.float64();
      const pane = readOptional<Pane>(paneCoder, input);
      const trigger = readTrigger(input);
      const more = { alive: true, touched: false, told: false };
      return {
        key,
        mapKey,
        window,
        timers: undefined,
        mark: 0,
        accumulator: kept,
        fresh,
        heldAt,
        trigger,
        pane,
        closed,
        ...more,
      };
    },
  };
}

/** For hosts whose records are not written down. */
export function unwritten<R extends KeyedRecord>(): RecordFormat<R> {
  const never = (): never => {
    throw corrupt("records of this host are never written");
  };
  return {
    layout: { lane: "state", key: "", windows: "" },
    lazy: false,
    keys: keyCoderFor(undefined),
    windows: valueCoder as Coder<Window>,
    write: never,
    read: never,
  };
}
