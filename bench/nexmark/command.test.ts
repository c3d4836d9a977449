/** The command as it is called: `npm run nexmark` starts what is started here. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, test } from "vitest";

const ROOT = dirname(dirname(import.meta.dirname));
const folder = mkdtempSync(join(tmpdir(), "tidemark-nexmark-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function command(...args: readonly string[]): Promise<Ended> {
  const { NODE_OPTIONS: _, DEBUG: __, ...env } = process.env;
  const child = spawn(process.execPath, ["scripts/setup.mjs", "nexmark", ...args], { cwd: ROOT, env });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

describe.concurrent("npm run nexmark", () => {
  test("writes a JSON array on each line", async ({ expect }) => {
    const output = join(folder, "q8.ndjson");
    const ended = await command("--query", "8", "--events", "1000", "--output", output);
    expect(ended).toMatchObject({ code: 0, out: "" });
    expect(readFileSync(output, "utf8").split("\n")[0]).toBe('[1436918400000,1000,"Peter Jones",29448]');
  });

  test("reads a file of events", async ({ expect }) => {
    const output = join(folder, "q5.ndjson");
    const ended = await command("--query=5", "--events=test/fixtures/nexmark-first-1000.ndjson", `--output=${output}`);
    expect(ended).toMatchObject({ code: 0, out: "" });
    expect(readFileSync(output, "utf8")).toBe(
      "[1436918395000,1436918405000,1000,460]\n[1436918400000,1436918410000,1000,920]\n[1436918405000,1436918415000,1000,460]\n",
    );
  });

  test.for([
    ["an unknown query", ["--query", "10", "--events", "10"], "OPTION_INVALID", "--query"],
    ["a query that is no number", ["--query", "five", "--events", "10"], "OPTION_INVALID", "--query"],
    ["no query", ["--events", "10"], "OPTION_MISSING", "--query"],
    ["no events", ["--query", "5"], "OPTION_MISSING", "--events"],
    [
      "a file that is not there",
      ["--query", "5", "--events", "no.ndjson"],
      "OPTIONS_INVALID",
      '"no.ndjson" is neither',
    ],
    ["a count that is no number", ["--query", "5", "--events", "10x"], "OPTIONS_INVALID", '"10x" is neither'],
    ["a count below 0", ["--query", "5", "--events=-1"], "OPTIONS_INVALID", "-1 is not a whole number"],
    ["a count that is not whole", ["--query", "5", "--events", "1.5"], "OPTIONS_INVALID", "1.5 is not a whole number"],
    [
      "a group that cannot be shuffled",
      ["--query", "5", "--events", "1", "--group-size", "953"],
      "OPTIONS_INVALID",
      "953",
    ],
    ["an unknown flag", ["--query", "5", "--events", "10", "--evnets", "1"], "OPTION_UNKNOWN", "--evnets"],
  ] as const)("%s: exit code 2, and what is wrong", async ([name, args, code, part], { expect }) => {
    const output = join(folder, `${name}.ndjson`);
    const ended = await command(...args, "--output", output);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(`[${code}]`);
    expect(ended.err).toContain(part);
    expect(existsSync(output)).toBe(false);
  });

  test("no output: exit code 2", async ({ expect }) => {
    const ended = await command("--query", "5", "--events", "10");
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain("[OPTION_MISSING]");
  });

  test("a line that is no event is named, exit code 1", async ({ expect }) => {
    const file = join(folder, "wrong.ndjson");
    writeFileSync(file, '{"type":"offer","dateTime":1}\n');
    const ended = await command("--query", "5", "--events", file, "--output", join(folder, "none.ndjson"));
    expect(ended).toMatchObject({ code: 1, out: "" });
    expect(ended.err).toContain("[NDJSON_INVALID]");
    expect(ended.err).toContain("one of person, auction, bid");
  });

  test("--help lists the options", async ({ expect }) => {
    const ended = await command("--help");
    expect(ended.code).toBe(0);
    for (const flag of ["--query <", "--events <text>", "--output <text>", "--group-size", "--out-of-orderness"]) {
      expect(ended.out).toContain(flag);
    }
  });
});
