/**
 * Keys: when are two of them the same?
 *
 * Place: grouping and state keep a JavaScript Map per step; shards and checkpoints need the key's bytes. HERE one rule gives both.
 * K1 Two keys have equal map keys (as a Map compares) if and only if they have equal bytes.
 * K2 Without a coder, equal means: the same primitive, where −0 is 0 and NaN is one key; or objects, arrays, dates, maps,
 *    sets, byte arrays with equal content, whatever the order of their names or entries. A Buffer equals a Uint8Array, and
 *    comes back from its bytes as a Buffer.
 * K3 Texts and numbers are their own map keys. Objects become text that begins with U+0000 and `k`; a text that itself
 *    begins with U+0000 gets U+0000 and `s` before it, so that the two never meet.
 * K4 Half a surrogate pair is refused, at any depth: it has no UTF-8 form, and would be another key elsewhere.
 * K5 A key's bytes never change between versions: they say where its state lies.
 */
import { Buffer } from "node:buffer";
import { TidemarkError } from "../base/errors.ts";
import { GlobalWindow, IntervalWindow } from "../model/window.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, isLatin1 } from "./byte-writer.ts";
import { decodeFromBytes, encodeToBytes, encodeToLatin1, type DeterministicCoder } from "./coder.ts";
import { stringCoder, varintCoder } from "./primitives.ts";
import * as format from "./value-format.ts";
import { findProblem } from "./value-problem.ts";
import { isWellFormed } from "./well-formed.ts";

/** What stands for a key in a Map: a primitive for itself, anything else by its canonical bytes. */
export type MapKey = string | number | bigint | boolean | null | undefined;

const REFUSED = Symbol("refused");

/**
 * Any plain value in canonical bytes: equal values, equal bytes. A subset of valueCoder's format, which reads it.
 * Refuses what has no canonical form (`KEY_NOT_DETERMINISTIC`).
 */
export const canonicalCoder: DeterministicCoder<unknown> = {
  name: "canonical",
  deterministic: true,
  encode(value: unknown, out: ByteWriter): void {
    out.byte(format.FORMAT_VERSION);
    try {
      writeCanonical(value, out, 0);
    } catch (error) {
      throw error === REFUSED ? notDeterministic(value) : error;
    }
  },
  decode: (input: ByteReader): unknown => format.readValue(input),
};

/** What a step needs to know about its keys. */
export interface KeyCoder<K> {
  readonly coder: DeterministicCoder<K>;
  /** What stands for `key` in a Map. Costs next to nothing for text and numbers. */
  readonly toMapKey: (key: K) => MapKey;
  /** Whether a text that `isPlainText` stands for itself, if it is well-formed: `toMapKey` checks that. */
  readonly textIsMapKey: boolean;
  /** The canonical bytes, as Beam's state requests have them (nested context). */
  bytes(key: K): Uint8Array;
  fromBytes(bytes: Uint8Array): K;
}

/**
 * The keys of one step. Map keys of different `coder`s are not comparable.
 * @param coder the coder that the program gave; without one, any plain value is a key
 */
export function keyCoderFor(coder?: undefined): KeyCoder<unknown>;
export function keyCoderFor<K>(coder: DeterministicCoder<K>): KeyCoder<K>;
export function keyCoderFor<K>(coder?: DeterministicCoder<K>): KeyCoder<K> | KeyCoder<unknown>;
export function keyCoderFor<K>(coder?: DeterministicCoder<K>): KeyCoder<K> | KeyCoder<unknown> {
  return coder === undefined ? ANY_KEY : keysOf(coder, mapKeyBy(coder));
}

const ANY_KEY: KeyCoder<unknown> = keysOf(canonicalCoder, canonicalKey);

/** What stands for `key` in a Map, for keys without a coder of their own: see K2. */
export function canonicalKey(key: unknown): MapKey {
  switch (typeof key) {
    case "string":
      if (!isWellFormed(key)) throw notDeterministic(key);
      return key.charCodeAt(0) === 0 ? `\u0000s${key}` : key;
    case "number":
      // Adding 0 turns −0 into 0 and changes nothing else.
      return key + 0;
    case "bigint":
    case "boolean":
    case "undefined":
      return key;
    default:
      return key === null ? null : `\u0000k${encodeToLatin1(canonicalCoder, key)}`;
  }
}

/** Whether `key` is a text that no other key's map key can be equal to: see K3. */
export function isPlainText(key: unknown): key is string {
  return typeof key === "string" && key.charCodeAt(0) !== 0;
}

