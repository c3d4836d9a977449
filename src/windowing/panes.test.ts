import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ON_TIME_AND_ONLY, type Pane } from "../model/pane.ts";
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../model/time.ts";
import { nextPane } from "./panes.ts";

const SEED = 20261123;
/** The last instant of the window of all these tests. */
const LAST = 9;

interface Firing {
  readonly input: number;
  readonly output: number;
  readonly last?: boolean;
}

function panesOf(...firings: readonly Firing[]): Pane[] {
  const panes: Pane[] = [];
  for (const { input, output, last = false } of firings) panes.push(nextPane(panes.at(-1), input, output, LAST, last));
  return panes;
}

const early: Firing = { input: 5, output: 5 };
const onTime: Firing = { input: 10, output: 9 };
const late: Firing = { input: 20, output: 20 };

describe("timing", () => {
  test.each<[timing: string, input: number, output: number]>([
    ["EARLY", MIN_TIMESTAMP, MIN_TIMESTAMP],
    ["EARLY", 8, 8],
    ["EARLY", 9, 9],
    ["ON_TIME", 10, 9],
    ["ON_TIME", MAX_TIMESTAMP, MIN_TIMESTAMP],
    ["LATE", 10, 10],
    ["LATE", MAX_TIMESTAMP, MAX_TIMESTAMP],
  ])(
    "P1 the first pane of a window that ends after 9 is %s with the watermarks at %d and %d",
    (timing, input, output) => {
      expect(nextPane(undefined, input, output, LAST, false).timing).toBe(timing);
    },
  );

  test("P1 one pane is ON_TIME, and everything after it LATE, even if the output watermark stays behind", () => {
    expect(panesOf(early, early, onTime, onTime, late).map(({ timing }) => timing)).toEqual([
      "EARLY",
      "EARLY",
      "ON_TIME",
      "LATE",
      "LATE",
    ]);
  });

  test("P1 the on-time pane is left out where the output watermark has passed the window before", () => {
    expect(panesOf(early, late, late).map(({ timing }) => timing)).toEqual(["EARLY", "LATE", "LATE"]);
  });
});

describe("indices", () => {
  test("P2 early panes count in one index and not in the other", () => {
    expect(panesOf(early, early, onTime, late, late).map((pane) => [pane.index, pane.nonSpeculativeIndex])).toEqual([
      [0, -1],
      [1, -1],
      [2, 0],
      [3, 1],
      [4, 2],
    ]);
  });

  test("P2 without early panes both indices are the same", () => {
    expect(panesOf(onTime, late).map((pane) => [pane.index, pane.nonSpeculativeIndex])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(panesOf(late, late).map((pane) => [pane.index, pane.nonSpeculativeIndex])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test("the first pane is first, and the last pane is last", () => {
    const panes = panesOf(early, onTime, { ...late, last: true });
    expect(panes.map(({ isFirst }) => isFirst)).toEqual([true, false, false]);
    expect(panes.map(({ isLast }) => isLast)).toEqual([false, false, true]);
  });
});

test("first panes are shared objects", () => {
  expect(nextPane(undefined, 10, 9, LAST, true)).toBe(ON_TIME_AND_ONLY);
  for (const { input, output } of [early, onTime, late]) {
    for (const last of [false, true]) {
      expect(nextPane(undefined, input, output, LAST, last)).toBe(nextPane(undefined, input, output, LAST, last));
    }
  }
});

test("P1 P2 whatever the watermarks do: EARLY, then at most one ON_TIME, then LATE, counted without gaps", () => {
  const advances = fc.array(fc.record({ input: fc.nat(4), behind: fc.nat(6) }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(advances, (steps) => {
      let [input, output] = [0, 0];
      const firings = steps.map((step): Firing => {
        input += step.input;
        output = Math.max(output, input - step.behind);
        return { input, output };
      });
      const panes = panesOf(...firings);
      expect(
        panes.map(({ timing }) => ({ EARLY: "e", ON_TIME: "o", LATE: "l", UNKNOWN: "?" })[timing]).join(""),
      ).toMatch(/^e*o?l*$/);
      expect(panes.map(({ index }) => index)).toEqual(panes.map((_, i) => i));
      const counted = panes.filter(({ timing }) => timing !== "EARLY");
      expect(counted.map(({ nonSpeculativeIndex }) => nonSpeculativeIndex)).toEqual(counted.map((_, i) => i));
      expect(panes.every((pane) => Object.isFrozen(pane))).toBe(true);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
