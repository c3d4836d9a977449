import { describe, expect, test } from "vitest";
import { differences } from "./compare.ts";
import type { GoldenPane } from "./scenario.ts";

describe("comparison", () => {
  const pane: GoldenPane = {
    key: "a",
    window: [0, 10],
    value: [1],
    timing: "ON_TIME",
    index: 0,
    nonSpeculativeIndex: 0,
    isFirst: true,
    isLast: true,
    timestamp: 9,
  };

  test("C1: order does not count, and fields that are not listed do not either", () => {
    expect(differences([{ value: [2, 1] }], [{ value: [1, 2], index: 7 }], { fields: ["value"] })).toEqual([]);
  });

  test("C2: a pane twice is not the same as once", () => {
    expect(differences([pane], [pane, pane])).toHaveLength(1);
    expect(differences([pane, pane], [pane])[0]).toMatch(/^missing 1 × key="a" window=\[0,10\]/);
  });

  test("empty panes may be left out on both sides", () => {
    expect(differences([pane, { ...pane, value: [] }], [pane], { ignoreEmptyPanes: true })).toEqual([]);
  });
});
