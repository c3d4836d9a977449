import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TidemarkError } from "../base/errors.ts";
import { optionsFrom, readFlags } from "./flags.ts";
import type { OptionSpec, OptionType } from "./option-specs.ts";

const SEED = 20_261_123;

function spec(property: string, type: OptionType, more?: Partial<OptionSpec>): OptionSpec {
  return { property, flag: property, type, repeated: false, required: false, ...more };
}
const TEXT = spec("text", { kind: "text" }, { required: true });
const WHOLE = spec("whole", { kind: "number", whole: true });
const NUMBER = spec("number", { kind: "number", whole: false });
const SWITCH = spec("switch", { kind: "boolean" });
const CHOICE = spec("choice", { kind: "choice", values: ["red", "blue", 3] });
const OBJECT = spec("object", { kind: "json" });
const LIST = spec("maxList", { kind: "number", whole: false }, { flag: "max-list", repeated: true });
const EITHER = spec("either", {
  kind: "oneOf",
  types: [
    { kind: "choice", values: ["auto"] },
    { kind: "number", whole: false },
  ],
});
const SPECS = [TEXT, WHOLE, NUMBER, SWITCH, CHOICE, OBJECT, LIST, EITHER];

const read = (...args: readonly string[]): Readonly<Record<string, unknown>> =>
  readFlags(args, [SPECS]).values[0] ?? {};
function errorOf(action: () => unknown): TidemarkError {
  try {
    action();
  } catch (error) {
    return error as TidemarkError;
  }
  throw new Error("it was accepted");
}

