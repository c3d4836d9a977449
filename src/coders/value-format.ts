/**
 * The format of self-describing values: tags, and what they share between encoding, keys and decoding.
 *
 * Place: value.ts writes plain JavaScript values in this format, key.ts a canonical subset of it; HERE it is read.
 * Checkpoints and savepoints contain it, so a tag keeps its meaning for ever; a new meaning takes a new tag, and what
 * old programs must not read takes a new version.
 *
 *   value   := version (1 byte, 0x01) item
 *   item    := tag (1 byte) and, by tag:
 *     00 undefined · 01 null · 02 false · 03 true
 *     04 integer n ≥ 0: varint n             05 integer n < 0: varint −1−n
 *     06 number: 8 bytes, IEEE 754, big-endian
 *     07 bigint ≥ 0: length, magnitude       08 bigint < 0: length, magnitude (big-endian, no leading zero byte)
 *     09 text: length, one byte per char     0a text: length, UTF-8            0b text: length, two bytes per char (little-endian)
 *     0c Date: 8 bytes, as 06
 *     0d array: count, items
 *     0e object: count, that many names (text items), that many items; its names become the next shape, from 0
 *     0f object: number of an earlier shape, an item for each of its names
 *     10 object: as 0e, but its names become no shape
 *     11 object without a prototype: as 10
 *     12 Map: count, then key item and value item for each
 *     13 Set: count, items
 *     14 IntervalWindow: start and end as instants (8 bytes each)       15 the global window
 *     20 ArrayBuffer · 21 Buffer · 22 Uint8Array · 23 Uint8ClampedArray · 24 Int8Array · 25 Int16Array · 26 Uint16Array · 27 Int32Array
 *     28 Uint32Array · 29 Float32Array · 2a Float64Array · 2b BigInt64Array · 2c BigUint64Array · 2d DataView: length in bytes, bytes
 *        (elements in the machine's order: little-endian wherever Node is supported without reserve)
 *     80 to ff: the integers 0 to 127
 *
 * Lengths, counts and shape numbers are varints.
 * F1 Shapes live within one value: nothing is needed from before it to read it.
 * F2 Every item takes at least one byte, so a count above the bytes left is corrupt.
 */
import { Buffer } from "node:buffer";
import { GLOBAL_WINDOW, IntervalWindow } from "../model/window.ts";
import { type ByteReader, corrupt } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

export const FORMAT_VERSION = 1;

/** Items may be this deep inside each other. Deeper values, and cyclic ones, are refused. */
export const DEPTH_MAX = 500;

export const UNDEFINED = 0x00;
export const NULL = 0x01;
export const FALSE = 0x02;
export const TRUE = 0x03;
export const NATURAL = 0x04;
export const NEGATIVE = 0x05;
export const DOUBLE = 0x06;
export const BIG_NATURAL = 0x07;
export const BIG_NEGATIVE = 0x08;
export const TEXT_LATIN1 = 0x09;
export const TEXT_UTF8 = 0x0a;
export const TEXT_UTF16 = 0x0b;
export const DATE = 0x0c;
export const ARRAY = 0x0d;
export const OBJECT_NEW_SHAPE = 0x0e;
export const OBJECT_OF_SHAPE = 0x0f;
export const OBJECT = 0x10;
export const OBJECT_WITHOUT_PROTOTYPE = 0x11;
export const MAP = 0x12;
export const SET = 0x13;
export const INTERVAL_WINDOW = 0x14;
export const GLOBAL = 0x15;
export const ARRAY_BUFFER = 0x20;
export const BUFFER = 0x21;
export const UINT8_ARRAY = 0x22;
export const DATA_VIEW = 0x2d;
export const SMALL_INTEGER = 0x80;

/** Makes a typed array of all of `buffer`. */
type TypedArrayConstructor = new (buffer: ArrayBuffer) => ArrayBufferView;

/** The typed arrays by tag, from 0x22 on. */
const TYPED_ARRAYS: readonly (TypedArrayConstructor & { readonly BYTES_PER_ELEMENT: number })[] = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

/** The tag of what is nothing but bytes, by its prototype. */
export const BINARY_TAGS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [ArrayBuffer.prototype, ARRAY_BUFFER],
  [Buffer.prototype, BUFFER],
  [DataView.prototype, DATA_VIEW],
  ...TYPED_ARRAYS.map((constructor, i): [unknown, number] => [constructor.prototype, UINT8_ARRAY + i]),
]);

/** Writes a number as the shortest of its forms. */
export function writeNumber(value: number, out: ByteWriter): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    out.byte(DOUBLE);
    out.float64(value);
  } else if (value < 0) {
    out.byte(NEGATIVE);
    out.varint(-1 - value);
  } else if (value < 128) {
    out.byte(SMALL_INTEGER | value);
  } else {
    out.byte(NATURAL);
    out.varint(value);
  }
}

export function writeBigInt(value: bigint, out: ByteWriter): void {
  const hex = (value < 0n ? -value : value).toString(16);
  const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  out.byte(value < 0n ? BIG_NEGATIVE : BIG_NATURAL);
  out.varint(magnitude.length);
  out.bytes(magnitude);
}

/** Bounds go as doubles, which they are: a window around the first instant of all begins before every timestamp. */
export function writeIntervalWindow({ start, end }: IntervalWindow, out: ByteWriter): void {
  out.byte(INTERVAL_WINDOW);
  out.float64(start === 0 ? 0 : start);
  out.float64(end === 0 ? 0 : end);
}

