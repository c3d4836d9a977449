/**
 * Coder: how values of one type become bytes and come back.
 *
 * C1 `decode(encode(x))` equals x, and reads exactly the bytes that `encode` wrote (the nested context): encodings can follow each other.
 * C2 The outer context is for a value that ends where its bytes end; only coders that save a length there differ in it.
 * C3 Synchronous and without side effects. When `encode` throws, the bytes it has written by then mean nothing: truncate the writer.
 * C4 `decode` of bytes that no `encode` wrote throws `CODER_CORRUPT` or returns some value; it never loops, nor reads past the end.
 */
import { TidemarkError } from "../base/errors.ts";
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

/**
 * Values of type `T` as bytes.
 *
 * @example
 * ```ts
 * const celsius: Coder<number> = {
 *   name: "celsius",
 *   deterministic: true,
 *   encode: (value, out) => out.varint(Math.round(value * 10)),
 *   decode: (input) => input.varint() / 10,
 * };
 * encodeToBytes(celsius, 21.5).length; // -> 2
 * decodeFromBytes(celsius, encodeToBytes(celsius, 21.5)); // -> 21.5
 * ```
 */
export interface Coder<T> {
  /** For people and for comparing savepoints, as in `kv(string,varint)`: equal names, equal bytes. */
  readonly name: string;
  /** Beam's name, where the coder is one of Beam's standard ones. */
  readonly urn?: string;
  /** The coders of the parts, in Beam's order. */
  readonly components?: readonly Coder<unknown>[];
  /** Beam's further description, where the standard coder has one. */
  readonly payload?: Uint8Array;
  /** Whether equal values have equal bytes: what keys need. */
  readonly deterministic: boolean;
  /** Writes `value` so that others may follow it. @throws `VALUE_NOT_ENCODABLE` */
  encode(value: T, out: ByteWriter): Written;
  /** Reads exactly what `encode` wrote. @throws `CODER_CORRUPT` */
  decode(input: ByteReader): T;
  /** Present where the outer context differs. */
  encodeOuter?(value: T, out: ByteWriter): Written;
  /** Reads to the end of `input`. Present where the outer context differs. */
  decodeOuter?(input: ByteReader): T;
}

/** Nothing, and no promise of it either, which `void` alone would allow: see C3. */
export type Written = void | undefined;

/** A coder under which equal values have equal bytes. Keys of a given coder need one. */
export interface DeterministicCoder<T> extends Coder<T> {
  readonly deterministic: true;
}

/** Whether a value is followed by others (`nested`), or ends where its bytes end (`outer`). */
export type CoderContext = "nested" | "outer";

/** Scratch writers, used like a stack: a coder may itself call `encodeToBytes`. They hold no value between calls. */
const scratch: ByteWriter[] = [];
/** A scratch writer that one huge value has blown up beyond this is dropped. */
const SCRATCH_BYTES_MAX = 1 << 20;

/** `use` with an empty writer, which is taken back when it returns. */
function withScratch<R>(use: (out: ByteWriter) => R): R {
  const out = scratch.pop() ?? new ByteWriter();
  try {
    return use(out);
  } finally {
    out.reset();
    if (out.capacity <= SCRATCH_BYTES_MAX) scratch.push(out);
  }
}

/**
 * `value` as bytes of its own.
 * @param context default `nested`, as on Beam's data plane
 * @throws VALUE_NOT_ENCODABLE
 *
 * @example
 * ```ts
 * encodeToBytes(stringCoder, "hi"); // -> Uint8Array.of(2, 104, 105)
 * encodeToBytes(stringCoder, "hi", "outer"); // -> Uint8Array.of(104, 105)
 * ```
 */
export function encodeToBytes<T>(coder: Coder<T>, value: T, context: CoderContext = "nested"): Uint8Array {
  return withScratch((out) => {
    encodeIn(context, coder, value, out);
    return out.finish();
  });
}

/** The bytes of `value` in the nested context, as a string of one character (U+0000 to U+00FF) per byte. */
export function encodeToLatin1<T>(coder: Coder<T>, value: T): string {
  return withScratch((out) => {
    encodeIn("nested", coder, value, out);
    return out.toLatin1();
  });
}

/**
 * The value that is all of `bytes`.
 * @param context default `nested`
 * @throws CODER_CORRUPT when the bytes are not one value
 *
 * @example
 * ```ts
 * decodeFromBytes(stringCoder, Uint8Array.of(2, 104, 105)); // -> "hi"
 * decodeFromBytes(stringCoder, Uint8Array.of(9, 104)); // throws CODER_CORRUPT
 * ```
 */
export function decodeFromBytes<T>(coder: Coder<T>, bytes: Uint8Array, context: CoderContext = "nested"): T {
  const input = new ByteReader(bytes);
  const value = decodeIn(context, coder, input);
  if (input.remaining !== 0) throw corrupt(`${input.remaining} bytes are left after a value of ${coder.name}`);
  return value;
}

/** Writes `value` in the given context. */
export function encodeIn<T>(context: CoderContext, coder: Coder<T>, value: T, out: ByteWriter): void {
  const written =
    context === "outer" && coder.encodeOuter !== undefined ? coder.encodeOuter(value, out) : coder.encode(value, out);
  if (written !== undefined) synchronous(coder, written);
}

/** Reads a value that was written in the given context. */
export function decodeIn<T>(context: CoderContext, coder: Coder<T>, input: ByteReader): T {
  return synchronous(
    coder,
    context === "outer" && coder.decodeOuter !== undefined ? coder.decodeOuter(input) : coder.decode(input),
  );
}

/** Refuses a promise, and gives back anything else. */
function synchronous<R>({ name }: { readonly name: string }, result: R): R {
  if (!(result instanceof Promise)) return result;
  // The promise itself is the mistake; what becomes of it must not end the process.
  result.catch(() => {});
  throw new TidemarkError("ASYNC_NOT_ALLOWED", {
    what: `the coder ${name} returned a promise`,
    why: "values are written and read inside the engine's synchronous turn",
    fix: "do the async work in a map or a DoFn before, and let the coder only write and read",
  });
}
