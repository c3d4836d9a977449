import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTidemarkError } from "../base/errors.ts";
import { IntervalWindow } from "../model/window.ts";
import { decodeFromBytes, encodeToBytes, type DeterministicCoder } from "./coder.ts";
import { iterableCoder, kvCoder, nullableCoder } from "./composites.ts";
import { canonicalCoder, canonicalKey, keyCoderFor, type MapKey } from "./key.ts";
import { boolCoder, bytesCoder, doubleCoder, stringCoder, varintBigCoder, varintCoder } from "./primitives.ts";
import { anyValue } from "../../test/arbitraries/any-value.ts";
import { valueCoder } from "./value.ts";

const SEED = 20261123;

/** The canonical bytes of a key without a coder of its own. */
const keyBytes = keyCoderFor().bytes;

/** As a Map compares: NaN equals itself. */
function sameMapKey(a: MapKey, b: MapKey): boolean {
  return new Map([[a, 1]]).has(b);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** `value` with the same content in other objects, in another order where order does not count. */
function twin(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(twin);
  if (value instanceof Map)
    return new Map([...(value as Map<unknown, unknown>)].reverse().map(([k, v]) => [twin(k), twin(v)]));
  if (value instanceof Set) return new Set([...(value as Set<unknown>)].reverse().map(twin));
  if (value instanceof Date) return new Date(value);
  if (Buffer.isBuffer(value)) return Uint8Array.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const reversed = Object.entries(value).reverse();
    return Object.fromEntries(reversed.map(([name, item]) => [name, twin(item)]));
  }
  return Object.is(value, -0) ? 0 : value;
}

/** Only values that are keys: without half surrogate pairs. */
const keys = anyValue.filter((value) => {
  try {
    keyBytes(value);
    return true;
  } catch (error) {
    if (isTidemarkError(error, "KEY_NOT_DETERMINISTIC")) return false;
    throw error;
  }
});

describe("keys without a coder", () => {
  test("K1: equal as map keys if and only if equal as bytes", () => {
    // Small values, so that equal pairs are common.
    const small = fc.oneof(
      keys,
      fc.constantFrom<unknown>(
        0,
        -0,
        "0",
        0n,
        false,
        "",
        [],
        {},
        null,
        undefined,
        "null",
        Number.NaN,
        "NaN",
        [0],
        [-0],
        "\u0000",
        "\u0000s\u0000",
        "\u0000k",
      ),
      fc.constantFrom<unknown>(
        [[]],
        [{}],
        { a: 1, b: 2 },
        { b: 2, a: 1 },
        new Date(0),
        new Map([[1, 2]]),
        new Set([1, 2]),
        new Set([2, 1]),
        Buffer.from("a"),
      ),
    );
    let equal = 0;
    fc.assert(
      fc.property(small, small, (a, b) => {
        const same = sameMapKey(canonicalKey(a), canonicalKey(b));
        if (same) equal++;
        expect(same).toBe(sameBytes(keyBytes(a), keyBytes(b)));
      }),
      { seed: SEED, numRuns: 3000 },
    );
    expect(equal).toBeGreaterThan(30);
  });

  test("K2: content counts, identity and order of names do not", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(sameMapKey(canonicalKey(key), canonicalKey(twin(key)))).toBe(true);
        expect(sameBytes(keyBytes(key), keyBytes(twin(key)))).toBe(true);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("K2: −0 is 0 and NaN is one key, also inside", () => {
    expect(canonicalKey(-0)).toBe(0);
    expect(sameMapKey(canonicalKey(Number.NaN), canonicalKey(Number.NaN))).toBe(true);
    expect(canonicalKey([-0, Number.NaN])).toBe(canonicalKey([0, Number.NaN]));
  });

  test("K2: kinds are kept apart", () => {
    const different = [
      1,
      "1",
      1n,
      true,
      [1],
      { 1: 1 },
      new Set([1]),
      new Map([[1, 1]]),
      null,
      undefined,
      "null",
      {},
      [],
      new Date(1),
      new IntervalWindow(0, 1),
    ];
    expect(new Set(different.map(canonicalKey)).size).toBe(different.length);
    expect(new Set(different.map((key) => Buffer.from(keyBytes(key)).toString("hex"))).size).toBe(different.length);
  });

  test("K2: bytes come back as a Buffer, so that code written for Buffers still works after a restart", () => {
    expect(decodeFromBytes(canonicalCoder, keyBytes(Uint8Array.of(0x61)))).toEqual(Buffer.from("a"));
  });

  test("K3: no text is mistaken for an object", () => {
    const disguised = canonicalKey({ a: 1 }) as string;
    expect(sameMapKey(canonicalKey(disguised), disguised)).toBe(false);
    expect(canonicalKey("plain")).toBe("plain");
    const escaped = canonicalKey("\u0000x") as string;
    expect(canonicalKey(escaped)).not.toBe(escaped);
  });

  test("K4: half a surrogate pair is refused at any depth, with its place", () => {
    expect(() => canonicalKey("\ud83d")).toThrow(/KEY_NOT_DETERMINISTIC.*key is text with half a surrogate pair/);
    expect(() => keyBytes({ user: ["\ud83d"] })).toThrow(/KEY_NOT_DETERMINISTIC.*key.user\[0\] is text with half/);
    expect(() => keyBytes({ "\ud83d": 1 })).toThrow(/KEY_NOT_DETERMINISTIC.*\(name "\\ud83d"\) is text with half/);
    expect(canonicalKey("😀")).toBe("😀");
  });

  test("what is no plain value is refused", () => {
    for (const key of [() => 1, Symbol("x"), new (class Point {})(), Promise.resolve(), Object.assign([], { 1: 1 })]) {
      expect(() => canonicalKey(key)).toThrow("KEY_NOT_DETERMINISTIC");
    }
  });

  test("valueCoder reads canonical bytes, and they are stable", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(sameBytes(keyBytes(decodeFromBytes(valueCoder, keyBytes(key))), keyBytes(key))).toBe(true);
      }),
      { seed: SEED },
    );
  });
});

