/** Options, help and usage errors, as a user meets them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { program, project, ROOT, tidemark } from "./command.ts";

/** A program with zod's schema that prints the options it was built with. */
const ECHO = `
import { pipeline } from "tidemark";
import { z } from "zod";

export default pipeline(import.meta, {
  name: "echo",
  options: z.object({
    input: z.string().describe("the file to read"),
    every: z.number().int().default(5),
    fast: z.boolean().default(false),
    colour: z.boolean().default(true),
    mode: z.enum(["slow", "fast"]).optional(),
    tags: z.array(z.string()).default([]),
    maxItems: z.number().optional(),
    limits: z.object({ low: z.number() }).optional(),
    since: z.coerce.date().optional(),
    json: z.string().optional(),
  }),
  build(p, options) {
    console.log(JSON.stringify(options));
    p.create([1]).parDo({ process() {} });
  },
});
`;
const echo = (): string => project({ "echo.ts": ECHO }, ["zod"]);
/** Valibot, for one, has no JSON Schema in its schemas. */
const WITHOUT_JSON_SCHEMA = ECHO.replace(/z\.object\(\{[\s\S]*?\n {2}\}\),/, "opaque,").replace(
  'import { z } from "zod";',
  'const opaque = { "~standard": { version: 1, vendor: "plain", validate: (value) => ({ value }) } };',
);

describe.concurrent("options", () => {
  test("are read by their types, under the names of the schema", async ({ expect }) => {
    const flags = "--input a --every -7 --fast --no-colour --mode slow --tags x --tags y --max-items 1.5".split(" ");
    const ended = await tidemark(echo(), "run", "echo.ts", ...flags, "--limits", '{"low":1}', "--since=2026-01-02");
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.out)).toEqual({
      input: "a",
      every: -7,
      fast: true,
      colour: false,
      mode: "slow",
      tags: ["x", "y"],
      maxItems: 1.5,
      limits: { low: 1 },
      since: "2026-01-02T00:00:00.000Z",
    });
  });

  test("--options gives them as JSON, and flags go over it", async ({ expect }) => {
    const ended = await tidemark(echo(), "run", "--options", '{"input":"a","every":1}', "echo.ts", "--every", "2");
    expect(JSON.parse(ended.out)).toEqual({ input: "a", every: 2, fast: false, colour: true, tags: [] });
  });

  test("a program's option goes before the command's flag of that name", async ({ expect }) => {
    const ended = await tidemark(echo(), "run", "--quiet", "echo.ts", "--input", "a", "--json", "text");
    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(ended.out)).toMatchObject({ json: "text" });
  });

  test.for([
    ["OPTION_UNKNOWN", ["--inptu", "a"], "did you mean --input?"],
    ["OPTION_MISSING", [], "add what is missing"],
    ["OPTION_INVALID", ["--input", "a", "--every", "1.5"], "write --every <whole number>"],
    ["OPTION_INVALID", ["--input", "--every", "2"], "write --input <text>"],
    ["OPTION_INVALID", ["--input", "a", "--options", "[]"], "write --options"],
    ["OPTIONS_INVALID", ["--input", "a", "--since", "soon"], "correct them"],
    ["CHECKPOINT_INVALID", ["--input", "a", "--checkpoint-dir", "c", "--checkpoint-every", "0"], "checkpoint: { dir"],
    ["CHECKPOINT_INVALID", ["--input", "a", "--checkpoint-dir", "c", "--state-memory", "-1"], "checkpoint: { dir"],
    ["USAGE", ["--input", "a", "b"], "options are given as flags"],
    ["USAGE", ["--input", "a", "--fast", "false"], "write --flag or --no-flag"],
  ] as const)("%s: %s is told with its fix, exit code 2", async ([code, flags, fix], { expect }) => {
    const ended = await tidemark(echo(), "run", "echo.ts", ...flags);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(`[${code}]`);
    expect(/fix: (.*)/.exec(ended.err)?.[1]).toContain(fix);
  });

  test("a schema without JSON Schema takes --options only, and says so", async ({ expect }) => {
    const folder = project({ "echo.ts": WITHOUT_JSON_SCHEMA });
    expect(await tidemark(folder, "run", "echo.ts", "--options", '{"a":1}')).toMatchObject({
      code: 0,
      out: '{"a":1}\n',
    });
    const flags = await tidemark(folder, "run", "echo.ts", "--a", "1");
    expect(flags.code).toBe(2);
    expect(flags.err).toContain("fix: give them as --options");
    expect((await tidemark(folder, "run", "echo.ts", "--help")).out).toContain("give them as --options '{json}'");
  });
});

