/**
 * Timestamps as bytes: milliseconds in 8 bytes, big-endian with the sign bit flipped, so that bytes sort as times do.
 *
 * Place: the wire, checkpoints and savepoints write instants HERE and nowhere else: the doubles of model/time.ts are
 * not exact beyond 2^53, where Beam's ends of time lie.
 * I1 The three named instants have Beam's exact bytes. The doubles that stand for them are
 *    −9223372036854776, 9223371950454776 and 9223372036854776; the integers meant end in 775.
 * I2 Other instants beyond 2^53 are even as doubles and exact; an odd one from another language becomes the even one
 *    below, and one outside Beam's range becomes its end. So decoding never reverses an order.
 * I3 One millisecond before the end of the global window is 9223371950454774: write it so. As arithmetic
 *    (`END_OF_GLOBAL_WINDOW - 1`) a double gives the end itself.
 */
import { TidemarkError } from "../base/errors.ts";
import { END_OF_GLOBAL_WINDOW, isTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { DeterministicCoder } from "./coder.ts";

const MIN_EXACT = -9223372036854775n;
const MAX_EXACT = 9223372036854775n;
const END_OF_GLOBAL_WINDOW_EXACT = 9223371950454775n;

const TWO_TO_32 = 0x1_0000_0000;
const SIGN_BIT = 0x8000_0000;

/** The whole milliseconds that `timestamp` stands for. @throws `VALUE_NOT_ENCODABLE` for fractions and for what lies outside Beam's range */
export function exactMilliseconds(timestamp: Timestamp): bigint {
  if (timestamp === MAX_TIMESTAMP) return MAX_EXACT;
  if (timestamp === END_OF_GLOBAL_WINDOW) return END_OF_GLOBAL_WINDOW_EXACT;
  if (timestamp === MIN_TIMESTAMP) return MIN_EXACT;
  checkTimestamp(timestamp);
  return BigInt(timestamp);
}

/** The timestamp for whole milliseconds: see I2. */
export function timestampOf(exact: bigint): Timestamp {
  if (exact <= MIN_EXACT) return MIN_TIMESTAMP;
  if (exact >= MAX_EXACT) return MAX_TIMESTAMP;
  if (exact === END_OF_GLOBAL_WINDOW_EXACT) return END_OF_GLOBAL_WINDOW;
  const value = Number(exact);
  return Number.isSafeInteger(value) ? value : Number(exact & ~1n);
}

/** Writes whole milliseconds as `timestampCoder` does, for instants that no double stands for. */
export function writeExactMilliseconds(exact: bigint, out: ByteWriter): void {
  out.uint32(Number(exact >> 32n) ^ SIGN_BIT);
  out.uint32(Number(exact & 0xffff_ffffn));
}

/**
 * An instant (ms) in 8 bytes, which sort as instants do. Encoding fractions of a millisecond, NaN or what lies outside Beam's
 * range throws `VALUE_NOT_ENCODABLE`.
 *
 * @example
 * ```ts
 * encodeToBytes(timestampCoder, 1); // -> Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 1)
 * encodeToBytes(timestampCoder, 0.5); // throws VALUE_NOT_ENCODABLE
 * ```
 */
export const timestampCoder: DeterministicCoder<Timestamp> = {
  name: "timestamp",
  deterministic: true,
  encode(value: Timestamp, out: ByteWriter): void {
    if (Number.isSafeInteger(value)) {
      out.uint32(Math.floor(value / TWO_TO_32) ^ SIGN_BIT);
      out.uint32(value);
      return;
    }
    writeExactMilliseconds(exactMilliseconds(value), out);
  },
  decode(input: ByteReader): Timestamp {
    const high = (input.uint32() ^ SIGN_BIT) | 0;
    const low = input.uint32();
    const value = high * TWO_TO_32 + low;
    return Number.isSafeInteger(value) ? value : timestampOf((BigInt(high) << 32n) | BigInt(low));
  },
};

function checkTimestamp(timestamp: number): void {
  if (isTimestamp(timestamp)) return;
  throw new TidemarkError("VALUE_NOT_ENCODABLE", {
    what: `${String(timestamp)} is not a timestamp`,
    why: "a timestamp is a whole number of milliseconds between MIN_TIMESTAMP and MAX_TIMESTAMP",
    fix: "round the time first (Math.floor); seconds have to be multiplied by 1000",
  });
}