function keysOf<K>(coder: DeterministicCoder<K>, toMapKey: (key: K) => MapKey): KeyCoder<K> {
  const given: unknown = coder;
  return {
    coder,
    toMapKey,
    textIsMapKey: given === canonicalCoder || given === stringCoder,
    bytes: (key) => encodeToBytes(coder, key),
    fromBytes: (bytes) => decodeFromBytes(coder, bytes),
  };
}

/** K1 for a given coder: the key itself where that is known to distinguish what the bytes do, else the bytes. */
function mapKeyBy<K>(coder: DeterministicCoder<K>): (key: K) => MapKey {
  const byBytes = (key: K): MapKey => encodeToLatin1(coder, key);
  const given: unknown = coder;
  if (given === canonicalCoder) return canonicalKey;
  if (given === stringCoder) return (key) => (typeof key === "string" && isWellFormed(key) ? key : byBytes(key));
  if (given === varintCoder)
    return (key) => (typeof key === "number" && Number.isSafeInteger(key) ? key + 0 : byBytes(key));
  return byBytes;
}

function writeCanonical(value: unknown, out: ByteWriter, depth: number): void {
  switch (typeof value) {
    case "string":
      return writeText(value, out);
    case "number":
      return format.writeNumber(value + 0, out);
    case "boolean":
      return out.byte(value ? format.TRUE : format.FALSE);
    case "undefined":
      return out.byte(format.UNDEFINED);
    case "bigint":
      return format.writeBigInt(value, out);
    case "object":
      if (value === null) return out.byte(format.NULL);
      if (depth > format.DEPTH_MAX) throw REFUSED;
      return writeObject(value, out, depth);
    default:
      throw REFUSED;
  }
}

function writeText(text: string, out: ByteWriter): void {
  if (isLatin1(text)) {
    out.byte(format.TEXT_LATIN1);
    out.varint(text.length);
    out.latin1(text);
    return;
  }
  if (!isWellFormed(text)) throw REFUSED;
  out.byte(format.TEXT_UTF8);
  out.utf8WithLength(text);
}

function writeObject(value: object, out: ByteWriter, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    if (Object.getOwnPropertySymbols(value).length > 0) throw REFUSED;
    // The default order of sort compares UTF-16 units: the same on every machine, unlike a locale's.
    const names = Object.keys(value).sort();
    out.byte(format.OBJECT);
    out.varint(names.length);
    for (const name of names) writeText(name, out);
    for (const name of names) writeCanonical((value as Record<string, unknown>)[name], out, depth + 1);
  } else if (prototype === Array.prototype && Array.isArray(value)) {
    const items = value as readonly unknown[];
    out.byte(format.ARRAY);
    out.varint(items.length);
    for (let i = 0; i < items.length; i++) {
      if (!(i in items)) throw REFUSED;
      writeCanonical(items[i], out, depth + 1);
    }
  } else if (prototype === Map.prototype && value instanceof Map) {
    out.byte(format.MAP);
    out.varint(value.size);
    writeSorted([...(value as ReadonlyMap<unknown, unknown>)], out, depth);
  } else if (prototype === Set.prototype && value instanceof Set) {
    out.byte(format.SET);
    out.varint(value.size);
    writeSorted(
      [...(value as ReadonlySet<unknown>)].map((item) => [item]),
      out,
      depth,
    );
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
    format.writeBinary(tag === format.UINT8_ARRAY ? format.BUFFER : tag, value as ArrayBuffer | ArrayBufferView, out);
  }
}

/** Writes entries, each of one or two items, in the order of their bytes: a Map or Set has no order as a key. */
function writeSorted(entries: readonly (readonly unknown[])[], out: ByteWriter, depth: number): void {
  const encoded = entries.map((items) => {
    const own = new ByteWriter(32);
    for (const item of items) writeCanonical(item, own, depth + 1);
    return own.view();
  });
  for (const bytes of encoded.sort((a, b) => Buffer.compare(a, b))) out.bytes(bytes);
}

function notDeterministic(key: unknown): TidemarkError {
  const problem = findProblem("key", key);
  return new TidemarkError("KEY_NOT_DETERMINISTIC", {
    what: problem === undefined ? "the key changed while it was encoded" : `${problem.path} is ${problem.what}`,
    why: "a key must have the same bytes wherever and whenever an equal key is met",
    fix: problem?.fix ?? "do not change a value that has been given to the pipeline",
  });
}