describe.concurrent("help", () => {
  test("of a program lists its options with their types, descriptions and defaults", async ({ expect }) => {
    const { code, out } = await tidemark(echo(), "run", "echo.ts", "--help");
    expect(out).toContain("the key ? and SIGUSR2 have it say what is stuck");
    expect(code).toBe(0);
    expect(out).toMatch(/--input <text> +the file to read \(required\)/);
    expect(out).toMatch(/--every <whole number> +\(default: 5\)/);
    expect(out).toMatch(/--mode <slow\|fast>/);
    // What is on is turned off; a default of "true" beside it would say the opposite.
    expect(out).toMatch(/--no-colour +\(on by default\)/);
    expect(out).toMatch(/--tags <text> …/);
    expect(out).toMatch(/--quiet +print errors/);
    // The program's own --json hides the command's.
    expect(out.match(/--json/g)).toHaveLength(1);
  });

  test("keeps to the width of a line; a long flag stands above its description", async ({ expect }) => {
    const text = "what is said of it goes on and on ".repeat(4);
    const options = `z.object({ wide: z.string().describe(${JSON.stringify(text)}), ${"long".repeat(12)}: z.number().default(1) })`;
    const source = ECHO.replace(/z\.object\(\{[\s\S]*?\n {2}\}\),/, `${options},`);
    const { out } = await tidemark(project({ "echo.ts": source }, ["zod"]), "run", "echo.ts", "--help");
    const lines = out.split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const at = (part: string): number => lines.findIndex((line) => line.includes(part));
    const column = (lines[at("--wide <text>")] as string).indexOf("what is said");
    expect(lines[at("--wide <text>") + 1]?.search(/\S/)).toBe(column);
    expect(lines[at("--longlong") + 1]).toBe(`${" ".repeat(column)}(default: 1)`);
  });

  test("of the command lists its commands and exit codes", async ({ expect }) => {
    const { code, out } = await tidemark("/", "--help");
    expect(code).toBe(0);
    for (const part of ["run ", "graph ", "--version", "130 ", "143 "]) expect(out).toContain(part);
    expect((await tidemark("/", "graph", "-h")).out).toContain("--format <text|mermaid>");
  });

  test("--version prints the package's", async ({ expect }) => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await tidemark("/", "--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  test("a command line that names nothing to do is wrong use", async ({ expect }) => {
    expect(await tidemark("/")).toMatchObject({ code: 2, out: "", err: expect.stringContaining("Usage:") as string });
    expect((await tidemark("/", "rum")).err).toContain("did you mean run?");
    expect((await tidemark("/", "job.ts")).err).toContain("write tidemark run job.ts");
    expect(await tidemark("/", "run")).toMatchObject({ code: 2, err: expect.stringContaining("[USAGE]") as string });
  });
});

describe.concurrent("graph", () => {
  test("prints stages and steps as text, or as a drawing", async ({ expect }) => {
    const folder = project({ "job.ts": program() });
    const text = await tidemark(folder, "graph", "job.ts");
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toContain("pipeline numbers: 3 steps");
    expect((await tidemark(folder, "graph", "job.ts", "--format", "mermaid")).out).toMatch(/^flowchart TD\n/);
  });
});
