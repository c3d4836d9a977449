import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_FIRING, ON_TIME_AND_ONLY, type Pane } from "../model/pane.ts";
import { GLOBAL_WINDOWS, IntervalWindow, type Window } from "../model/window.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decodeFromBytes, encodeToBytes, type Coder } from "./coder.ts";
import {
  iterableCoder,
  kvCoder,
  lengthPrefixCoder,
  nullableCoder,
  shardedKeyCoder,
  stateBackedIterableCoder,
} from "./composites.ts";
import { boolCoder, bytesCoder, doubleCoder, stringCoder, varintBigCoder, varintCoder } from "./primitives.ts";
import { timerCoder, windowedValueCoder } from "./windowed-value.ts";
import { globalWindowCoder, intervalWindowCoder, paneCoder } from "./windows.ts";

const SEED = 20261123;

const panes: fc.Arbitrary<Pane> = fc
  .record({
    timing: fc.constantFrom("EARLY", "ON_TIME", "LATE"),
    index: fc.nat(300),
    behind: fc.nat(2),
    isFirst: fc.boolean(),
    isLast: fc.boolean(),
  })
  .map(({ timing, index, behind, isFirst, isLast }) => ({
    timing: timing as Pane["timing"],
    index,
    nonSpeculativeIndex: timing === "EARLY" ? -1 : Math.max(0, index - behind),
    isFirst,
    isLast,
  }));
const windows: fc.Arbitrary<Window[]> = fc.array(
  fc.tuple(fc.integer(), fc.nat()).map(([start, size]) => new IntervalWindow(start, start + size)),
  { maxLength: 3 },
);
const text = fc.string({ unit: "grapheme" });

