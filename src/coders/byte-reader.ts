/**
 * A cursor over bytes that coders read from.
 *
 * R1 Reading never leaves `[0, end)`: whoever asks for more gets `CODER_CORRUPT`, never a RangeError.
 * R2 A length or count is checked against what is left before anything of that size is allocated.
 * R3 What `bytes` returns is a copy; `view` and `take` share memory with the input.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { TidemarkError } from "../base/errors.ts";

/** Up to this many bytes, adding characters one by one beats a call into Node (measured: the two meet near 10). */
const SHORT_STRING = 8;

/** The error for bytes that cannot be what was written. @param what the finding, as in `a boolean is 0 or 1, not 7` */
export function corrupt(
  what: string,
  why: string = "the bytes are damaged, or another coder wrote them",
): TidemarkError {
  return new TidemarkError("CODER_CORRUPT", {
    what,
    why,
    fix: "decode with the coder that encoded; if the type of a stored value has changed, start from a savepoint that matches the program",
    domain: "external",
  });
}

/**
 * A cursor over bytes that coders read from. Reading past the end is the error CODER_CORRUPT.
 *
 * @example Numbers, most significant byte first
 * ```ts
 * const input = new ByteReader(Uint8Array.of(7, 0, 0, 1, 0, 63, 240, 0, 0, 0, 0, 0, 0));
 * input.byte(); // -> 7
 * input.uint32(); // -> 256
 * input.float64(); // -> 1
 * input.byte(); // throws CODER_CORRUPT
 * ```
 * @example Varints
 * ```ts
 * const out = new ByteWriter();
 * out.varint(-1);
 * out.varintBig(2n ** 60n);
 * out.varint(3);
 * const input = new ByteReader(out.finish());
 * input.varint(); // -> -1
 * input.varintExact(); // -> 2n ** 60n
 * input.varintBig(); // -> 3n
 * ```
 * @example Text and bytes
 * ```ts
 * const input = new ByteReader(Uint8Array.of(3, 104, 105, 33, 233, 195, 169, 65, 0, 1, 2, 3));
 * input.utf8(input.length()); // -> "hi!"
 * input.latin1(1); // -> "é"
 * input.utf8(2); // -> "é"
 * input.utf16(2); // -> "A"
 * input.bytes(1); // -> Uint8Array.of(1)
 * input.take(1).byte(); // -> 2
 * input.view(1)[0]; // -> 3
 * [input.position, input.remaining]; // -> [12, 0]
 * ```
 */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** The next byte. */
  byte(): number {
    if (this.#at >= this.#end) throw this.#cutOff(1);
    return this.#buffer[this.#at++] as number;
  }

  /** The next `size` bytes, copied. */
  bytes(size: number): Uint8Array {
    const copy = new Uint8Array(this.#need(size));
    copy.set(this.#buffer.subarray(this.#at, this.#at + size));
    this.#at += size;
    return copy;
  }

  /** The next `size` bytes, shared with the input. */
  view(size: number): Uint8Array {
    this.#need(size);
    this.#at += size;
    return this.#buffer.subarray(this.#at - size, this.#at);
  }

  /** A reader of the next `size` bytes only, which this reader skips. */
  take(size: number): ByteReader {
    return new ByteReader(this.view(size));
  }

  /** The next 4 bytes as an unsigned integer. */
  uint32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#buffer.readUInt32BE(this.#at - 4);
  }

  /** The next 8 bytes as an IEEE 754 number. */
  float64(): number {
    this.#need(8);
    this.#at += 8;
    return this.#buffer.readDoubleBE(this.#at - 8);
  }

  /**
   * A signed 64-bit integer in base 128.
   * @throws `INTEGER_TOO_LARGE` when it is beyond ±(2^53 − 1)
   */
  varint(): number {
    const value = this.varintExact();
    if (typeof value === "number") return value;
    throw new TidemarkError("INTEGER_TOO_LARGE", {
      what: `the encoded integer ${value} does not fit a JavaScript number`,
      why: "numbers are exact up to 2^53 - 1 only",
      fix: "decode with varintBigCoder, which gives a bigint",
    });
  }

  /** As `varint`, as a bigint. */
  varintBig(): bigint {
    return BigInt(this.varintExact());
  }

  /** As `varint`: a number where it is exact, else a bigint. */
  varintExact(): number | bigint {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      // The 64 bits lie in two halves of 32; the fifth group (bits 28 to 34) belongs to both.
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) {
        if (shift === 63 && bits > 1) break;
        const value = (high | 0) * 0x1_0000_0000 + (low >>> 0);
        return Number.isSafeInteger(value) ? value : (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
      }
    }
    throw corrupt("an integer has more than 64 bits");
  }

  /** A length in bytes or a count of things that take at least one byte each: a varint from 0 to `remaining`. */
  length(): number {
    const length = this.varintExact();
    if (length < 0 || length > this.remaining) {
      throw corrupt(`a length of ${length} at byte ${this.#at}, where ${this.remaining} bytes are left`);
    }
    return length as number;
  }

  /** The next `size` bytes, one character each. */
  latin1(size: number): string {
    this.#need(size);
    const start = this.#at;
    this.#at += size;
    if (size > SHORT_STRING) return this.#buffer.toString("latin1", start, this.#at);
    let text = "";
    for (let i = start; i < this.#at; i++) text += String.fromCharCode(this.#buffer[i] as number);
    return text;
  }

  /** The next `size` bytes as UTF-8. */
  utf8(size: number): string {
    this.#need(size);
    const start = this.#at;
    const end = start + size;
    if (size <= SHORT_STRING && this.#isAscii(start, end)) return this.latin1(size);
    const text = this.#buffer.toString("utf8", start, end);
    // Node puts U+FFFD for what is not UTF-8; only where there is one, the bytes have to tell whether they contain it themselves.
    if (text.includes("\ufffd") && !isUtf8(this.#buffer.subarray(start, end)))
      throw corrupt(`the text at byte ${start} is not UTF-8`);
    this.#at = end;
    return text;
  }

  /** The next `size` bytes, two per character, least significant first. */
  utf16(size: number): string {
    if (size % 2 !== 0) throw corrupt(`a text of two bytes per character is ${size} bytes long`);
    this.#need(size);
    this.#at += size;
    return this.#buffer.toString("utf16le", this.#at - size, this.#at);
  }

  #isAscii(start: number, end: number): boolean {
    for (let i = start; i < end; i++) if ((this.#buffer[i] as number) > 0x7f) return false;
    return true;
  }

  #need(size: number): number {
    if (size > this.#end - this.#at) throw this.#cutOff(size);
    return size;
  }

  #cutOff(size: number): TidemarkError {
    return corrupt(
      `the bytes end too early: ${size} wanted at byte ${this.#at} of ${this.#end}`,
      "the value was cut off, or another coder wrote it",
    );
  }
}
