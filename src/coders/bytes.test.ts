import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, isLatin1 } from "./byte-writer.ts";

const SEED = 20261123;

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1);
  write(out);
  return out.finish();
}

/** The varint of 64-bit integers by its definition: the slow twin. */
function varintOf(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

describe("varints", () => {
  test("every 64-bit integer is written as its definition says, and comes back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(63), (wide, shift) => {
        const value = wide >> BigInt(shift);
        const bytes = written((out) => out.varintBig(value));
        expect([...bytes]).toEqual(varintOf(value));
        expect(new ByteReader(bytes).varintBig()).toBe(value);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test("a safe integer has the same bytes as number and as bigint", () => {
    const edges = [
      0,
      1,
      127,
      128,
      2 ** 28 - 1,
      2 ** 28,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 35,
      2 ** 49,
      Number.MAX_SAFE_INTEGER,
    ];
    for (const value of [...edges, ...edges.map((edge) => -edge), Number.MIN_SAFE_INTEGER]) {
      const bytes = written((out) => out.varint(value));
      expect([...bytes]).toEqual(varintOf(BigInt(value)));
      expect(new ByteReader(bytes).varint()).toBe(value + 0);
    }
  });

  test("a larger integer is refused as a number, with the way out", () => {
    const bytes = written((out) => out.varintBig(2n ** 53n));
    expect(() => new ByteReader(bytes).varint()).toThrow(/INTEGER_TOO_LARGE.*9007199254740992[^]*varintBigCoder/);
    expect(new ByteReader(bytes).varintExact()).toBe(2n ** 53n);
  });

  test("more than 64 bits are corrupt, however long they go on", () => {
    expect(() => new ByteReader(new Uint8Array(100).fill(0x80)).varint()).toThrow("CODER_CORRUPT");
    expect(() => new ByteReader(Uint8Array.of(...Array.from({ length: 9 }, () => 0xff), 2)).varintBig()).toThrow(
      "CODER_CORRUPT",
    );
  });
});

describe("text", () => {
  const texts = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 80 }),
    fc.string({ unit: "binary-ascii", maxLength: 80 }),
    fc.string({ unit: "binary", maxLength: 80 }),
  );

  test("UTF-8 has the bytes that TextEncoder gives, at every length", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = written((out) => out.utf8WithLength(text));
        const reader = new ByteReader(bytes);
        const length = reader.length();
        expect([...bytes.subarray(bytes.length - length)]).toEqual([...new TextEncoder().encode(text)]);
        expect(reader.utf8(length)).toBe(text);
        expect([...written((out) => out.utf8(text))]).toEqual([...new TextEncoder().encode(text)]);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("the replacement character is a character like others", () => {
    const bytes = written((out) => out.utf8("a\ufffd and more"));
    expect(new ByteReader(bytes).utf8(bytes.length)).toBe("a\ufffd and more");
  });

  test("a byte order mark is a character like others", () => {
    const bytes = written((out) => out.utf8("\ufeffa"));
    expect(new ByteReader(bytes).utf8(bytes.length)).toBe("\ufeffa");
  });

  test("isLatin1 looks at every character, in short and long texts", () => {
    for (const length of [1, 24, 25, 1000]) {
      const text = "\u00ff".repeat(length);
      expect(isLatin1(text)).toBe(true);
      expect(isLatin1(`${text.slice(1)}\u0100`)).toBe(false);
      const bytes = written((out) => out.latin1(text));
      expect(new ByteReader(bytes).latin1(bytes.length)).toBe(text);
    }
  });

  test("bytes that are not UTF-8 are corrupt, in short and long texts", () => {
    for (const length of [2, 100]) {
      const bytes = new Uint8Array(length).fill(0x61);
      bytes[length - 1] = 0xc3;
      expect(() => new ByteReader(bytes).utf8(length)).toThrow(/CODER_CORRUPT.*not UTF-8/);
    }
  });
});

describe("ByteWriter", () => {
  test("a length prefix is right on both sides of 128 and 16384 bytes", () => {
    for (const size of [0, 1, 127, 128, 129, 16383, 16384, 70000]) {
      const content = Uint8Array.from({ length: size }, (_, i) => i % 251);
      const bytes = written((out) => {
        out.byte(9);
        const mark = out.startLength();
        out.bytes(content);
        out.endLength(mark);
        out.byte(7);
      });
      const reader = new ByteReader(bytes);
      expect(reader.byte()).toBe(9);
      expect(Buffer.compare(reader.bytes(reader.length()), content)).toBe(0);
      expect([reader.byte(), reader.remaining]).toEqual([7, 0]);
    }
  });

  test("byte-writer B1, B2: truncate forgets, and finished bytes do not change afterwards", () => {
    const out = new ByteWriter(2);
    out.uint32(0x01020304);
    out.float64(1);
    out.truncate(4);
    const bytes = out.finish();
    out.reset();
    out.uint32(0xffffffff);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
    expect([...out.view()]).toEqual([255, 255, 255, 255]);
  });
});

describe("ByteReader", () => {
  test("byte-reader R1: reading past the end is CODER_CORRUPT and says where", () => {
    const reads: readonly ((reader: ByteReader) => unknown)[] = [
      (reader) => reader.uint32(),
      (reader) => reader.float64(),
      (reader) => reader.bytes(4),
      (reader) => reader.view(4),
      (reader) => reader.latin1(4),
      (reader) => reader.utf8(4),
      (reader) => reader.utf16(4),
      (reader) => reader.take(4),
    ];
    for (const read of reads) {
      expect(() => read(new ByteReader(new Uint8Array(3)))).toThrow(/CODER_CORRUPT.*wanted at byte 0 of 3/);
    }
    expect(() => new ByteReader(new Uint8Array(0)).byte()).toThrow("CODER_CORRUPT");
  });

  test("byte-reader R2: a length above what is left is refused before anything is allocated", () => {
    const bytes = written((out) => out.varint(2 ** 50));
    expect(() => new ByteReader(bytes).length()).toThrow(/CODER_CORRUPT.*length of 1125899906842624/);
    const negative = written((out) => out.varint(-1));
    expect(() => new ByteReader(negative).length()).toThrow("CODER_CORRUPT");
  });

  test("byte-reader R3: bytes are a copy, a part of a larger buffer is read in its bounds", () => {
    const whole = Uint8Array.of(1, 2, 3, 4, 5);
    const reader = new ByteReader(whole.subarray(1, 4));
    const copy = reader.bytes(2);
    whole.fill(9);
    expect([...copy]).toEqual([2, 3]);
    expect(reader.remaining).toBe(1);
  });
});
