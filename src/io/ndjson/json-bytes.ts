/**
 * The bytes of a chunk as JSON's characters: names that are expected, white space, strings.
 * Path: scan-json -> HERE.
 *
 * J4 No string is made of what is passed over, and a string that is given out shares no memory with the chunk.
 */
import { NOTHING } from "../text/buffers.ts";
import type { ChunkContent } from "../text/byte-chunks.ts";

// Not imported from one file of their own: V8 reads an imported constant from memory each time (measured: a sixth of all).
/** In the place of a position: what stands there is no JSON. */
const FAILED = -1;
const SPACE = 0x20;
const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

/** What a byte is within a string: part of it, part of it but not ASCII, or to be looked at. */
const PLAIN = 0;
const HIGH = 1;
const SPECIAL = 2;
const IN_STRING = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH ? SPECIAL : byte >= 0x80 ? HIGH : PLAIN,
);

/** What may stand behind a backslash, `u` aside: `"\/bfnrt`. */
const ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

/** What the string that was passed last has in it: HIGH, HAS_ESCAPES, both, or nothing. */
const HAS_ESCAPES = 2;

/** V8 copies shorter slices of a string; longer ones keep the whole chunk in memory. */
const SLICED_FROM = 13;

/** Four bytes or more, as words; the last word is that of the last four bytes, and may overlap with the one before. */
export interface Words {
  readonly words: Int32Array;
  /** In bytes. */
  readonly length: number;
}

/** @param bytes four at least */
export function wordsOf(bytes: Uint8Array): Words {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.ceil(bytes.length / 4);
  const at = (i: number): number => view.getInt32(i < count - 1 ? i * 4 : bytes.length - 4, true);
  return { words: Int32Array.from({ length: count }, (_, i) => at(i)), length: bytes.length };
}

/** What `toString("latin1")` calls in the end, which for short strings takes a third less. */
type Latin1Buffer = Buffer & { latin1Slice(from: number, to: number): string };

export class JsonBytes {
  bytes: Latin1Buffer = NOTHING as Latin1Buffer;
  /** Where reading goes on, or FAILED (J3). */
  at = 0;
  /** The bytes, for four at once. */
  protected view: DataView = new DataView(NOTHING.buffer);
  #content: ChunkContent = "one";
  /** The chunk as text, once a short string of it has been wanted. */
  #text: string | undefined;
  #textEnd = 0;
  #marks = 0;

  /** Another chunk: `chunk` up to the line feed at `to`. */
  load(chunk: Buffer, to: number, content: ChunkContent): void {
    const bytes = chunk as Latin1Buffer;
    if (bytes !== this.bytes) this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.bytes = bytes;
    this.#content = content;
    this.#text = undefined;
    this.#textEnd = to;
  }

  /** Whether the bytes at `at` are `expected`, given as `wordsOf` gives it. */
  matches(expected: Words, at: number): boolean {
    const { words, length } = expected;
    const view = this.view;
    const last = words.length - 1;
    for (let i = 0; i < last; i++) if (view.getInt32(at + (i << 2), true) !== words[i]) return false;
    return view.getInt32(at + length - 4, true) === words[last];
  }

  /** The text of some bytes. */
  decode(from: number, to: number): string {
    return this.bytes.toString(this.#content === "one" ? "latin1" : "utf8", from, to);
  }

  /** Passes over white space. @returns where something else stands */
  space(at: number): number {
    const { bytes } = this;
    let c = bytes[at] as number;
    while (c === SPACE || c === 0x09 || c === 0x0d) c = bytes[++at] as number;
    return at;
  }

  /** Reads the string that begins behind the quote before `from`. */
  string(from: number): string {
    const end = this.stringEnd(from);
    if (end === FAILED) {
      this.at = FAILED;
      return "";
    }
    this.at = end + 1;
    if (this.#marks === 0) {
      if (end - from < SLICED_FROM) {
        this.#text ??= this.bytes.toString("latin1", 0, this.#textEnd);
        return this.#text.slice(from, end);
      }
      return this.bytes.latin1Slice(from, end);
    }
    if ((this.#marks & HAS_ESCAPES) !== 0) return JSON.parse(this.decode(from - 1, end + 1)) as string;
    return this.decode(from, end);
  }

  /** Whether the string that was passed last is ASCII without escapes: its bytes are its characters. */
  get plain(): boolean {
    return this.#marks === 0;
  }

  /** Passes over the string that begins behind the quote before `from`. @returns where its last quote is, or FAILED */
  stringEnd(from: number): number {
    const view = this.view;
    let i = from;
    let special = specialIn(view.getInt32(i, true));
    while (special === 0) {
      i += 4;
      special = specialIn(view.getInt32(i, true));
    }
    // The lowest bit that is set belongs to the first of the bytes.
    i += (31 - Math.clz32(special & -special)) >> 3;
    if (this.bytes[i] !== QUOTE) return this.#stringEndFrom(i);
    this.#marks = 0;
    return i;
  }

  /** `stringEnd`, where something else than plain bytes stands at `i`. */
  #stringEndFrom(i: number): number {
    const { bytes } = this;
    let marks = 0;
    for (;;) {
      const c = bytes[i] as number;
      const kind = IN_STRING[c] as number;
      if (kind !== SPECIAL) {
        marks |= kind;
        i++;
      } else if (c === QUOTE) {
        this.#marks = marks;
        return i;
      } else if (c === BACKSLASH) {
        const next = bytes[i + 1] as number;
        if (ESCAPES.has(next)) i += 2;
        else if (next === 0x75 && this.#isHex(i + 2)) i += 6;
        else return FAILED;
        marks |= HAS_ESCAPES;
      } else return FAILED;
    }
  }

  /** Whether four hexadecimal digits stand at `at`. */
  #isHex(at: number): boolean {
    for (let i = at; i < at + 4; i++) {
      const c = this.bytes[i] as number;
      const letter = c | 0x20;
      if (!((c >= ZERO && c <= NINE) || (letter >= 0x61 && letter <= 0x66))) return false;
    }
    return true;
  }
}

/**
 * Not zero when one of the four bytes of `word` is below 0x20, above 0x7f, a quote or a backslash; the highest bit of the first
 * such byte is then the lowest that is set. A byte of `word - 0x20…` goes below zero in the first case, one of
 * `(word ^ quotes) - 0x01…` where it is a quote; what that borrows from the bytes above can only mark these.
 */
function specialIn(word: number): number {
  return (
    ((word - 0x20202020) | word | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & 0x80808080
  );
}
