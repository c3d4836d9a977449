import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { END_OF_GLOBAL_WINDOW, MAX_TIMESTAMP, MIN_TIMESTAMP } from "../model/time.ts";
import { IntervalWindow } from "../model/window.ts";
import { decodeFromBytes, encodeToBytes } from "./coder.ts";
import { exactMilliseconds, timestampCoder, timestampOf } from "./instant.ts";
import { intervalWindowCoder } from "./windows.ts";

const SEED = 20261123;

/** The wire form by its definition. */
function wire(exact: bigint): string {
  return BigInt.asUintN(64, exact ^ (1n << 63n))
    .toString(16)
    .padStart(16, "0");
}

function encoded(timestamp: number): string {
  return Buffer.from(encodeToBytes(timestampCoder, timestamp)).toString("hex");
}

function decoded(exact: bigint): number {
  return decodeFromBytes(timestampCoder, Buffer.from(wire(exact), "hex"));
}

describe("timestampCoder", () => {
  test("I1: the ends of time have Beam's exact bytes, and come back as themselves", () => {
    const named: readonly [number, bigint][] = [
      [MIN_TIMESTAMP, -9223372036854775n],
      [END_OF_GLOBAL_WINDOW, 9223371950454775n],
      [MAX_TIMESTAMP, 9223372036854775n],
    ];
    for (const [timestamp, exact] of named) {
      expect(encoded(timestamp)).toBe(wire(exact));
      expect(decoded(exact)).toBe(timestamp);
    }
  });

  test("I3: one millisecond before the end of the global window is kept apart from it", () => {
    expect(encoded(9223371950454774)).toBe(wire(9223371950454774n));
    expect(decoded(9223371950454774n)).toBe(9223371950454774);
    expect(decoded(9223371950454774n)).toBeLessThan(END_OF_GLOBAL_WINDOW);
  });

  test("every safe instant, before and after 1970, has its defined bytes and comes back", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (timestamp) => {
        expect(encoded(timestamp)).toBe(wire(BigInt(timestamp)));
        expect(decoded(BigInt(timestamp))).toBe(timestamp);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("I2: decoding never reverses an order, and re-encoding what was decoded is stable", () => {
    const nearEnds = fc
      .tuple(
        fc.constantFrom(-9223372036854775n, 9223371950454775n, 9223372036854775n, 2n ** 53n, -(2n ** 53n)),
        fc.bigInt({ min: -9n, max: 9n }),
      )
      .map(([end, offset]) => end + offset);
    fc.assert(
      fc.property(nearEnds, nearEnds, (a, b) => {
        if (a <= b) expect(decoded(a)).toBeLessThanOrEqual(decoded(b));
        expect(timestampOf(exactMilliseconds(decoded(a)))).toBe(decoded(a));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("I2: an odd instant beyond 2^53 becomes the even one below, one outside the range its end", () => {
    expect(decoded(2n ** 53n + 3n)).toBe(2 ** 53 + 2);
    expect(decoded(-(2n ** 53n) - 3n)).toBe(-(2 ** 53) - 4);
    expect(decoded(2n ** 63n - 1n)).toBe(MAX_TIMESTAMP);
    expect(decoded(-(2n ** 63n))).toBe(MIN_TIMESTAMP);
  });

  test("bytes sort as times do", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
        expect(Math.sign(Buffer.compare(encodeToBytes(timestampCoder, a), encodeToBytes(timestampCoder, b)))).toBe(
          Math.sign(a - b),
        );
      }),
      { seed: SEED },
    );
  });

  test.each([0.5, Number.NaN, Infinity, -Infinity, 1e16])("%s is no timestamp", (timestamp) => {
    expect(() => encodeToBytes(timestampCoder, timestamp)).toThrow(/VALUE_NOT_ENCODABLE.*is not a timestamp/);
  });
});

describe("intervalWindowCoder", () => {
  test("every window comes back, also where its length is beyond 2^53", () => {
    const instants = fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(MIN_TIMESTAMP, END_OF_GLOBAL_WINDOW, MAX_TIMESTAMP, 0),
    );
    fc.assert(
      fc.property(instants, instants, (a, b) => {
        const window = new IntervalWindow(Math.min(a, b), Math.max(a, b));
        const back = decodeFromBytes(intervalWindowCoder, encodeToBytes(intervalWindowCoder, window));
        expect(back.id).toBe(window.id);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("a window that ends before it starts is refused on both ways", () => {
    expect(() => encodeToBytes(intervalWindowCoder, new IntervalWindow(10, 5))).toThrow("VALUE_NOT_ENCODABLE");
    const bytes = Buffer.from(`${wire(0n)}ffffffffffffffffff01`, "hex");
    expect(() => decodeFromBytes(intervalWindowCoder, bytes)).toThrow("CODER_CORRUPT");
  });

  test("a start or end of half a millisecond is refused", () => {
    expect(() => encodeToBytes(intervalWindowCoder, new IntervalWindow(0.5, 5))).toThrow("VALUE_NOT_ENCODABLE");
    expect(() => encodeToBytes(intervalWindowCoder, new IntervalWindow(0, 5.5))).toThrow("VALUE_NOT_ENCODABLE");
  });
});