describe("keys of a given coder", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 2 }),
    fc.constantFrom("\u0000k", "\u0000s\u0000k", ""),
  );
  const cases: readonly (readonly [DeterministicCoder<unknown>, fc.Arbitrary<unknown>])[] = [
    [stringCoder, text],
    [varintCoder, fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constant(-0))],
    [varintBigCoder, fc.bigInt({ min: -2n, max: 2n })],
    [boolCoder, fc.boolean()],
    [bytesCoder, fc.uint8Array({ maxLength: 1 })],
    [kvCoder(stringCoder, nullableCoder(varintCoder)), fc.tuple(text, fc.option(fc.nat(2)))],
    [iterableCoder(boolCoder), fc.array(fc.boolean(), { maxLength: 3 })],
    [canonicalCoder, keys],
  ];

  test.each(cases.map(([coder, values]) => ({ name: coder.name, coder, values })))("K1: $name", ({ coder, values }) => {
    const keyCoder = keyCoderFor(coder);
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(sameMapKey(keyCoder.toMapKey(a), keyCoder.toMapKey(b))).toBe(
          sameBytes(keyCoder.bytes(a), keyCoder.bytes(b)),
        );
        expect(sameBytes(keyCoder.bytes(keyCoder.fromBytes(keyCoder.bytes(a))), keyCoder.bytes(a))).toBe(true);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("the bytes are those of the coder in the nested context", () => {
    expect(keyCoderFor(stringCoder).bytes("ab")).toEqual(encodeToBytes(stringCoder, "ab"));
  });

  test("only a deterministic coder is a coder of keys: a type error otherwise", () => {
    // @ts-expect-error doubleCoder has two encodings of zero
    expect(keyCoderFor(doubleCoder).coder.deterministic).toBe(false);
    // @ts-expect-error a pair with a double in it
    expect(keyCoderFor(kvCoder(stringCoder, doubleCoder)).coder.deterministic).toBe(false);
    expect(keyCoderFor(kvCoder(stringCoder, varintCoder)).coder.deterministic).toBe(true);
  });

  test("a key that is not of the coder's type is refused, not grouped", () => {
    expect(() => keyCoderFor(varintCoder).toMapKey(1.5)).toThrow("VALUE_NOT_ENCODABLE");
    expect(() => keyCoderFor(stringCoder).toMapKey("\ud83d")).toThrow("VALUE_NOT_ENCODABLE");
  });
});

test.each<[unknown, string]>([
  ["", "010900"],
  ["#서울", "010a0723ec849cec9ab8"],
  [42, "01aa"],
  [null, "0101"],
  [["a", 1], "010d0209016181"],
  [{ b: 2, a: 1 }, "0110020901610901628182"],
  [new Set(["b", "a"]), "011302090161090162"],
])("K5: the bytes of %o never change", (key, hex) => {
  expect(Buffer.from(keyBytes(key)).toString("hex")).toBe(hex);
});
