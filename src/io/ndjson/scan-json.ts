/**
 * JSON read from bytes: one value at a time where one is wanted, and passed over, checked, where none is.
 * Path: record-reader -> HERE -> json-bytes.
 *
 * J1 What is accepted is exactly what `JSON.parse` accepts of the decoded line, also in what is passed over.
 * J2 A line feed is never white space here: it ends the line, and the bytes end with one (`ByteChunks` L3), so nothing
 *    below looks where they end.
 * J3 Whoever reads leaves `at` behind the value, or −1 (FAILED) where there is none.
 */
import { JsonBytes } from "./json-bytes.ts";

// Not imported from one file of their own: V8 reads an imported constant from memory each time (measured: a sixth of all).
/** In the place of a position: what stands there is no JSON. */
const FAILED = -1;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const EXACT_EXPONENT = 22;
/** Any number of so many digits is below 2^53. */
const EXACT_DIGITS = 15;

export class JsonScanner extends JsonBytes {
  /** For each object (1) or list (0) that is open while a value is passed over. */
  #open = new Uint8Array(64);

  /** Reads the number that begins at `from`, with a digit or a minus; rounds as `JSON.parse` does. */
  number(from: number): number {
    const { bytes } = this;
    let i = from;
    let c = bytes[i] as number;
    const negative = c === MINUS;
    if (negative) c = bytes[++i] as number;
    const first = i;
    let value = 0;
    if (c === ZERO) c = bytes[++i] as number;
    else {
      const view = this.view;
      let four = fourDigits(view.getInt32(i, true));
      while (four >= 0) {
        value = value * 10_000 + four;
        i += 4;
        four = fourDigits(view.getInt32(i, true));
      }
      c = bytes[i] as number;
      while (c >= ZERO && c <= NINE) {
        value = value * 10 + (c - ZERO);
        c = bytes[++i] as number;
      }
    }
    const digits = i - first;
    if (digits === 0) return this.#failed();
    if (c === POINT || (c | 0x20) === 0x65) return this.#fraction(from, i, value, digits);
    this.at = i;
    if (digits > EXACT_DIGITS) return this.#anyNumber(from, i);
    return negative ? -value : value;
  }

  /** The rest of a number, from its point or exponent on. @param value of its `digits` digits so far */
  #fraction(from: number, at: number, value: number, digits: number): number {
    const { bytes } = this;
    let i = at;
    let scale = 0;
    let c = bytes[i] as number;
    if (c === POINT) {
      c = bytes[++i] as number;
      const first = i;
      while (c >= ZERO && c <= NINE) {
        value = value * 10 + (c - ZERO);
        c = bytes[++i] as number;
      }
      scale = i - first;
      if (scale === 0) return this.#failed();
    }
    let exponent = 0;
    if ((c | 0x20) === 0x65) {
      c = bytes[++i] as number;
      const negative = c === MINUS;
      if (negative || c === 0x2b) c = bytes[++i] as number;
      const first = i;
      while (c >= ZERO && c <= NINE) {
        exponent = exponent * 10 + (c - ZERO);
        c = bytes[++i] as number;
      }
      if (i === first) return this.#failed();
      if (negative) exponent = -exponent;
    }
    this.at = i;
    exponent -= scale;
    if (digits + scale > EXACT_DIGITS || exponent > EXACT_EXPONENT || exponent < -EXACT_EXPONENT)
      return this.#anyNumber(from, i);
    // Both are exact, so that one operation rounds once, and correctly.
    const size = exponent < 0 ? value / (POWERS[-exponent] as number) : value * (POWERS[exponent] as number);
    return bytes[from] === MINUS ? -size : size;
  }

  #anyNumber(from: number, to: number): number {
    return Number(this.bytes.toString("latin1", from, to));
  }

  #failed(): number {
    this.at = FAILED;
    return 0;
  }

  /** Passes over `true`, `false` or `null`. @returns where it ends, or FAILED */
  literal(at: number): number {
    const { bytes } = this;
    switch (bytes[at]) {
      case 0x74: // true
        return bytes[at + 1] === 0x72 && bytes[at + 2] === 0x75 && bytes[at + 3] === 0x65 ? at + 4 : FAILED;
      case 0x66: // false
        return bytes[at + 1] === 0x61 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x73 && bytes[at + 4] === 0x65
          ? at + 5
          : FAILED;
      case 0x6e: // null
        return bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c ? at + 4 : FAILED;
      default:
        return FAILED;
    }
  }

  /** Passes over the value at `at`, white space before it aside, however deep. @returns where it ends, or FAILED */
  skip(at: number): number {
    const { bytes } = this;
    if (bytes[at] === QUOTE) {
      const end = this.stringEnd(at + 1);
      return end === FAILED ? FAILED : end + 1;
    }
    let depth = 0;
    for (;;) {
      at = this.space(at);
      const c = bytes[at] as number;
      if (c === QUOTE) {
        at = this.stringEnd(at + 1);
        if (at === FAILED) return FAILED;
        at++;
      } else if (c === OPEN_OBJECT) {
        at = this.space(at + 1);
        if (bytes[at] !== CLOSE_OBJECT) {
          at = this.#key(at);
          if (at === FAILED) return FAILED;
          this.#push(depth++, 1);
          continue;
        }
        at++;
      } else if (c === OPEN_LIST) {
        at = this.space(at + 1);
        if (bytes[at] !== CLOSE_LIST) {
          this.#push(depth++, 0);
          continue;
        }
        at++;
      } else {
        at = this.#skipWord(at, c);
        if (at === FAILED) return FAILED;
      }
      // Behind a value: what is open ends here, or goes on.
      for (;;) {
        if (depth === 0) return at;
        at = this.space(at);
        const inObject = this.#open[depth - 1] === 1;
        const after = bytes[at++] as number;
        if (after === COMMA) {
          if (!inObject) break;
          at = this.#key(this.space(at));
          if (at === FAILED) return FAILED;
          break;
        }
        if (after !== (inObject ? CLOSE_OBJECT : CLOSE_LIST)) return FAILED;
        depth--;
      }
    }
  }

  #skipWord(at: number, c: number): number {
    if (c !== MINUS && !(c >= ZERO && c <= NINE)) return this.literal(at);
    this.number(at);
    return this.at;
  }

  /** Passes over a name and its colon. */
  #key(at: number): number {
    if (this.bytes[at] !== QUOTE) return FAILED;
    const end = this.stringEnd(at + 1);
    if (end === FAILED) return FAILED;
    const colon = this.space(end + 1);
    return this.bytes[colon] === COLON ? colon + 1 : FAILED;
  }

  #push(depth: number, object: 0 | 1): void {
    if (depth === this.#open.length) {
      const larger = new Uint8Array(depth * 2);
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[depth] = object;
  }
}

/** Whether a number may begin with this byte. */
export function beginsNumber(c: number): boolean {
  return c === MINUS || (c >= ZERO && c <= NINE);
}

/** The number that four bytes spell, the first of them the lowest byte of `word`; −1 where they are not all digits. */
function fourDigits(word: number): number {
  // A digit has 3 in its upper half, and still has after 6 more.
  if (((word & 0xf0f0f0f0) | 0) !== 0x30303030 || (((word + 0x06060606) & 0xf0f0f0f0) | 0) !== 0x30303030) return -1;
  const digits = word - 0x30303030;
  const pairs = digits * 10 + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}
