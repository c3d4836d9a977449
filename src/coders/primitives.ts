/**
 * Beam's standard coders of single values: bytes, text, booleans, numbers.
 *
 * P1 The bytes are Beam's, checked against its reference file in both contexts (standard-coders.test.ts).
 * P2 A value that would come back changed is refused (`VALUE_NOT_ENCODABLE`), never converted: a number is not rounded,
 *    text is not taken for bytes. Types say so too, but data from outside gets past them.
 */
import { TidemarkError } from "../base/errors.ts";
import { corrupt, type ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { Coder, DeterministicCoder } from "./coder.ts";
import { checkWellFormed } from "./well-formed.ts";

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Bytes; nested, after their length. Any `Uint8Array` (a `Buffer` too) is written; decoding gives a copy.
 *
 * @example
 * ```ts
 * encodeToBytes(bytesCoder, Uint8Array.of(1, 2)); // -> Uint8Array.of(2, 1, 2)
 * ```
 */
export const bytesCoder: DeterministicCoder<Uint8Array> = {
  name: "bytes",
  urn: "beam:coder:bytes:v1",
  deterministic: true,
  encode(value: Uint8Array, out: ByteWriter): void {
    if (!(value instanceof Uint8Array)) throw wrongType("bytes", value);
    out.varint(value.length);
    out.bytes(value);
  },
  decode: (input: ByteReader): Uint8Array => input.bytes(input.length()),
  encodeOuter(value: Uint8Array, out: ByteWriter): void {
    if (!(value instanceof Uint8Array)) throw wrongType("bytes", value);
    out.bytes(value);
  },
  decodeOuter: (input: ByteReader): Uint8Array => input.bytes(input.remaining),
};

/**
 * Text as UTF-8; nested, after its length in bytes. Refuses half a surrogate pair (`VALUE_NOT_ENCODABLE`).
 *
 * @example
 * ```ts
 * encodeToBytes(stringCoder, "é"); // -> Uint8Array.of(2, 195, 169)
 * ```
 */
export const stringCoder: DeterministicCoder<string> = {
  name: "string",
  urn: "beam:coder:string_utf8:v1",
  deterministic: true,
  encode(value: string, out: ByteWriter): void {
    if (typeof value !== "string") throw wrongType("string", value);
    checkWellFormed(value);
    out.utf8WithLength(value);
  },
  decode: (input: ByteReader): string => input.utf8(input.length()),
  encodeOuter(value: string, out: ByteWriter): void {
    if (typeof value !== "string") throw wrongType("string", value);
    checkWellFormed(value);
    out.utf8(value);
  },
  decodeOuter: (input: ByteReader): string => input.utf8(input.remaining),
};

/**
 * A boolean: one byte, 0 or 1.
 *
 * @example
 * ```ts
 * encodeToBytes(boolCoder, true); // -> Uint8Array.of(1)
 * ```
 */
export const boolCoder: DeterministicCoder<boolean> = {
  name: "bool",
  urn: "beam:coder:bool:v1",
  deterministic: true,
  encode(value: boolean, out: ByteWriter): void {
    if (typeof value !== "boolean") throw wrongType("bool", value);
    out.byte(value ? 1 : 0);
  },
  decode: readBool,
};

/** Reads one byte that has to be 0 or 1. */
export function readBool(input: ByteReader): boolean {
  const byte = input.byte();
  if (byte > 1) throw corrupt(`a boolean is 0 or 1, not ${byte}`);
  return byte === 1;
}

/**
 * Whole numbers within ±(2^53 − 1), in 1 to 10 bytes (negative ones always 10). −0 comes back as 0.
 * Encoding others throws `VALUE_NOT_ENCODABLE`; decoding a larger one, from another language, `INTEGER_TOO_LARGE`.
 *
 * @example
 * ```ts
 * encodeToBytes(varintCoder, 300); // -> Uint8Array.of(172, 2)
 * encodeToBytes(varintCoder, 0.5); // throws VALUE_NOT_ENCODABLE
 * ```
 */
export const varintCoder: DeterministicCoder<number> = {
  name: "varint",
  urn: "beam:coder:varint:v1",
  deterministic: true,
  encode(value: number, out: ByteWriter): void {
    if (!Number.isSafeInteger(value)) throw typeof value === "number" ? notSafe(value) : wrongType("varint", value);
    out.varint(value);
  },
  decode: (input: ByteReader): number => input.varint(),
};

/**
 * All 64-bit integers, as bigint; the same bytes as `varintCoder`. Larger ones throw `VALUE_NOT_ENCODABLE`.
 *
 * @example
 * ```ts
 * decodeFromBytes(varintBigCoder, encodeToBytes(varintBigCoder, 2n ** 60n)); // -> 2n ** 60n
 * ```
 */
export const varintBigCoder: DeterministicCoder<bigint> = {
  name: "varintBig",
  urn: "beam:coder:varint:v1",
  deterministic: true,
  encode(value: bigint, out: ByteWriter): void {
    if (typeof value !== "bigint") throw wrongType("varintBig", value);
    if (value < MIN_INT64 || value > MAX_INT64) {
      throw new TidemarkError("VALUE_NOT_ENCODABLE", {
        what: `${value} does not fit 64 bits`,
        fix: "encode it with valueCoder, or as text",
      });
    }
    out.varintBig(value);
  },
  decode: (input: ByteReader): bigint => input.varintBig(),
};

/**
 * Any number, in 8 bytes. Not for keys: 0 and −0 are one key but have two encodings.
 *
 * @example
 * ```ts
 * encodeToBytes(doubleCoder, 1); // -> Uint8Array.of(63, 240, 0, 0, 0, 0, 0, 0)
 * ```
 */
export const doubleCoder: Coder<number> = {
  name: "double",
  urn: "beam:coder:double:v1",
  deterministic: false,
  encode(value: number, out: ByteWriter): void {
    if (typeof value !== "number") throw wrongType("double", value);
    out.float64(value);
  },
  decode: (input: ByteReader): number => input.float64(),
};

function notSafe(value: number): TidemarkError {
  const whole = Number.isInteger(value);
  return new TidemarkError("VALUE_NOT_ENCODABLE", {
    what: `${value} is not a whole number within ±(2^53 - 1)`,
    why: whole ? "numbers that large are not exact in JavaScript" : "varintCoder is for whole numbers",
    fix: whole ? "use a bigint with varintBigCoder" : "use doubleCoder, or round first",
  });
}

function wrongType(coder: string, value: unknown): TidemarkError {
  const type =
    value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
  return new TidemarkError("VALUE_NOT_ENCODABLE", {
    what: `the coder ${coder} was given a value of type ${type}`,
    why: "the value is not of the type that the program says",
    fix: "check the data where it enters the pipeline, or give the coder of its real type (nullableCoder, where it may be null)",
  });
}
