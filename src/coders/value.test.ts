import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TidemarkError } from "../base/errors.ts";
import { END_OF_GLOBAL_WINDOW, MAX_TIMESTAMP, MIN_TIMESTAMP } from "../model/time.ts";
import { GLOBAL_WINDOW, IntervalWindow } from "../model/window.ts";
import { decodeFromBytes, encodeToBytes } from "./coder.ts";
import { anyValue } from "../../test/arbitraries/any-value.ts";
import { valueCoder } from "./value.ts";

const SEED = 20261123;

function roundTrip(value: unknown): unknown {
  return decodeFromBytes(valueCoder, encodeToBytes(valueCoder, value));
}

function refusal(value: unknown): TidemarkError {
  try {
    encodeToBytes(valueCoder, value);
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error("the value was encoded");
}

class User {
  readonly name: string = "a";
}

describe("V1: what comes back equals what went in", () => {
  test("any value, however nested", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        // Node's comparison tells −0 from 0, undefined properties from missing ones, and prototypes.
        deepStrictEqual(roundTrip(value), value);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test.each([
    [-0],
    [Number.NaN],
    [-1],
    [127],
    [128],
    [Number.MAX_SAFE_INTEGER],
    [Number.MIN_SAFE_INTEGER],
    [2 ** 53],
    [0.1],
    [MIN_TIMESTAMP],
    [END_OF_GLOBAL_WINDOW],
    [MAX_TIMESTAMP],
    [0n],
    [-1n],
    [2n ** 200n],
    [-(2n ** 64n)],
    [""],
    ["\u00ff"],
    ["서울"],
    ["\ud83d"],
    ["\u0000"],
    [new Date(Number.NaN)],
    [Buffer.from("ab")],
    [Object.create(null)],
    [[undefined, null]],
    [{ a: undefined }],
    [new Map<unknown, unknown>([[{ a: 1 }, new Set([[]])]])],
    [new IntervalWindow(MIN_TIMESTAMP, END_OF_GLOBAL_WINDOW)],
  ])("%o", (value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test("the global window is the one there is", () => {
    expect(roundTrip([GLOBAL_WINDOW])).toEqual([GLOBAL_WINDOW]);
    expect((roundTrip([GLOBAL_WINDOW]) as unknown[])[0]).toBe(GLOBAL_WINDOW);
  });

  test("the order of keys is kept", () => {
    expect(Object.keys(roundTrip({ b: 1, a: 2, 7: 3 }) as object)).toEqual(["7", "b", "a"]);
  });

  test("a property called __proto__ is a property", () => {
    const value = JSON.parse('[{"__proto__": {"admin": true}}, {"__proto__": 1}]') as object[];
    const back = roundTrip(value) as object[];
    expect(Object.getPrototypeOf(back[0])).toBe(Object.prototype);
    expect(JSON.stringify(back)).toBe(JSON.stringify(value));
  });

  test("a view of a part of a buffer holds that part alone", () => {
    const view = new Int16Array(Int16Array.of(1, 2, 3, 4).buffer, 2, 2);
    const back = roundTrip(view) as Int16Array;
    expect([...back]).toEqual([2, 3]);
    expect(back.buffer.byteLength).toBe(4);
  });
});

describe("V2: what would not come back is refused, with its place", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = [cyclic];
  const sparse: unknown[] = [1];
  sparse[3] = 2;
  let deep: unknown = 0;
  for (let i = 0; i < 600; i++) deep = [deep];

  test.each([
    [{ user: { callback: () => 1 } }, "value.user.callback is the function callback"],
    [{ "first name": [1, Symbol("x")] }, 'value["first name"][1] is the symbol Symbol(x)'],
    [new Map([["k", new User()]]), 'value.get("k") is an instance of the class User'],
    [new Map([[new User(), 1]]), "value (key an object) is an instance of the class User"],
    [new Set([1, /x/]), "value (item 1) is an instance of the class RegExp"],
    [{ later: Promise.resolve(1) }, "value.later is a promise"],
    [new Error("x"), "value is an instance of the class Error"],
    [{ a: { [Symbol.for("s")]: 1 } }, "value.a is an object with the symbol Symbol(s) as a key"],
    [cyclic, "value.self[0] is cyclic"],
    [{ sparse }, "value.sparse[1] is a hole in a sparse array"],
    [deep, "is nested more than 500 levels deep"],
    [new (class extends Array {})(), "value is an instance of a class without a name"],
    [new (class Tags extends Map {})(), "value is an instance of the class Tags"],
  ])("%#: %s", (value, text) => {
    const error = refusal(value);
    expect(error.code).toBe("VALUE_NOT_ENCODABLE");
    expect(error.what).toContain(text);
    expect(error.fix).toMatch(/\w/);
  });

  test("a value at the greatest depth comes back", () => {
    let value: unknown = "bottom";
    for (let i = 0; i <= 500; i++) value = [value];
    expect(roundTrip(value)).toEqual(value);
    expect(refusal([value]).what).toContain("nested");
  });

  test("the same object twice is no cycle", () => {
    const shared = { a: 1 };
    expect(roundTrip([shared, { shared }])).toEqual([{ a: 1 }, { shared: { a: 1 } }]);
  });
});

describe("V3: shapes", () => {
  test("objects of the same keys write them once", () => {
    const one = encodeToBytes(valueCoder, [{ identifier: 1, description: 2 }]).length;
    const two = encodeToBytes(valueCoder, [
      { identifier: 1, description: 2 },
      { identifier: 3, description: 4 },
    ]).length;
    expect(two - one).toBe(4);
  });

  test("the same keys in another order are another shape", () => {
    const value = [{ a: 1, b: 2 }, { b: 3, a: 4 }, { a: 5, b: 6 }, { a: 7 }];
    expect((roundTrip(value) as object[]).map((item) => JSON.stringify(item))).toEqual(
      value.map((item) => JSON.stringify(item)),
    );
  });

  test("more shapes than are remembered come back all the same", () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({ [`k${i % 50}`]: i, nested: { [`n${i % 40}`]: i } }));
    expect(roundTrip(rows)).toEqual(rows);
  });
});

describe("damaged bytes", () => {
  test("coder C4: cut off anywhere, they are CODER_CORRUPT", () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), (value, cut) => {
        const bytes = encodeToBytes(valueCoder, value);
        expect(() => decodeFromBytes(valueCoder, bytes.subarray(0, cut % bytes.length))).toThrow("CODER_CORRUPT");
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("coder C4: with bytes changed, they give a value or CODER_CORRUPT", () => {
    fc.assert(
      fc.property(
        anyValue,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (value, changes) => {
          const bytes = encodeToBytes(valueCoder, value);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          try {
            decodeFromBytes(valueCoder, bytes);
          } catch (error) {
            expect(error).toMatchObject({ code: "CODER_CORRUPT" });
          }
        },
      ),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test("endless nesting and another format are told apart", () => {
    expect(() =>
      decodeFromBytes(
        valueCoder,
        Uint8Array.from({ length: 4001 }, (_, i) => (i === 0 ? 1 : i % 2 === 1 ? 0x0d : 1)),
      ),
    ).toThrow(/nested more than 500/);
    expect(() => decodeFromBytes(valueCoder, Uint8Array.of(2, 0))).toThrow(
      /format 2; this version of Tidemark reads format 1/,
    );
    expect(() => decodeFromBytes(valueCoder, Uint8Array.of(1, 0x0f, 0))).toThrow(/shape 0, of which there are 0/);
    expect(() => decodeFromBytes(valueCoder, Uint8Array.of(1, 0x25, 3, 0, 0, 0))).toThrow(
      /no whole number of elements/,
    );
    expect(() => decodeFromBytes(valueCoder, Uint8Array.of(1, 0x7f))).toThrow(/no value begins with the tag 127/);
  });
});

describe("the format of version 1 does not change", () => {
  test.each([
    [undefined, "0100"],
    [null, "0101"],
    [true, "0103"],
    [5, "0185"],
    [300, "0104ac02"],
    [-2, "010501"],
    [0.5, "01063fe0000000000000"],
    [-0, "01068000000000000000"],
    [255n, "010701ff"],
    [-1n, "01080101"],
    ["é", "010901e9"],
    ["光", "010a03e58589"],
    ["\ud83d", "010b023dd8"],
    [new Date(0), "010c0000000000000000"],
    [[1, "a"], "010d0281090161"],
    [[{ a: 1 }, { a: 2 }], "010d020e01090161810f0082"],
    [Object.assign(Object.create(null) as object, { a: 1 }), "01110109016181"],
    [new Map([[1, 2]]), "0112018182"],
    [new Set([1]), "01130181"],
    [new IntervalWindow(0, 1), "011400000000000000003ff0000000000000"],
    [GLOBAL_WINDOW, "0115"],
    [Buffer.from([7]), "01210107"],
    [Uint8Array.of(7), "01220107"],
    [Int16Array.of(1), "0125020100"],
    [new DataView(new ArrayBuffer(1)), "012d0100"],
  ])("%o", (value, hex) => {
    expect(Buffer.from(encodeToBytes(valueCoder, value)).toString("hex")).toBe(hex);
  });
});
