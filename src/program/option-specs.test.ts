import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, test } from "vitest";
import { z } from "zod";
import { optionSpecs, typeName } from "./option-specs.ts";

/** A schema of another library, whose JSON Schema is given. */
function schemaWith(input: () => Record<string, unknown>): StandardSchemaV1 {
  const standard = { version: 1 as const, vendor: "test", validate: (value: unknown) => ({ value }) };
  return { "~standard": { ...standard, jsonSchema: { input, output: input } } } as StandardSchemaV1;
}

test("S1: each property is one flag, with its type, default and description", () => {
  const schema = z.object({
    input: z.string().describe("the file to read"),
    every: z.number().default(5),
    maxItems: z.int().optional(),
    dry_run: z.boolean().default(true),
    tags: z.array(z.number()).default([]),
  });
  expect(optionSpecs(schema)).toEqual([
    {
      property: "input",
      flag: "input",
      type: { kind: "text" },
      repeated: false,
      required: true,
      description: "the file to read",
    },
    {
      property: "every",
      flag: "every",
      type: { kind: "number", whole: false },
      repeated: false,
      required: false,
      defaultValue: 5,
    },
    {
      property: "maxItems",
      flag: "max-items",
      type: { kind: "number", whole: true },
      repeated: false,
      required: false,
    },
    {
      property: "dry_run",
      flag: "dry-run",
      type: { kind: "boolean" },
      repeated: false,
      required: false,
      defaultValue: true,
    },
    {
      property: "tags",
      flag: "tags",
      type: { kind: "number", whole: false },
      repeated: true,
      required: false,
      defaultValue: [],
    },
  ]);
});

test.each([
  ["enum", z.enum(["slow", "fast"]), "slow|fast"],
  ["numbers to choose from", z.union([z.literal(1), z.literal(2)]), "1|2"],
  ["null beside a type", z.number().nullable(), "number"],
  ["null beside text, in the short form", z.string().nullable(), "text"],
  ["a number or a word", z.union([z.number(), z.literal("auto")]), "auto|number"],
  ["a number or any text", z.union([z.number(), z.string()]), "text"],
  ["an object", z.object({ low: z.number() }), "json"],
  ["a list of objects", z.array(z.object({ low: z.number() })), "json"],
  ["a tuple", z.tuple([z.string(), z.number()]), "json"],
  ["a date that is made from text", z.coerce.date(), "text"],
  ["a transformed text", z.string().transform(Number), "text"],
  ["anything", z.unknown(), "text"],
  ["a shared definition", z.string().meta({ id: "Path" }), "text"],
])("the type of %s", (_, option, name) => {
  expect(optionSpecs(z.object({ option, twice: option }))?.map(({ type }) => typeName(type))).toEqual([name, name]);
});

test("S2: a property of no known type takes its text as it is", () => {
  const specs = optionSpecs(schemaWith(() => ({ type: "object", properties: { a: {}, b: true, c: { type: "odd" } } })));
  expect(specs?.map(({ type }) => type.kind)).toEqual(["text", "text", "text"]);
});

test("a definition that refers to itself does not hang", () => {
  const specs = optionSpecs(
    schemaWith(() => ({
      type: "object",
      properties: { a: { $ref: "#/$defs/A" } },
      $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } },
    })),
  );
  expect(specs?.map(({ type }) => type.kind)).toEqual(["text"]);
});

test("no schema, no options", () => {
  expect(optionSpecs(undefined)).toEqual([]);
});

test.each<[string, StandardSchemaV1]>([
  ["offers no JSON Schema", { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } }],
  [
    "refuses to",
    schemaWith(() => {
      throw new Error("a function has no JSON Schema");
    }),
  ],
  ["is not a list of properties", z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])],
])("undefined where a schema %s: its options are given as JSON", (_, schema) => {
  expect(optionSpecs(schema)).toBeUndefined();
});
