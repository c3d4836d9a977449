/**
 * Beam's standard coders made of others: pairs, iterables, nullable, length-prefixed, sharded keys.
 *
 * M1 The last part of a pair, and the value of a nullable, are in the context of the whole; all other parts are nested.
 * M2 A composite is deterministic when all its parts are. An iterable counts as the sequence that it is when encoded.
 * M3 Counts come from outside: elements are decoded one by one, so a false count ends in `CODER_CORRUPT`, not in a huge array.
 */
import { TidemarkError } from "../base/errors.ts";
import { corrupt, ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { decodeIn, encodeIn, type Coder, type CoderContext, type DeterministicCoder } from "./coder.ts";
import { readBool } from "./primitives.ts";

export const KV_URN = "beam:coder:kv:v1";
/** In the place of a count: the length is not known, the elements follow in chunks. */
const UNKNOWN_LENGTH = 0xffff_ffff;
/** Counts are signed 32-bit numbers. */
const COUNT_MAX = 0x7fff_ffff;
/** How many elements of zero bytes one iterable may hold: nothing but this bounds a false count of them. */
const EMPTY_ELEMENTS_MAX = 1 << 20;

/**
 * `[key, value]`. Deterministic where both coders are.
 *
 * @example
 * ```ts
 * encodeToBytes(kvCoder(stringCoder, varintCoder), ["a", 5]); // -> Uint8Array.of(1, 97, 5)
 * ```
 */
export function kvCoder<K, V>(
  key: DeterministicCoder<K>,
  value: DeterministicCoder<V>,
): DeterministicCoder<readonly [K, V]>;
export function kvCoder<K, V>(key: Coder<K>, value: Coder<V>): Coder<readonly [K, V]>;
export function kvCoder<K, V>(key: Coder<K>, value: Coder<V>): Coder<readonly [K, V]> {
  const encode = (context: CoderContext, pair: readonly [K, V], out: ByteWriter): void => {
    encodeIn("nested", key, pair[0], out);
    encodeIn(context, value, pair[1], out);
  };
  return {
    name: `kv(${key.name},${value.name})`,
    urn: KV_URN,
    components: [key, value],
    deterministic: key.deterministic && value.deterministic,
    encode: (pair, out) => encode("nested", pair, out),
    decode: (input) => [decodeIn("nested", key, input), decodeIn("nested", value, input)],
    encodeOuter: (pair, out) => encode("outer", pair, out),
    decodeOuter: (input) => [decodeIn("nested", key, input), decodeIn("outer", value, input)],
  };
}

/** The coder of the keys, where `coder` is one of pairs. */
export function keyCoderOf(coder: Coder<unknown> | undefined): Coder<unknown> | undefined {
  return coder?.urn === KV_URN ? coder.components?.[0] : undefined;
}

/** The coder of the values, where `coder` is one of pairs. */
export function valueCoderOf(coder: Coder<unknown> | undefined): Coder<unknown> | undefined {
  return coder?.urn === KV_URN ? coder.components?.[1] : undefined;
}

/** What `iterableCoder` gives: it encodes any iterable and decodes an array. */
export interface IterableCoder<T> extends Coder<Iterable<T>> {
  decode(input: ByteReader): T[];
}

/**
 * Elements in their order: the count in 4 bytes, then each element. An iterable that is not an array is read into one
 * first. Decoding also takes Beam's form of unknown length, in chunks.
 *
 * @example
 * ```ts
 * encodeToBytes(iterableCoder(varintCoder), [1, 2]); // -> Uint8Array.of(0, 0, 0, 2, 1, 2)
 * ```
 */
export function iterableCoder<T>(element: DeterministicCoder<T>): IterableCoder<T> & DeterministicCoder<Iterable<T>>;
export function iterableCoder<T>(element: Coder<T>): IterableCoder<T>;
export function iterableCoder<T>(element: Coder<T>): IterableCoder<T> {
  return {
    name: `iterable(${element.name})`,
    urn: "beam:coder:iterable:v1",
    components: [element],
    deterministic: element.deterministic,
    encode: (values, out) => encodeAll(element, values, out),
    decode(input) {
      const values: T[] = [];
      const last = decodeChunks(element, input, values);
      if (last !== 0) throw corrupt(`an iterable cannot have a chunk of ${last} elements`);
      return values;
    },
  };
}

/**
 * As `iterableCoder`, where the runner may have kept the rest of a long iterable: those elements are fetched on each
 * iteration, after the ones at hand.
 * @param fetch the bytes behind a token, in pieces that each hold whole elements
 */
export function stateBackedIterableCoder<T>(
  element: Coder<T>,
  fetch: (token: Uint8Array) => Iterable<Uint8Array>,
): Coder<Iterable<T>> {
  return {
    name: `stateBackedIterable(${element.name})`,
    urn: "beam:coder:state_backed_iterable:v1",
    components: [element],
    deterministic: false,
    encode: (values, out) => encodeAll(element, values, out),
    decode(input) {
      const atHand: T[] = [];
      const last = decodeChunks(element, input, atHand);
      if (last === 0) return atHand;
      if (last !== -1) throw corrupt(`a state-backed iterable cannot have a chunk of ${last} elements`);
      const token = input.bytes(input.length());
      return { [Symbol.iterator]: () => withFetched(element, atHand, fetch, token) };
    },
  };
}

function* withFetched<T>(
  element: Coder<T>,
  atHand: readonly T[],
  fetch: (token: Uint8Array) => Iterable<Uint8Array>,
  token: Uint8Array,
): Generator<T> {
  yield* atHand;
  for (const piece of fetch(token)) {
    const input = new ByteReader(piece);
    while (input.remaining > 0) yield decodeIn("nested", element, input);
  }
}

/**
 * `null`, or a value: one byte says which.
 *
 * @example
 * ```ts
 * const coder = nullableCoder(varintCoder);
 * encodeToBytes(coder, null); // -> Uint8Array.of(0)
 * encodeToBytes(coder, 5); // -> Uint8Array.of(1, 5)
 * ```
 */
export function nullableCoder<T>(value: DeterministicCoder<T>): DeterministicCoder<T | null>;
export function nullableCoder<T>(value: Coder<T>): Coder<T | null>;
export function nullableCoder<T>(value: Coder<T>): Coder<T | null> {
  const encode = (context: CoderContext, item: T | null, out: ByteWriter): void => {
    out.byte(item === null ? 0 : 1);
    if (item !== null) encodeIn(context, value, item, out);
  };
  return {
    name: `nullable(${value.name})`,
    urn: "beam:coder:nullable:v1",
    components: [value],
    deterministic: value.deterministic,
    encode: (item, out) => encode("nested", item, out),
    decode: (input) => (readBool(input) ? decodeIn("nested", value, input) : null),
    encodeOuter: (item, out) => encode("outer", item, out),
    decodeOuter: (input) => (readBool(input) ? decodeIn("outer", value, input) : null),
  };
}

/**
 * The value's length in bytes, then its outer form: so that a reader who does not know the coder can skip it.
 *
 * @example
 * ```ts
 * encodeToBytes(lengthPrefixCoder(doubleCoder), 1); // -> Uint8Array.of(8, 63, 240, 0, 0, 0, 0, 0, 0)
 * ```
 */
export function lengthPrefixCoder<T>(value: DeterministicCoder<T>): DeterministicCoder<T>;
export function lengthPrefixCoder<T>(value: Coder<T>): Coder<T>;
export function lengthPrefixCoder<T>(value: Coder<T>): Coder<T> {
  return {
    name: `lengthPrefix(${value.name})`,
    urn: "beam:coder:length_prefix:v1",
    components: [value],
    deterministic: value.deterministic,
    encode(item, out) {
      const mark = out.startLength();
      encodeIn("outer", value, item, out);
      out.endLength(mark);
    },
    decode(input) {
      const own = input.take(input.length());
      const item = decodeIn("outer", value, own);
      if (own.remaining !== 0) throw corrupt(`${own.remaining} bytes are left after a value of ${value.name}`);
      return item;
    },
  };
}

/** A key that a runner has cut into parts which may be worked on apart. */
export interface ShardedKey<K> {
  readonly shardId: Uint8Array;
  readonly key: K;
}

/** The shard's id, after its length; then the key. */
export function shardedKeyCoder<K>(key: DeterministicCoder<K>): DeterministicCoder<ShardedKey<K>>;
export function shardedKeyCoder<K>(key: Coder<K>): Coder<ShardedKey<K>>;
export function shardedKeyCoder<K>(key: Coder<K>): Coder<ShardedKey<K>> {
  return {
    name: `shardedKey(${key.name})`,
    urn: "beam:coder:sharded_key:v1",
    components: [key],
    deterministic: key.deterministic,
    encode(sharded, out) {
      out.varint(sharded.shardId.length);
      out.bytes(sharded.shardId);
      encodeIn("nested", key, sharded.key, out);
    },
    decode: (input) => ({ shardId: input.bytes(input.length()), key: decodeIn("nested", key, input) }),
  };
}

function encodeAll<T>(element: Coder<T>, values: Iterable<T>, out: ByteWriter): void {
  const all: { readonly length: number } & Iterable<T> = Array.isArray(values) ? (values as T[]) : [...values];
  if (all.length > COUNT_MAX) {
    throw new TidemarkError("VALUE_NOT_ENCODABLE", {
      what: `an iterable of ${all.length} elements; the most is ${COUNT_MAX}`,
      fix: "split it",
    });
  }
  out.uint32(all.length);
  for (const value of all) encodeIn("nested", element, value, out);
}

/**
 * Reads an iterable's elements into `values`.
 * @returns the count that ended it: 0 when it is complete, else one that is no count and that the caller explains
 */
function decodeChunks<T>(element: Coder<T>, input: ByteReader, values: T[]): number {
  const count = input.uint32();
  if (count !== UNKNOWN_LENGTH) {
    if (count > COUNT_MAX) throw corrupt(`an iterable cannot have ${count - 2 ** 32} elements`);
    decodeSome(element, input, count, values);
    return 0;
  }
  for (;;) {
    const chunk = Number(input.varintExact());
    if (chunk <= 0) return chunk;
    decodeSome(element, input, chunk, values);
  }
}

function decodeSome<T>(element: Coder<T>, input: ByteReader, count: number, values: T[]): void {
  for (let i = 0; i < count; i++) {
    const before = input.position;
    values.push(decodeIn("nested", element, input));
    if (input.position === before && values.length > EMPTY_ELEMENTS_MAX) {
      throw corrupt(`an iterable of more than ${EMPTY_ELEMENTS_MAX} elements without a byte each`);
    }
  }
}
