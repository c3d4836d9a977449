import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nodeProblem } from "./node-version.ts";

describe("V1: the versions are those of package.json", () => {
  test("which are these", () => {
    const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
    expect(JSON.parse(manifest)).toMatchObject({ engines: { node: ">=22.22 <23 || >=24.6" } });
  });

  test.each(["22.22.0", "22.30.1", "24.6.0", "24.21.0", "25.0.0", "26.1.0", "100.0.0"])("%s will do", (version) => {
    expect(nodeProblem(version)).toBe("");
  });

  test.each(["8.17.0", "18.20.0", "20.20.2", "22.21.1", "23.11.0", "24.5.9"])("%s is refused", (version) => {
    expect(nodeProblem(version)).toContain(`[NODE_TOO_OLD] this is Node ${version},`);
  });
});

test("M1: what an old Node reads first imports nothing else, and uses no newer syntax", () => {
  const text = ["main.ts", "node-version.ts"].map((file) => readFileSync(new URL(file, import.meta.url), "utf8"));
  const code = text.map((file) => file.replace(/\/\*[\s\S]*?\*\//g, ""));
  expect(code.flatMap((file) => file.match(/^import .*$/gm) ?? [])).toEqual([
    'import { nodeProblem } from "./node-version.ts";',
  ]);
  expect(code.join("")).not.toMatch(/\?\.|\?\?|^\s*await |this\.#/m);
});
