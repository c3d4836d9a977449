/** A worker refuses to run what was not submitted, and names the first step that differs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, script } from "./kit.ts";

const program = (step: string, options = ""): string => `
import { pipeline } from "tidemark";
${options === "" ? "" : 'import { z } from "zod";'}
export default pipeline(import.meta, {
  name: "job",
  ${options}
  build(p, options) {
    p.create("Numbers", [1, 2]).map("Same", (n) => n)${step};
  },
});
`;

function write(text: string): string {
  const path = join(folder(), "job.ts");
  writeFileSync(path, text);
  return path;
}

test("the same files, options and graph", async () => {
  expect(await script("hashes", write(program('.map("Next", (n) => n + 1)')))).toBe("started");
});

test("MODULE_DIFFERS: the file has another step by now", async () => {
  const path = write(program('.map("Next", (n) => n + 1)'));
  const changed = write(program('.filter("Odd", (n) => n % 2 === 1)'));
  const told = await script("hashes", path, "{}", changed);
  expect(told).toMatch(/^MODULE_DIFFERS Odd\n/);
  expect(told).toContain('the first step that differs is "Odd"');
  expect(told).toContain("fix: give the worker the files that were submitted");
});

test("MODULE_DIFFERS: the file has the same steps, and another function", async () => {
  const path = write(program('.map("Next", (n) => n + 1)'));
  const changed = write(program('.map("Next", (n) => n + 2)'));
  expect(await script("hashes", path, "{}", changed)).toMatch(/^MODULE_DIFFERS -\n/);
});

test("OPTIONS_DIFFER: the worker was given others", async () => {
  const text = `
import { pipeline } from "tidemark";
export default pipeline(import.meta, {
  name: "job",
  options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  build: (p, { size }) => p.create("Numbers", [1]).map(\`Next \${size}\`, (n) => n),
});
`;
  const told = await script("hashes", write(text), '{"size":1}', "", '{"size":2}');
  expect(told).toMatch(/^OPTIONS_DIFFER Next 2\n/);
  expect(told).toContain("fix: start the worker with the options of the job");
});

test("GRAPH_DIFFERS: the graph depends on the clock", async () => {
  const told = await script("hashes", write(program(".map(`At ${process.hrtime.bigint()}`, (n) => n)")));
  expect(told).toMatch(/^GRAPH_DIFFERS At \d+\n/);
  expect(told).toContain("build(p, options) depends on something else: the clock");
});
