import { expect, test } from "vitest";
import { HELP, readArguments } from "./arguments.ts";

test("without arguments, what the help says", () => {
  const defaults = readArguments([]);
  expect(defaults).toEqual({
    seconds: 25,
    speed: 12,
    rate: 100,
    every: 5,
    top: 10,
    seed: 1,
    plain: false,
    help: false,
    input: undefined,
  });
  for (const [name, value] of Object.entries(defaults)) {
    if (typeof value === "number") expect(HELP).toMatch(new RegExp(`--${name} N .*\\(default ${value}\\)`));
    else expect(HELP).toContain(`--${name}`);
  }
});

test.each([
  [["--rate", "-1"], "--rate -1: write a number above 0, as in --rate 100"],
  [["--seconds=0"], "--seconds 0: write a number above 0, as in --seconds 25"],
  [["--every", "x"], "--every x: write a number above 0, as in --every 5"],
  [["--speed", ""], "--speed : write a number above 0, as in --speed 12"],
  [["--top", "1.5"], "--top 1.5: write a whole number above 0, as in --top 10"],
  [["--input", "/nowhere/tweets.ndjson"], "--input /nowhere/tweets.ndjson: there is no such file"],
  [["--input", "/"], "--input /: it is not a file; name one that holds tweets as NDJSON"],
  [["--fast"], "Unknown option '--fast'"],
])("%j is refused", (args, message) => {
  expect(() => readArguments(args)).toThrow(message);
});