/** Coders with arbitrary values for them: every standard coder at least once. */
const coded: readonly (readonly [Coder<unknown>, fc.Arbitrary<unknown>])[] = [
  [bytesCoder, fc.uint8Array()],
  [stringCoder, text],
  [boolCoder, fc.boolean()],
  [varintCoder, fc.maxSafeInteger()],
  [varintBigCoder, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [doubleCoder, fc.double()],
  [kvCoder(stringCoder, doubleCoder), fc.tuple(text, fc.double())],
  [iterableCoder(kvCoder(varintCoder, stringCoder)), fc.array(fc.tuple(fc.integer(), text))],
  [nullableCoder(stringCoder), fc.option(text)],
  [lengthPrefixCoder(kvCoder(bytesCoder, stringCoder)), fc.tuple(fc.uint8Array(), text)],
  [shardedKeyCoder(stringCoder), fc.record({ shardId: fc.uint8Array(), key: text })],
  [paneCoder, panes],
  [
    windowedValueCoder(stringCoder, intervalWindowCoder as Coder<Window>),
    fc.record({ value: text, timestamp: fc.maxSafeInteger(), windows, pane: panes }),
  ],
  [
    timerCoder(stringCoder, intervalWindowCoder as Coder<Window>),
    fc.record({
      key: text,
      tag: text,
      windows,
      set: fc.option(
        fc.record({ fireTimestamp: fc.maxSafeInteger(), holdTimestamp: fc.maxSafeInteger(), pane: panes }),
        { nil: undefined },
      ),
    }),
  ],
];

describe.each(coded.map(([coder, values]) => ({ name: coder.name, coder, values })))("$name", ({ coder, values }) => {
  test("coder C1: values come back in both contexts, and nested ones can follow each other", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(decodeFromBytes(coder, encodeToBytes(coder, a, "outer"), "outer")).toEqual(a);
        const out = new ByteWriter();
        coder.encode(a, out);
        coder.encode(b, out);
        const input = new ByteReader(out.finish());
        expect([coder.decode(input), coder.decode(input)]).toEqual([a, b]);
        expect(input.remaining).toBe(0);
      }),
      { seed: SEED },
    );
  });

  test("coder C4: bytes that are cut off are CODER_CORRUPT", () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const bytes = encodeToBytes(coder, value);
        expect(() => decodeFromBytes(coder, bytes.subarray(0, cut % bytes.length))).toThrow("CODER_CORRUPT");
      }),
      { seed: SEED },
    );
  });

  test("coder C4: any bytes give a value or a coded error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          coder.decode(new ByteReader(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(CODER_CORRUPT|INTEGER_TOO_LARGE)$/) as string });
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

describe("helpers", () => {
  test("a value with bytes after it is corrupt", () => {
    expect(() => decodeFromBytes(boolCoder, Uint8Array.of(1, 1))).toThrow(
      /CODER_CORRUPT.*1 bytes are left after a value of bool/,
    );
  });

  test("a coder may encode with encodeToBytes itself, and a failure leaves nothing behind", () => {
    const inner = lengthPrefixCoder(stringCoder);
    const outer: Coder<string> = {
      name: "outer",
      deterministic: true,
      encode: (value, out) => {
        out.byte(1);
        bytesCoder.encode(encodeToBytes(inner, value), out);
      },
      decode: (input) => {
        input.byte();
        return decodeFromBytes(inner, bytesCoder.decode(input));
      },
    };
    expect(() => encodeToBytes(outer, "\ud800")).toThrow("VALUE_NOT_ENCODABLE");
    expect(decodeFromBytes(outer, encodeToBytes(outer, "ab"))).toBe("ab");
  });
});

describe("iterableCoder", () => {
  test("any iterable is encoded in its order", () => {
    const coder = iterableCoder(varintCoder);
    expect(encodeToBytes(coder, new Set([3, 1]))).toEqual(encodeToBytes(coder, [3, 1]));
  });

  test("M3: a false count is corrupt, for elements with and without bytes", () => {
    expect(() => decodeFromBytes(iterableCoder(varintCoder), Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 1))).toThrow(
      "CODER_CORRUPT",
    );
    expect(() => decodeFromBytes(iterableCoder(varintCoder), Uint8Array.of(0x80, 0, 0, 0))).toThrow("CODER_CORRUPT");
    const endless = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
    expect(() => decodeFromBytes(iterableCoder(varintCoder), endless)).toThrow("CODER_CORRUPT");
    expect(() => decodeFromBytes(iterableCoder(globalWindowCoder), Uint8Array.of(0x7f, 0xff, 0xff, 0xff))).toThrow(
      /CODER_CORRUPT.*without a byte each/,
    );
  });

  test("several chunks of unknown length are one array", () => {
    const chunks = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 2, 7, 8, 1, 9, 0);
    expect(decodeFromBytes(iterableCoder(varintCoder), chunks)).toEqual([7, 8, 9]);
  });

  test("a state-backed iterable fetches on every iteration, whole pieces at a time", () => {
    const asked: string[] = [];
    const coder = stateBackedIterableCoder(varintCoder, (token) => {
      asked.push(Buffer.from(token).toString());
      return [Uint8Array.of(8, 9), Uint8Array.of(10)];
    });
    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    const values = decodeFromBytes(coder, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 7, ...minusOne, 1, 0x61));
    expect(asked).toEqual([]);
    expect([...values]).toEqual([7, 8, 9, 10]);
    expect([...values]).toEqual([7, 8, 9, 10]);
    expect(asked).toEqual(["a", "a"]);
  });
});

describe("composites", () => {
  test("M2: deterministic only when all parts are", () => {
    expect(kvCoder(stringCoder, varintCoder).deterministic).toBe(true);
    expect(kvCoder(stringCoder, doubleCoder).deterministic).toBe(false);
    expect(iterableCoder(doubleCoder).deterministic).toBe(false);
    expect(nullableCoder(kvCoder(doubleCoder, stringCoder)).deterministic).toBe(false);
  });

  test("a name tells the whole coder", () => {
    expect(nullableCoder(kvCoder(stringCoder, iterableCoder(varintCoder))).name).toBe(
      "nullable(kv(string,iterable(varint)))",
    );
  });

  test("a length prefix stands before the outer form, and what it holds must fill it", () => {
    expect([...encodeToBytes(lengthPrefixCoder(stringCoder), "ab")]).toEqual([2, 0x61, 0x62]);
    expect([...encodeToBytes(lengthPrefixCoder(varintCoder), 200)]).toEqual([2, 0xc8, 1]);
    expect(() => decodeFromBytes(lengthPrefixCoder(varintCoder), Uint8Array.of(2, 1, 1))).toThrow(
      /CODER_CORRUPT.*left after a value of varint/,
    );
  });
});

