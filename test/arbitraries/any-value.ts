/** Arbitrary plain values for property tests: all that valueCoder promises to take. */
import fc from "fast-check";
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../../src/model/time.ts";
import { IntervalWindow } from "../../src/model/window.ts";

const texts = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary-ascii", maxLength: 60 }),
  // Any UTF-16 units, half surrogate pairs among them.
  fc.array(fc.nat(0xffff), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("__proto__", "constructor", "\u0000", "\u0000s", "\u0000k\u0001"),
);

const scalars = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, 0, -0, Number.NaN, MIN_TIMESTAMP, MAX_TIMESTAMP, 127, 128, -1),
  texts,
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes).buffer),
  fc.int16Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.tuple(fc.integer(), fc.nat()).map(([start, size]) => new IntervalWindow(start, start + size)),
);

/** Any plain value, nested a few levels. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => {
  const inner = tie("value");
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { arbitrary: scalars, weight: 4 },
      { arbitrary: fc.array(inner, { maxLength: 5 }), weight: 1 },
      { arbitrary: fc.dictionary(texts, inner, { maxKeys: 5 }), weight: 1 },
      {
        arbitrary: fc.array(fc.record({ id: inner, name: inner }, { requiredKeys: ["id"] }), { maxLength: 4 }),
        weight: 1,
      },
      { arbitrary: fc.array(fc.tuple(inner, inner), { maxLength: 4 }).map((entries) => new Map(entries)), weight: 1 },
      { arbitrary: fc.array(inner, { maxLength: 4 }).map((items) => new Set(items)), weight: 1 },
    ),
  };
}).value;
