import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

test.each([
  ["inptu", "input"],
  ["INPUT", "input"],
  ["ouput", "output"],
  ["rum", "run"],
])("%s is near %s", (name, meant) => {
  expect(nearest(name, ["input", "output", "run"])).toBe(meant);
});

test("nothing is near a name that shares too little, nor in an empty list", () => {
  expect(nearest("verbose", ["input", "output", "run"])).toBeUndefined();
  expect(nearest("ab", ["x"])).toBeUndefined();
  expect(nearest("input", [])).toBeUndefined();
});

test("of several the nearest counts", () => {
  expect(nearest("format", ["formats", "format-", "formal"])).toBe("formats");
  expect(nearest("outputs", ["input", "output"])).toBe("output");
});