/** Writes what `BINARY_TAGS` knows. */
export function writeBinary(tag: number, value: ArrayBuffer | ArrayBufferView, out: ByteWriter): void {
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  out.byte(tag);
  out.varint(bytes.length);
  out.bytes(bytes);
}

/** Reads one value, version byte included. */
export function readValue(input: ByteReader): unknown {
  const version = input.byte();
  if (version !== FORMAT_VERSION) {
    throw corrupt(
      `a value in format ${version}; this version of Tidemark reads format ${FORMAT_VERSION}`,
      "a newer Tidemark wrote it, or another coder",
    );
  }
  return readItem(input, [], 0);
}

function readItem(input: ByteReader, shapes: (readonly string[])[], depth: number): unknown {
  const tag = input.byte();
  if (tag >= SMALL_INTEGER) return tag - SMALL_INTEGER;
  // What is not itself a container may lie one level below the deepest container.
  if (depth > DEPTH_MAX + 1) throw corrupt(`a value is nested more than ${DEPTH_MAX} levels deep`);
  switch (tag) {
    case UNDEFINED:
      return undefined;
    case NULL:
      return null;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case NATURAL:
      return readNatural(input);
    case NEGATIVE:
      return -1 - readNatural(input);
    case DOUBLE:
      return input.float64();
    case BIG_NATURAL:
      return readMagnitude(input);
    case BIG_NEGATIVE:
      return -readMagnitude(input);
    case TEXT_LATIN1:
      return input.latin1(input.length());
    case TEXT_UTF8:
      return input.utf8(input.length());
    case TEXT_UTF16:
      return input.utf16(input.length());
    case DATE:
      return new Date(input.float64());
    case ARRAY: {
      const items: unknown[] = [];
      for (let left = input.length(); left > 0; left--) items.push(readItem(input, shapes, depth + 1));
      return items;
    }
    case OBJECT_NEW_SHAPE: {
      const names = readNames(input);
      shapes.push(names);
      return fill({}, names, input, shapes, depth);
    }
    case OBJECT_OF_SHAPE: {
      const number = input.varintExact();
      const names = shapes[Number(number)];
      if (names === undefined) throw corrupt(`an object of shape ${number}, of which there are ${shapes.length}`);
      return fill({}, names, input, shapes, depth);
    }
    case OBJECT:
      return fill({}, readNames(input), input, shapes, depth);
    case OBJECT_WITHOUT_PROTOTYPE:
      return fill(Object.create(null) as Record<string, unknown>, readNames(input), input, shapes, depth);
    case MAP: {
      const map = new Map<unknown, unknown>();
      for (let left = input.length(); left > 0; left--) {
        const key = readItem(input, shapes, depth + 1);
        map.set(key, readItem(input, shapes, depth + 1));
      }
      return map;
    }
    case SET: {
      const set = new Set<unknown>();
      for (let left = input.length(); left > 0; left--) set.add(readItem(input, shapes, depth + 1));
      return set;
    }
    case INTERVAL_WINDOW: {
      const start = input.float64();
      return new IntervalWindow(start, input.float64());
    }
    case GLOBAL:
      return GLOBAL_WINDOW;
    default:
      return readBinary(tag, input);
  }
}

function readNatural(input: ByteReader): number {
  const value = input.varintExact();
  if (typeof value === "number" && value >= 0) return value;
  throw corrupt(`an integer of ${value} where one from 0 to 2^53 - 1 is expected`);
}

function readMagnitude(input: ByteReader): bigint {
  const bytes = input.view(input.length());
  return bytes.length === 0
    ? 0n
    : BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`);
}

function readNames(input: ByteReader): readonly string[] {
  const names: string[] = [];
  for (let left = input.length(); left > 0; left--) {
    const name = readItem(input, [], DEPTH_MAX + 1);
    if (typeof name !== "string") throw corrupt("an object has a name that is not text");
    names.push(name);
  }
  return names;
}

function fill(
  object: Record<string, unknown>,
  names: readonly string[],
  input: ByteReader,
  shapes: (readonly string[])[],
  depth: number,
): unknown {
  for (const name of names) {
    const value = readItem(input, shapes, depth + 1);
    // Assigning to __proto__ would set the prototype instead of a property.
    if (name === "__proto__")
      Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
    else object[name] = value;
  }
  return object;
}

function readBinary(tag: number, input: ByteReader): unknown {
  const constructor = TYPED_ARRAYS[tag - UINT8_ARRAY];
  if (constructor === undefined && tag !== ARRAY_BUFFER && tag !== BUFFER && tag !== DATA_VIEW)
    throw corrupt(`no value begins with the tag ${tag}`);
  const bytes = input.bytes(input.length());
  const buffer = bytes.buffer as ArrayBuffer;
  if (tag === ARRAY_BUFFER) return buffer;
  if (tag === BUFFER) return Buffer.from(buffer);
  if (tag === DATA_VIEW) return new DataView(buffer);
  const size = constructor?.BYTES_PER_ELEMENT ?? 1;
  if (bytes.length % size !== 0)
    throw corrupt(`${bytes.length} bytes are no whole number of elements of ${size} bytes`);
  return constructor === undefined ? bytes : new constructor(buffer);
}
