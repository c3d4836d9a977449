/** The rules of what can be encoded stand in two writers and in the search for a reason: here they are held together. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyValue } from "../../test/arbitraries/any-value.ts";
import { isTidemarkError } from "../base/errors.ts";
import { GLOBAL_WINDOW } from "../model/window.ts";
import { encodeToBytes } from "./coder.ts";
import { canonicalKey, keyCoderFor } from "./key.ts";
import { findProblem, type Purpose } from "./value-problem.ts";
import { valueCoder } from "./value.ts";

/** What some part of a value may be that no writer, or not each of them, takes. */
const doubtful = fc.constantFrom<() => unknown>(
  () => () => 1,
  () => async () => {},
  () => Symbol("s"),
  () => Symbol.iterator,
  () => new (class User {})(),
  () => new (class extends Map {})(),
  () => new (class extends Array {})(),
  () => new (class extends Uint8Array {})(2),
  () => new (class extends Date {})(0),
  () => Promise.resolve(1),
  () => Object.create(null) as unknown,
  () => Object.assign(Object.create(null) as object, { a: "\ud800" }),
  () => Object.create({ inherited: 1 }) as unknown,
  () => ({ [Symbol("key")]: 1 }),
  () => Object.assign([1], { [Symbol("key")]: 1 }),
  () => Object.assign([1], { named: () => 1 }),
  () => Object.assign(new Map(), { named: () => 1 }),
  () => Object.defineProperty({}, "hidden", { value: () => 1, enumerable: false }),
  () => [1, , 2], // oxlint-disable-line no-sparse-arrays
  () => Array.from({ length: 2 }),
  () => Object.assign([], { length: 2 }),
  () => new Date(Number.NaN),
  () => new Error("x"),
  () => /x/,
  () => Object(1) as unknown,
  () => Object("text") as unknown,
  () => new WeakMap(),
  () => new DataView(new ArrayBuffer(2)),
  () => new SharedArrayBuffer(2),
  () => new Float32Array(2),
  () => new URL("http://localhost"),
  () => new Proxy({ a: 1 }, {}),
  () =>
    (function () {
      return arguments;
    })(), // oxlint-disable-line prefer-rest-params
  () => GLOBAL_WINDOW,
  () => "\udc00",
  () => {
    const cyclic: unknown[] = [];
    cyclic.push({ cyclic });
    return cyclic;
  },
  () => {
    const cyclic = new Map<unknown, unknown>();
    return cyclic.set("self", new Set([cyclic]));
  },
  () => nested(499),
  () => nested(500),
  () => nested(501),
  () => nested(502),
);

function nested(levels: number): unknown {
  let value: unknown = "bottom";
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

/** Puts a value into another one, at some place. */
const around = fc.constantFrom<(part: unknown, other: unknown) => unknown>(
  (part) => part,
  (part, other) => [other, part],
  (part, other) => ({ other, part }),
  (part, other) => new Map([[other, part]]),
  (part, other) => new Map([[part, other]]),
  (part, other) => new Set([other, part]),
  (part) => [[{ part }], [{ part }]],
);

const values = fc
  .tuple(
    fc.oneof(
      doubtful.map((make) => make()),
      anyValue,
    ),
    fc.array(fc.tuple(around, anyValue), { maxLength: 3 }),
  )
  .map(([part, places]) => places.reduce((value, [put, other]) => put(value, other), part));

describe.each<[name: string, Purpose, (value: unknown) => unknown, code: string]>([
  ["a value", "value", (value) => encodeToBytes(valueCoder, value), "VALUE_NOT_ENCODABLE"],
  ["a key, in bytes", "key", keyCoderFor().bytes, "KEY_NOT_DETERMINISTIC"],
  ["a key, in a Map", "key", canonicalKey, "KEY_NOT_DETERMINISTIC"],
])("as %s", (_name, purpose, encode, code) => {
  function refused(value: unknown): boolean {
    try {
      encode(value);
      return false;
    } catch (error) {
      if (isTidemarkError(error) && error.code === code) return true;
      throw error;
    }
  }

  test("N1: what the writer refuses, findProblem finds, and the reverse", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(findProblem(purpose, value) !== undefined).toBe(refused(value));
      }),
      { numRuns: 3000 },
    );
  });
});
