import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Folder, openAll, readAll } from "../text/line-io.fixture.ts";
import { nullable, optional } from "./fields.ts";
import { ndjsonSource } from "./ndjson.ts";

const codeOf = (code: string, what: RegExp): unknown =>
  expect.objectContaining({ code, what: expect.stringMatching(what) as unknown });

describe("fields", () => {
  test("elements have the declared fields in their order, and nothing else", async () => {
    using folder = new Folder();
    const path = folder.file(
      "a.ndjson",
      '\uFEFF{"c":true,"skip":{"a":[1]},"b":2.5,"a":"x"}\r\n\n{"b":-0,"a":"서\\u0022울","c":false}',
    );
    const elements = await readAll(ndjsonSource(path, { fields: { a: "string", b: "number", c: "boolean" } }));
    expect(elements.map((element) => Object.entries(element))).toEqual([
      [
        ["a", "x"],
        ["b", 2.5],
        ["c", true],
      ],
      [
        ["a", '서"울'],
        ["b", -0],
        ["c", false],
      ],
    ]);
  });

  test("more fields than are written out, objects in arrays in objects, and null where it is declared", async () => {
    using folder = new Folder();
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
    const fields = {
      ...Object.fromEntries(names.map((name) => [name, "integer" as const])),
      deep: { list: [{ x: nullable("number") }] },
      any: "json",
      gone: optional(nullable("string")),
    } as const;
    const record = {
      ...Object.fromEntries(names.map((name, i) => [name, i])),
      deep: { list: [{ x: 1 }, { x: null }] },
      any: [{}],
    };
    const path = folder.file("a.ndjson", `${JSON.stringify({ ...record, gone: null })}\n${JSON.stringify(record)}\n`);
    expect(await readAll(ndjsonSource(path, { fields }))).toStrictEqual([
      { ...record, gone: null },
      { ...record, gone: undefined },
    ]);
  });

  test("P2: of equal names the last counts, however it is spelled, also where the first was of another type", async () => {
    using folder = new Folder();
    const lines = ['{"a":1,"a":2}', '{"a":1,"\\u0061":3}', '{"\\u0061":"x","a":4}', '{"a":{"a":9},"a":5}'];
    const source = ndjsonSource(folder.file("a.ndjson", lines.join("\n")), { fields: { a: "integer" } });
    expect(await readAll(source)).toEqual([{ a: 2 }, { a: 3 }, { a: 4 }, { a: 5 }]);
  });

  test("names with backslashes and quotes, and __proto__, are names like others", async () => {
    using folder = new Folder();
    const fields = { ["__proto__"]: "integer", "\\": "integer", '"': "integer", "": "integer" } as const;
    const path = folder.file(
      "a.ndjson",
      '{"__proto__":1,"\\\\":2,"\\"":3,"":4}\n{"":8,"\\u005c":6,"__proto__":5,"\\u0022":7}',
    );
    const elements = await readAll(ndjsonSource(path, { fields }));
    expect(elements.map((element) => Object.values(element))).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(elements.every((element) => Object.getPrototypeOf(element) === Object.prototype)).toBe(true);
  });

  test("what is passed over may be very deep and have any number of names", async () => {
    using folder = new Folder();
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const names = Array.from({ length: 3000 }, (_, i) => `"n${i}":{"\\n":[${i}]}`).join(",");
    const path = folder.file("a.ndjson", `{"deep":${deep},${names},"a":1}\n{${names},"a":2,"deep":${deep}}\n`);
    expect(await readAll(ndjsonSource(path, { fields: { a: "integer" } }))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test("latin1: each byte is a character", async () => {
    using folder = new Folder();
    const bytes = Buffer.from('{"é":"ÿ and é"}\n', "latin1");
    const source = ndjsonSource(folder.file("a.ndjson", bytes), { fields: { é: "string" }, encoding: "latin1" });
    expect(await readAll(source)).toEqual([{ é: "ÿ and é" }]);
  });

  test("readers that take turns within their chunks do not disturb each other", async () => {
    using folder = new Folder();
    const lines = (name: string): string => Array.from({ length: 9 }, (_, i) => `{"v":"${name}${i}"}\n`).join("");
    const source = ndjsonSource([folder.file("a", lines("a")), folder.file("b", lines("b"))], {
      fields: { v: "string" },
    });
    const readers = await openAll(source);
    const values: string[] = [];
    const batch = { add: ({ v }: { v: string }) => void values.push(v), size: 0 };
    for (let turn = 0; turn < 10; turn++) for (const reader of readers) reader.poll(1, batch);
    expect(values).toEqual(Array.from({ length: 9 }, (_, i) => [`a${i}`, `b${i}`]).flat());
    for (const reader of readers) await reader.close();
  });
});

describe("errors", () => {
  test("NDJSON_INVALID in the words of JSON.parse, also in what is not declared", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", '{"é":1,"a":1}\n\n{"a":1,"b":[01]}\n');
    await expect(readAll(ndjsonSource(path, { fields: { a: "integer" } }))).rejects.toMatchObject({
      code: "NDJSON_INVALID",
      what: expect.stringMatching(
        /^the line at byte 16 of .*a\.ndjson \(line 3\) is not valid: Unexpected number/,
      ) as unknown,
      context: { element: '{"a":1,"b":[01]}' },
      cause: expect.any(SyntaxError) as unknown,
    });
  });

  test.each([
    ['{"a":"1"}', 'a is "1", not a whole number'],
    ['{"a":1.5}', "a is 1\\.5, not a whole number"],
    ['{"a":9007199254740993}', "a is 9007199254740992, not a whole number within"],
    ['{"a":null}', "a is null, not a whole number"],
    ["{}", "a is missing"],
    ['{"a":1,"p":{"x":1}}', "p\\.q is missing"],
    ['{"a":1,"p":{"q":[true,0]}}', "p\\.q\\[1\\] is 0, not a boolean"],
    ['{"a":1,"p":[]}', "p is an array, not an object"],
    ['{"a":1,"p":null}', "p is null, not an object"],
    ["[1]", "the record is an array, not an object"],
    ["7", "the record is 7, not an object"],
  ])("NDJSON_RECORD_INVALID: %s", async (line, why) => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", `{"a":1}\n${line}\n`);
    const source = ndjsonSource(path, { fields: { a: "integer", p: optional({ q: ["boolean"] }) } });
    await expect(readAll(source)).rejects.toEqual(
      codeOf(
        "NDJSON_RECORD_INVALID",
        new RegExp(`at byte 8 of .*a\\.ndjson \\(line 2\\) is not the declared record: ${why}`),
      ),
    );
  });

  test("invalid lines of both kinds are passed over and counted together", async () => {
    using folder = new Folder();
    const warnings: string[] = [];
    const path = folder.file("a.ndjson", '{"a":1}\n{"a":"x"}\n{\n{"a":2}');
    const options = { onInvalid: "skip", onWarning: (message: string) => void warnings.push(message) } as const;
    expect(await readAll(ndjsonSource(path, { fields: { a: "number" }, ...options }))).toEqual([{ a: 1 }, { a: 2 }]);
    expect(warnings).toEqual([
      expect.stringMatching(/invalid lines: 2, the first of them at byte 8 of .* \(line 2\)$/),
    ]);
  });

  test("an error of whoever takes the element is not one of the line", async () => {
    using folder = new Folder();
    const source = ndjsonSource(folder.file("a.ndjson", '{"a":1}\n'), { fields: { a: "number" }, onInvalid: "skip" });
    const [reader] = await openAll(source);
    const add = (): void => {
      throw new Error("downstream");
    };
    expect(() => reader?.poll(1, { add, size: 0 })).toThrow("downstream");
    await reader?.close();
  });

  test("TRANSFORM_INVALID: what is no declaration fails when the program is built", () => {
    const source = (options: object) => () => ndjsonSource("a", options as { fields: { a: "string" } });
    expect(source({ fields: { a: { b: "text" } } })).toThrow(codeOf("TRANSFORM_INVALID", /in which a\.b is "text"$/));
    expect(source({ fields: { a: [] } })).toThrow(codeOf("TRANSFORM_INVALID", /a is \[\]$/));
    expect(source({ fields: { a: [optional("string")] } })).toThrow(codeOf("TRANSFORM_INVALID", /a\[\] is optional/));
    expect(source({ fields: "a" })).toThrow(codeOf("TRANSFORM_INVALID", /fields is "a"$/));
    expect(source({ fields: {}, parse: JSON.parse })).toThrow(codeOf("TRANSFORM_INVALID", /parse and fields$/));
  });
});

describe("schema", () => {
  const record = z.object({
    id: z.int().positive(),
    tags: z.array(z.string()).default([]),
    at: z.coerce.date().optional(),
  });

  test("the declared properties are read, and the schema makes the elements", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", '{"id":1,"more":{},"at":"2026-01-01"}\n{"tags":["x"],"id":2}\n');
    expect(await readAll(ndjsonSource(path, { schema: record }))).toEqual([
      { id: 1, tags: [], at: new Date("2026-01-01") },
      { id: 2, tags: ["x"] },
    ]);
  });

  test("what it refuses is NDJSON_RECORD_INVALID in its own words", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", '{"id":-1,"tags":[3]}\n');
    await expect(readAll(ndjsonSource(path, { schema: record }))).rejects.toEqual(
      codeOf("NDJSON_RECORD_INVALID", /id: Too small: .*; tags\.0: Invalid input/),
    );
    await expect(readAll(ndjsonSource(folder.file("b", "{]"), { schema: record }))).rejects.toEqual(
      codeOf("NDJSON_INVALID", /line 1\) is not valid/),
    );
  });

  test("what it converts is left to it, though its JSON Schema names another type", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", '{"n":"5"}\n{"n":6}\n');
    expect(await readAll(ndjsonSource(path, { schema: z.object({ n: z.coerce.number() }) }))).toEqual([
      { n: 5 },
      { n: 6 },
    ]);
  });

  test("validate: false checks what fields can say, and nothing more", async () => {
    using folder = new Folder();
    const options = { schema: record, validate: false } as const;
    const path = folder.file("a.ndjson", '{"id":-1,"at":"x"}\n');
    expect(await readAll(ndjsonSource(path, options))).toEqual([{ id: -1, at: "x" }]);
    await expect(readAll(ndjsonSource(folder.file("b", '{"id":"1"}'), options))).rejects.toEqual(
      codeOf("NDJSON_RECORD_INVALID", /id is "1", not a whole number/),
    );
  });

  test.each<[string, StandardSchemaV1, unknown[]]>([
    ["keeps other properties", z.looseObject({ a: z.number() }), [{ a: 1, b: 2 }]],
    ["keeps those of an object within", z.object({ o: z.looseObject({}).optional(), a: z.number() }), [{ a: 1 }]],
    ["is a union", z.union([z.object({ a: z.number() }), z.string()]), [{ a: 1 }]],
    [
      "offers no JSON Schema",
      { "~standard": { version: 1, vendor: "x", validate: (value) => ({ value }) } },
      [{ a: 1, b: 2 }],
    ],
  ])("a schema that %s gives what it gives for JSON.parse", async (_what, schema, expected) => {
    using folder = new Folder();
    expect(await readAll(ndjsonSource(folder.file("a.ndjson", '{"a":1,"b":2}'), { schema }))).toEqual(expected);
  });

  test("a schema that refuses other properties does so", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", '{"a":1,"b":2}');
    await expect(readAll(ndjsonSource(path, { schema: z.strictObject({ a: z.number() }) }))).rejects.toEqual(
      codeOf("NDJSON_RECORD_INVALID", /Unrecognized key/),
    );
  });

  test("a schema that contains itself is read", async () => {
    using folder = new Folder();
    const tree = z.object({
      n: z.number(),
      get parts() {
        return z.array(tree).optional();
      },
    });
    const path = folder.file("a.ndjson", '{"n":1,"parts":[{"n":2,"parts":[{"n":3,"x":0}]}]}');
    expect(await readAll(ndjsonSource(path, { schema: tree }))).toEqual([
      { n: 1, parts: [{ n: 2, parts: [{ n: 3 }] }] },
    ]);
  });

  test("ASYNC_NOT_ALLOWED: a schema that makes wait", async () => {
    using folder = new Folder();
    const schema = z.object({ a: z.number() }).refine(async () => true);
    await expect(readAll(ndjsonSource(folder.file("a", '{"a":1}'), { schema, onInvalid: "skip" }))).rejects.toEqual(
      codeOf("ASYNC_NOT_ALLOWED", /validates asynchronously/),
    );
  });
});
