/** What the pages name is there: the scripts that they tell to run, and the files that they link to. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

describe.each(pages)("%s", (page) => {
  const text = readFileSync(join(root, page), "utf8");

  test("names scripts that package.json has", () => {
    const named = all(text, /npm run (?:-s )?([a-z][\w:-]*)/g);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("links to files that exist, and shows tests that exist", () => {
    const links = all(text, /\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g).map((link) => join(dirname(page), link));
    const tests = all(text, /npx vitest run ((?:test|src|bench|labs)[\w./-]*)/g);
    expect([...links, ...tests].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