describe("values", () => {
  test.each<[readonly string[], Record<string, unknown>]>([
    [["--text", "a b"], { text: "a b" }],
    [["--text="], { text: "" }],
    [["--text", "-"], { text: "-" }],
    [["--text=--other"], { text: "--other" }],
    [["--text", "5"], { text: "5" }],
    [["--whole", "-5"], { whole: -5 }],
    [["--number", "1e3"], { number: 1000 }],
    [["--switch"], { switch: true }],
    [["--no-switch"], { switch: false }],
    [["--switch=false"], { switch: false }],
    [["--choice", "3"], { choice: 3 }],
    [["--object", '{"a":[1]}'], { object: { a: [1] } }],
    [["--max-list", "1", "--maxList", "2"], { maxList: [1, 2] }],
    [["--either", "auto"], { either: "auto" }],
    [["--either", "2"], { either: 2 }],
    [[], {}],
  ])("%j", (args, values) => {
    expect(read(...args)).toEqual(values);
  });

  test("what was written is what is read, in any order", () => {
    const values = fc.record(
      {
        text: fc.string(),
        whole: fc.maxSafeInteger(),
        number: fc.double({ noNaN: true, noDefaultInfinity: true }),
        switch: fc.boolean(),
        choice: fc.constantFrom("red", "blue", 3),
        object: fc.jsonValue(),
        maxList: fc.array(fc.integer(), { minLength: 1 }),
        either: fc.oneof(fc.constant("auto"), fc.integer()),
      },
      { requiredKeys: [] },
    );
    const given = values.chain((record) =>
      fc.record({
        record: fc.constant(record),
        order: fc.shuffledSubarray(Object.keys(record), { minLength: Object.keys(record).length }),
      }),
    );
    fc.assert(
      fc.property(given, ({ record, order }) => {
        const args = order.flatMap((name) => {
          const { flag } = SPECS.find(({ property }) => property === name)!;
          const value = (record as Record<string, unknown>)[name];
          if (name === "maxList") return (value as number[]).map((item) => `--${flag}=${item}`);
          if (name === "object") return [`--${flag}=${JSON.stringify(value)}`];
          // `String` of minus zero has no sign.
          return [`--${flag}=${Object.is(value, -0) ? "-0" : String(value)}`];
        });
        expect(read(...args)).toEqual(JSON.parse(JSON.stringify(record), revive(record)));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

/** JSON forgets the sign of a zero, which the flag of a number keeps. */
function revive(record: { readonly number?: number }) {
  return function (this: unknown, name: string, value: unknown): unknown {
    return name === "number" && value === 0 && Object.is(record.number, -0) ? -0 : value;
  };
}

describe("F1: nothing is guessed", () => {
  test.each<[string, readonly string[], string, string]>([
    ["a name that is near one", ["--wohle", "1"], "OPTION_UNKNOWN", "did you mean --whole?"],
    ["a name that is near none", ["--zzz"], "OPTION_UNKNOWN", "the help lists the options: --help"],
    ["one dash", ["-whole", "1"], "OPTION_UNKNOWN", "the help lists the options: --help"],
    ["--no- before what is no switch", ["--no-text"], "OPTION_UNKNOWN", "the help lists the options: --help"],
    ["no value at the end", ["--text"], "OPTION_INVALID", "write --text <text>"],
    [
      "no value before the next flag",
      ["--text", "--switch"],
      "OPTION_INVALID",
      "write --text <text>; a value that begins with a dash as --text=--switch",
    ],
    ["a word for a number", ["--number", "ten"], "OPTION_INVALID", "write --number <number>"],
    ["an empty number", ["--number="], "OPTION_INVALID", "write --number <number>"],
    ["an infinite number", ["--number", "1e999"], "OPTION_INVALID", "write --number <number>"],
    ["a broken number", ["--whole", "1.5"], "OPTION_INVALID", "write --whole <whole number>"],
    ["a choice that is near one", ["--choice", "rde"], "OPTION_INVALID", "did you mean --choice red?"],
    ["a choice that is near none", ["--choice", "green"], "OPTION_INVALID", "write --choice <red|blue|3>"],
    ["a value for a switch", ["--switch=yes"], "OPTION_INVALID", "write --switch <true|false>"],
    ["no JSON", ["--object", "{a:1}"], "OPTION_INVALID", "write --object <json>"],
    ["the same flag twice", ["--text", "a", "--text", "b"], "OPTION_INVALID", "give it once"],
  ])("%s", (_, args, code, fix) => {
    expect(errorOf(() => read(...args))).toMatchObject({ code, fix });
  });
});

describe("groups", () => {
  test("F2: a name belongs to the first group that has it; the others get the rest", () => {
    const own = [spec("whole", { kind: "text" }), spec("help", { kind: "boolean" }, { short: "h" })];
    const { values } = readFlags(["--whole", "1", "-h", "--text", "a"], [[TEXT, WHOLE], own]);
    expect(values).toEqual([{ whole: 1, text: "a" }, { help: true }]);
  });

  test("reading ends at the first argument that is no flag, or after --", () => {
    expect(readFlags(["--switch", "job.ts", "--text", "a"], [SPECS])).toEqual({
      values: [{ switch: true }],
      rest: ["job.ts", "--text", "a"],
    });
    expect(readFlags(["--switch", "--", "--text"], [SPECS]).rest).toEqual(["--text"]);
  });

  test("the caller may say what an unknown flag's fix is", () => {
    const hint = { why: "there is no schema", fix: "use JSON" };
    expect(errorOf(() => readFlags(["--zzz"], [SPECS], hint))).toMatchObject(hint);
  });
});

describe("optionsFrom", () => {
  test("flags go over --options", () => {
    expect(optionsFrom({ flags: { a: 1 }, object: { a: 2, b: 3 } }, [])).toEqual({ a: 1, b: 3 });
  });

  test("OPTION_MISSING names every option that is required and not given, in either way", () => {
    const specs = [TEXT, { ...SWITCH, required: true }, WHOLE];
    expect(errorOf(() => optionsFrom({ flags: {}, object: undefined }, specs))).toMatchObject({
      code: "OPTION_MISSING",
      what: "the program needs --text <text>, --switch",
    });
    expect(optionsFrom({ flags: { switch: false }, object: { text: "a" } }, specs)).toEqual({
      switch: false,
      text: "a",
    });
  });

  test.each([[[]], ["text"], [null], [5]])("OPTION_INVALID: --options with %j", (object) => {
    expect(errorOf(() => optionsFrom({ flags: {}, object }, undefined)).code).toBe("OPTION_INVALID");
  });
});
