import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { TidemarkError } from "../base/errors.ts";
import { isProgram, pipeline, type Program } from "./program.ts";

const codeOf = async (promise: Promise<unknown>): Promise<TidemarkError> =>
  promise.then(
    () => {
      throw new Error("it was accepted");
    },
    (error: unknown) => error as TidemarkError,
  );

describe("programs", () => {
  test("defining one runs nothing, and tells its name, place and schema", () => {
    const options = z.object({});
    const program = pipeline(
      { url: "file:///job.ts" },
      {
        name: "job",
        options,
        build: () => {
          throw new Error("not now");
        },
      },
    );
    expect(program).toMatchObject({ name: "job", url: "file:///job.ts", optionsSchema: options });
    expect(Object.isFrozen(program)).toBe(true);
    expect(pipeline({ name: "job", build: () => {} }).url).toBeUndefined();
  });

  test("isProgram recognises programs, and nothing that looks like one", () => {
    expect(isProgram(pipeline({ name: "job", build: () => {} }))).toBe(true);
    for (const other of [undefined, null, "job", {}, { name: "job", build: () => {} }])
      expect(isProgram(other)).toBe(false);
  });

  test("P1: building twice gives the same graph", async () => {
    const program = pipeline({ name: "job", build: (p) => p.create([1]).map("Next", (n) => n + 1) });
    const [first, second] = [await program.build(), await program.build()];
    expect(first.graph).not.toBe(second.graph);
    expect(first.graph.steps.map(({ name, inputs, outputs, at }) => ({ name, inputs, outputs, at }))).toEqual(
      second.graph.steps.map(({ name, inputs, outputs, at }) => ({ name, inputs, outputs, at })),
    );
  });

  test("an async build is awaited", async () => {
    const program = pipeline({
      name: "job",
      async build(p) {
        await Promise.resolve();
        p.create("After", [1]);
      },
    });
    expect((await program.build()).graph.steps.map(({ name }) => name)).toEqual(["After"]);
  });

  test.each([
    ["nothing", undefined],
    ["no name", { build: () => {} }],
    ["an empty name", { name: "", build: () => {} }],
    ["no build", { name: "job" }],
    ["options that are no schema", { name: "job", options: { every: 5 }, build: () => {} }],
  ])("PIPELINE_INVALID: %s", (_, definition) => {
    expect(() => pipeline(definition as never)).toThrow(expect.objectContaining({ code: "PIPELINE_INVALID" }) as Error);
  });
});

describe("options", () => {
  const schema = z.object({
    input: z.string(),
    every: z.number().default(5),
    tags: z.array(z.object({ name: z.string() })).default([]),
  });
  const program = pipeline({ name: "job", options: schema, build: (p, options) => p.create([options.every]) });

  test("P2: raw options are validated, and build gets what the schema makes of them", async () => {
    expect((await program.build({ input: "a" })).options).toEqual({ input: "a", every: 5, tags: [] });
  });

  test("OPTIONS_INVALID lists every issue with its path", async () => {
    const error = await codeOf(program.build({ every: "x", tags: [{ name: 1 }] } as never));
    expect(error.code).toBe("OPTIONS_INVALID");
    expect(error.what.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^ {4}input: /),
      expect.stringMatching(/^ {4}every: /),
      expect.stringMatching(/^ {4}tags\.0\.name: /),
    ]);
  });

  test("left out, they are an empty object", async () => {
    const optional = pipeline({
      name: "job",
      options: z.object({ every: z.number().default(5) }),
      build: (p) => p.create([1]),
    });
    expect((await optional.build(undefined as never)).options).toEqual({ every: 5 });
  });

  test("an async schema is awaited", async () => {
    const slow = z.object({
      input: z.string().refine(async (path) => Promise.resolve(path !== ""), "must not be empty"),
    });
    const job = pipeline({ name: "job", options: slow, build: (p) => p.create([1]) });
    expect((await job.build({ input: "a" })).options).toEqual({ input: "a" });
    expect((await codeOf(job.build({ input: "" }))).what).toContain("input: must not be empty");
  });

  test("issues without a path, and with path segments, are listed too", async () => {
    const custom = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: () => ({ issues: [{ message: "all wrong" }, { message: "bad", path: [{ key: "a" }, 0] }] }),
      },
    };
    const error = await codeOf(pipeline({ name: "job", options: custom, build: () => {} }).build({}));
    expect(error.what).toContain("    all wrong\n    a.0: bad");
  });

  test("a program without a schema takes none", async () => {
    const plain: Program<never> = pipeline({ name: "job", build: (p) => p.create([1]) });
    expect((await plain.build({} as never)).options).toBeUndefined();
    expect((await codeOf(plain.build({ every: 1 } as never))).what).toContain("every: the program takes no options");
  });
});