describe("refusals of the primitives", () => {
  test.each([1.5, Number.NaN, 2 ** 53, -(2 ** 53)])("varint: %s", (value) => {
    expect(() => encodeToBytes(varintCoder, value)).toThrow(/VALUE_NOT_ENCODABLE[^]*fix: use/);
  });

  test("varintBig: more than 64 bits", () => {
    expect(() => encodeToBytes(varintBigCoder, 2n ** 63n)).toThrow("VALUE_NOT_ENCODABLE");
    expect(() => encodeToBytes(varintBigCoder, -(2n ** 63n) - 1n)).toThrow("VALUE_NOT_ENCODABLE");
  });

  test("primitives P2: a value of another type is refused by name, not converted", () => {
    const wrong: readonly (readonly [Coder<unknown>, unknown, string])[] = [
      [bytesCoder, "12", "string"],
      [bytesCoder, [1, 2], "Array"],
      [bytesCoder, new Uint16Array(1), "Uint16Array"],
      [stringCoder, 5, "number"],
      [stringCoder, null, "null"],
      [boolCoder, "no", "string"],
      [varintCoder, "5", "string"],
      [varintBigCoder, 5, "number"],
      [doubleCoder, "0.5", "string"],
      [doubleCoder, undefined, "undefined"],
      [kvCoder(stringCoder, stringCoder), {}, "undefined"],
    ];
    for (const [coder, value, type] of wrong) {
      for (const context of ["nested", "outer"] as const) {
        expect(() => encodeToBytes(coder, value, context)).toThrow(
          new RegExp(`VALUE_NOT_ENCODABLE.*given a value of type ${type}`),
        );
      }
    }
  });

  test("string: half a surrogate pair, in both contexts", () => {
    for (const context of ["nested", "outer"] as const) {
      expect(() => encodeToBytes(stringCoder, "a\ud83d", context)).toThrow(
        /VALUE_NOT_ENCODABLE.*half a surrogate pair/,
      );
    }
  });
});

describe("windowed values", () => {
  test("windowed-value W1: parts have the bytes of the whole", () => {
    const coder = windowedValueCoder(stringCoder, intervalWindowCoder as Coder<Window>);
    const whole = { value: "a", timestamp: 5, windows: [new IntervalWindow(0, 10)], pane: ON_TIME_AND_ONLY };
    const out = new ByteWriter();
    coder.encodeParts(whole.value, whole.timestamp, whole.windows, whole.pane, out);
    expect(out.finish()).toEqual(encodeToBytes(coder, whole));
    const taken: unknown[] = [];
    coder.decodeParts(new ByteReader(out.finish()), (...parts) => taken.push(parts));
    expect(taken).toEqual([["a", 5, whole.windows, ON_TIME_AND_ONLY]]);
  });

  test("windowed-value W2: elements in the global window share the array of windows, and the usual panes are the model's own", () => {
    const coder = windowedValueCoder(stringCoder, globalWindowCoder as Coder<Window>);
    const decode = (pane: Pane) =>
      decodeFromBytes(coder, encodeToBytes(coder, { value: "a", timestamp: 5, windows: GLOBAL_WINDOWS, pane }));
    expect(decode(NO_FIRING).windows).toBe(GLOBAL_WINDOWS);
    expect(decode(NO_FIRING).pane).toBe(NO_FIRING);
    expect(decode({ ...ON_TIME_AND_ONLY }).pane).toBe(ON_TIME_AND_ONLY);
  });

  test("the first early pane keeps its non-speculative index of −1", () => {
    const early: Pane = { timing: "EARLY", index: 0, nonSpeculativeIndex: -1, isFirst: true, isLast: false };
    const bytes = encodeToBytes(paneCoder, early);
    expect([...bytes]).toEqual([0x11, 0]);
    expect(decodeFromBytes(paneCoder, bytes)).toEqual(early);
    expect(decodeFromBytes(paneCoder, Uint8Array.of(0x01))).toEqual(early);
  });
});
