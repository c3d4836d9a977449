/**
 * A growing buffer that coders write into.
 *
 * Place: coders and the state of the engine write HERE; networks and files get the finished bytes.
 * B1 What is written lies in `[0, length)`; `truncate` and `reset` forget, they do not overwrite.
 * B2 The bytes handed out by `finish` are a copy; those of `view` are the buffer itself, valid until the next write.
 * B3 Integers that are not varints are big-endian, as on Beam's wire.
 */
import { Buffer } from "node:buffer";

const INITIAL_SIZE = 256;
/** Up to this many characters a loop over the characters beats a call into Node (measured: the two meet near 24). */
const SHORT_STRING = 24;
const BEYOND_LATIN1 = /[\u0100-\uffff]/;

/**
 * A growing buffer that coders write into.
 *
 * @example Numbers, most significant byte first
 * ```ts
 * const out = new ByteWriter();
 * out.byte(7);
 * out.uint32(256);
 * out.float64(1);
 * out.finish(); // -> Uint8Array.of(7, 0, 0, 1, 0, 63, 240, 0, 0, 0, 0, 0, 0)
 * ```
 * @example Varints
 * ```ts
 * const out = new ByteWriter();
 * out.varint(300);
 * out.varintBig(5n);
 * out.finish(); // -> Uint8Array.of(172, 2, 5)
 * ```
 * @example Text and bytes
 * ```ts
 * const out = new ByteWriter();
 * out.utf8WithLength("hi");
 * out.utf8("é");
 * out.latin1("é");
 * out.utf16("A");
 * out.bytes(Uint8Array.of(1, 2));
 * out.finish(); // -> Uint8Array.of(2, 104, 105, 195, 169, 233, 65, 0, 1, 2)
 * ```
 * @example Content after its length, and a buffer that is used again
 * ```ts
 * const out = new ByteWriter(16);
 * const mark = out.startLength();
 * out.latin1("abc");
 * out.endLength(mark);
 * out.toLatin1(); // -> "\x03abc"
 * out.truncate(2);
 * out.view().length; // -> 2
 * out.reset();
 * [out.length, out.capacity]; // -> [0, 16]
 * ```
 */
export class ByteWriter {
  #buffer: Buffer;
  #view: DataView;
  #length = 0;

  /** @param size bytes to start with; the buffer doubles when it is full */
  constructor(size: number = INITIAL_SIZE) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, size);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that fit before the buffer has to grow. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Forgets everything; the buffer is kept for the next use. */
  reset(): void {
    this.#length = 0;
  }

  /** Forgets what was written after the writer had `length` bytes. */
  truncate(length: number): void {
    if (length < this.#length) this.#length = length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    bytes.set(this.#buffer.subarray(0, this.#length));
    return bytes;
  }

  /** What was written, without a copy: valid until the next write, reset or truncate. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** What was written, as a string of one character (U+0000 to U+00FF) per byte. */
  toLatin1(): string {
    return this.#buffer.toString("latin1", 0, this.#length);
  }

  /** One byte; `value` modulo 256. */
  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** The bytes as they are, without their number. */
  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#buffer.set(values, this.#length);
    this.#length += values.length;
  }

  /** 4 bytes; `value` modulo 2^32. */
  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value >>> 0);
    this.#length += 4;
  }

  /** 8 bytes, IEEE 754; every NaN is written as the same one. */
  float64(value: number): void {
    this.#reserve(8);
    if (value === value) {
      this.#view.setFloat64(this.#length, value);
    } else {
      this.#view.setUint32(this.#length, 0x7ff80000);
      this.#view.setUint32(this.#length + 4, 0);
    }
    this.#length += 8;
  }

  /**
   * A signed 64-bit integer in base 128, least significant group first; negative ones take 10 bytes.
   * @param value a safe integer; the caller has checked
   */
  varint(value: number): void {
    this.#reserve(10);
    if (value >= 0 && value < 128) {
      this.#buffer[this.#length++] = value;
      return;
    }
    this.#varintHalves(value >>> 0, Math.floor(value / 0x1_0000_0000) >>> 0);
  }

  /** As `varint`, for all 64 bits; `value` modulo 2^64. */
  varintBig(value: bigint): void {
    this.#reserve(10);
    this.#varintHalves(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }

  /** One byte per character, without a length. @param text characters up to U+00FF only; the caller has checked */
  latin1(text: string): void {
    this.#reserve(text.length);
    if (text.length > SHORT_STRING) {
      this.#length += this.#buffer.write(text, this.#length, "latin1");
      return;
    }
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** UTF-8 without a length. @param text well-formed; the caller has checked */
  utf8(text: string): void {
    if (text.length <= SHORT_STRING && this.#ascii(text)) return;
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length, "utf8");
  }

  /** UTF-8 after its length in bytes as a varint. @param text well-formed; the caller has checked */
  utf8WithLength(text: string): void {
    // Cheaper than asking for the length first: only texts of 128 bytes and more are moved.
    const mark = this.startLength();
    this.utf8(text);
    this.endLength(mark);
  }

  /** Two bytes per character, least significant first, without a length: for text that UTF-8 cannot hold. */
  utf16(text: string): void {
    this.#reserve(text.length * 2);
    this.#length += this.#buffer.write(text, this.#length, "utf16le");
  }

  /** Begins content whose length in bytes goes before it as a varint; give what this returns to `endLength`. */
  startLength(): number {
    const mark = this.#length;
    this.byte(0);
    return mark;
  }

  /** Ends the content that `startLength` began. Content of 128 bytes or more is moved once. */
  endLength(mark: number): void {
    const start = mark + 1;
    const size = this.#length - start;
    if (size < 128) {
      this.#buffer[mark] = size;
      return;
    }
    const extra = varintSize(size) - 1;
    this.#reserve(extra);
    this.#buffer.copyWithin(start + extra, start, this.#length);
    this.#length = mark;
    this.varint(size);
    this.#length += size;
  }

  /** Writes `text` when it is ASCII, else nothing. */
  #ascii(text: string): boolean {
    this.#reserve(text.length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.#length = at;
    return true;
  }

  #varintHalves(low: number, high: number): void {
    const buffer = this.#buffer;
    let at = this.#length;
    while (high !== 0 || low > 0x7f) {
      buffer[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    buffer[at++] = low;
    this.#length = at;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.length);
  }
}

/** Whether every character of `text` fits in one byte. */
export function isLatin1(text: string): boolean {
  if (text.length > SHORT_STRING) return !BEYOND_LATIN1.test(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}
