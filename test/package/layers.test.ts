/**
 * The law of layers, on the real tree and on small wrong files that show each rule at work.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { breaches, checkRepository, rulesFrom } from "../../scripts/layers.ts";

const root = dirname(dirname(import.meta.dirname));
const rules = rulesFrom(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
const check = (path: string, text: string): readonly string[] => breaches([{ path, text }], rules);

test("src keeps the layers of ARCHITECTURE.md, and its clock and random come in as arguments", () => {
  expect(checkRepository(root).join("\n")).toBe("");
});

describe("R1: a file imports a lower layer or its own folder", () => {
  test("a lower layer, the own folder, Node and packages are allowed", () => {
    const text = `import { a } from "../model/time.ts"; import { b } from "./b.ts"; import "node:fs"; import "zod";`;
    expect(check("src/engine/x.ts", text)).toEqual([]);
  });

  test("a higher layer is refused with the line, the rule and the reason", () => {
    expect(check("src/engine/x.ts", `\nimport { run } from "../exec/run.ts";`)).toEqual([
      "src/engine/x.ts:2 R1 imports src/exec/run.ts: engine is layer 6 and may import only lower layers and its own " +
        "folder, but exec is layer 6 (runs user code, grouping and triggers over host's contracts)",
    ]);
  });

  test("an equal layer is refused", () => {
    expect(check("src/engine/x.ts", `import "../optimize/y.ts";`)).toHaveLength(1);
  });

  test.each([
    ["import type", `import type { A } from "../exec/a.ts";`],
    ["import { type }", `import { type A } from "../exec/a.ts";`],
    ["export from", `export { a } from "../exec/a.ts";`],
    ["export type *", `export type * from "../exec/a.ts";`],
    ["import()", `const a = await import("../exec/a.ts");`],
    ["a type by import()", `export type A = import("../exec/a.ts").A;`],
    ["over several lines", `import {\n  a,\n  b,\n} from "../exec/a.ts";`],
  ])("%s counts", (_, text) => {
    expect(check("src/engine/x.ts", text)).toHaveLength(1);
  });

  test("an import in a comment or a string does not count", () => {
    const text = `// import "../exec/a.ts"\nexport const s = 'import "../exec/a.ts"';`;
    expect(check("src/engine/x.ts", text)).toEqual([]);
  });

  test("nobody imports src/index.ts or the package by name; src/index.ts imports all", () => {
    expect(check("src/cli/x.ts", `import "../index.ts"; import "tidemark";`)).toHaveLength(2);
    expect(check("src/index.ts", `export * from "./cli/x.ts";`)).toEqual([]);
  });

  test("tests beside the code are free", () => {
    expect(check("src/engine/x.test.ts", `import "../exec/a.ts"; Math.random();`)).toEqual([]);
  });
});

describe("R2: clock and random come in as arguments", () => {
  test.each([
    "Date.now()",
    "const now = Date.now;",
    "new Date()",
    "performance.now()",
    "Math.random()",
    "process.hrtime.bigint()",
    "crypto.randomUUID()",
    "setTimeout(() => {}, 1)",
    `import { setTimeout } from "node:timers/promises";`,
  ])("%s is refused in the engine, allowed in the platform", (text) => {
    expect(check("src/engine/x.ts", text)).toHaveLength(1);
    expect(check("src/platform/x.ts", text)).toEqual([]);
  });

  test("a given instant and a comment are no clock", () => {
    expect(check("src/engine/x.ts", "// not Date.now()\nexport const d = new Date(5);")).toEqual([]);
  });
});

describe("R3: src is closed", () => {
  test("a folder without a layer is reported", () => {
    expect(check("src/misc/x.ts", "export {};")[0]).toContain('the folder "misc" is not in ARCHITECTURE.md');
  });

  test("a file outside src may not be imported", () => {
    expect(check("src/engine/x.ts", `import "../../test/model/run.ts";`)[0]).toContain("R3 imports test/model/run.ts");
  });
});
