/**
 * `valueCoder`: any plain JavaScript value as bytes that describe themselves (value-format.ts has the format).
 *
 * Place: checkpointed state and elements whose coder nobody has given.
 * V1 What comes back equals what went in: −0, NaN, undefined, the order of keys, the kind of every typed array.
 *    Identity does not: an object held twice comes back as two; extra properties of arrays, maps and buffers are not kept.
 * V2 What would not come back equal is refused (`VALUE_NOT_ENCODABLE`) with its path, never left out: functions, symbols,
 *    instances of classes, promises, cycles, sparse arrays.
 * V3 Objects of the same keys in one value write them once; only the first `SHAPES_MAX` key lists are remembered.
 */
import { TidemarkError } from "../base/errors.ts";
import { GlobalWindow, IntervalWindow } from "../model/window.ts";
import type { ByteReader } from "./byte-reader.ts";
import { isLatin1, type ByteWriter } from "./byte-writer.ts";
import type { Coder } from "./coder.ts";
import * as format from "./value-format.ts";
import { findProblem } from "./value-problem.ts";
import { isWellFormed } from "./well-formed.ts";

const SHAPES_MAX = 32;

/** Thrown inside to leave the recursion; `encode` turns it into an error that names the place. */
const REFUSED = Symbol("refused");

/**
 * Undefined, null, booleans, numbers, bigints, text, arrays, plain objects, Date, Map, Set, ArrayBuffer, typed arrays, windows.
 * Others throw `VALUE_NOT_ENCODABLE`, with their path. Not for keys.
 *
 * @example
 * ```ts
 * const value = { at: new Date(0), tags: new Set(["a"]), left: undefined };
 * decodeFromBytes(valueCoder, encodeToBytes(valueCoder, value)); // -> value
 * encodeToBytes(valueCoder, { done: () => {} }); // throws VALUE_NOT_ENCODABLE
 * ```
 */
export const valueCoder: Coder<unknown> = {
  name: "value",
  deterministic: false,
  encode(value: unknown, out: ByteWriter): void {
    out.byte(format.FORMAT_VERSION);
    try {
      writeItem(value, out, typeof value === "object" ? new Shapes() : NO_SHAPES, 0);
    } catch (error) {
      throw error === REFUSED ? notEncodable(value) : error;
    }
  },
  decode: (input: ByteReader): unknown => format.readValue(input),
};

/** The key lists of the objects written so far in one value. */
class Shapes {
  readonly #known: (readonly string[])[] = [];
  #latest = 0;

  /** The number of the shape with these names in this order, or −1. */
  find(names: readonly string[]): number {
    const known = this.#known;
    // Objects come in rows: the last shape found is the likeliest.
    if (known.length > 0 && sameNames(known[this.#latest] as readonly string[], names)) return this.#latest;
    for (let i = 0; i < known.length; i++) {
      if (sameNames(known[i] as readonly string[], names)) return (this.#latest = i);
    }
    return -1;
  }

  /** Remembers a shape that `find` does not know. @returns false when there are too many */
  add(names: readonly string[]): boolean {
    if (this.#known.length >= SHAPES_MAX) return false;
    this.#latest = this.#known.push(names) - 1;
    return true;
  }
}

/** For values that are no objects. */
const NO_SHAPES = new Shapes();

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function writeItem(value: unknown, out: ByteWriter, shapes: Shapes, depth: number): void {
  switch (typeof value) {
    case "string":
      return writeText(value, out);
    case "number":
      return format.writeNumber(value, out);
    case "boolean":
      return out.byte(value ? format.TRUE : format.FALSE);
    case "undefined":
      return out.byte(format.UNDEFINED);
    case "bigint":
      return format.writeBigInt(value, out);
    case "object":
      if (value === null) return out.byte(format.NULL);
      if (depth > format.DEPTH_MAX) throw REFUSED;
      return writeObject(value, out, shapes, depth);
    default:
      throw REFUSED;
  }
}

function writeText(text: string, out: ByteWriter): void {
  if (isLatin1(text)) {
    out.byte(format.TEXT_LATIN1);
    out.varint(text.length);
    out.latin1(text);
  } else if (isWellFormed(text)) {
    out.byte(format.TEXT_UTF8);
    out.utf8WithLength(text);
  } else {
    out.byte(format.TEXT_UTF16);
    out.varint(text.length * 2);
    out.utf16(text);
  }
}

function writeObject(value: object, out: ByteWriter, shapes: Shapes, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    writeProperties(value as Record<string, unknown>, prototype === null, out, shapes, depth);
  } else if (prototype === Array.prototype && Array.isArray(value)) {
    const items = value as readonly unknown[];
    out.byte(format.ARRAY);
    out.varint(items.length);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (item === undefined && !(i in items)) throw REFUSED;
      writeItem(item, out, shapes, depth + 1);
    }
  } else if (prototype === Map.prototype && value instanceof Map) {
    out.byte(format.MAP);
    out.varint(value.size);
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
      writeItem(key, out, shapes, depth + 1);
      writeItem(item, out, shapes, depth + 1);
    }
  } else if (prototype === Set.prototype && value instanceof Set) {
    out.byte(format.SET);
    out.varint(value.size);
    for (const item of value as ReadonlySet<unknown>) writeItem(item, out, shapes, depth + 1);
  } else if (prototype === Date.prototype) {
    out.byte(format.DATE);
    out.float64((value as Date).getTime());
  } else if (prototype === IntervalWindow.prototype) {
    format.writeIntervalWindow(value as IntervalWindow, out);
  } else if (prototype === GlobalWindow.prototype) {
    out.byte(format.GLOBAL);
  } else {
    const tag = format.BINARY_TAGS.get(prototype);
    if (tag === undefined) throw REFUSED;
    format.writeBinary(tag, value as ArrayBuffer | ArrayBufferView, out);
  }
}

function writeProperties(
  value: Record<string, unknown>,
  bare: boolean,
  out: ByteWriter,
  shapes: Shapes,
  depth: number,
): void {
  if (Object.getOwnPropertySymbols(value).length > 0) throw REFUSED;
  const names = Object.keys(value);
  const shape = bare ? -1 : shapes.find(names);
  if (shape >= 0) {
    out.byte(format.OBJECT_OF_SHAPE);
    out.varint(shape);
  } else {
    out.byte(bare ? format.OBJECT_WITHOUT_PROTOTYPE : shapes.add(names) ? format.OBJECT_NEW_SHAPE : format.OBJECT);
    out.varint(names.length);
    for (const name of names) writeText(name, out);
  }
  for (const name of names) writeItem(value[name], out, shapes, depth + 1);
}

function notEncodable(value: unknown): TidemarkError {
  const problem = findProblem("value", value);
  return new TidemarkError("VALUE_NOT_ENCODABLE", {
    what: problem === undefined ? "the value changed while it was encoded" : `${problem.path} is ${problem.what}`,
    why: "only plain data can be written as bytes and read again",
    fix: problem?.fix ?? "do not change a value that has been given to the pipeline",
  });
}
