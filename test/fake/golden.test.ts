/** The golden scenarios: the same panes on the fake runner as on the embedded engine. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { GoldenPane } from "../model/scenario.ts";

const ROOT = join(import.meta.dirname, "../..");

async function panesOn(host: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const script = ["--conditions=tidemark-source", join(ROOT, "scripts/conformance.ts")];
  const args = [...script, join(ROOT, "test/fixtures/golden-panes.json"), "--host", host];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
  const answers = JSON.parse(stdout) as Readonly<Record<string, { panes?: readonly GoldenPane[]; error?: string }>>;
  return Object.fromEntries(
    Object.entries(answers).map(([name, { panes, error }]) => [
      name,
      panes?.map((pane) => JSON.stringify(pane)).sort() ?? [String(error)],
    ]),
  );
}

test("golden scenarios give the same panes on the fake runner", async () => {
  const [fake, embedded] = [await panesOn("fake"), await panesOn("embedded")];
  expect(Object.keys(fake).length).toBeGreaterThan(10);
  expect(fake).toEqual(embedded);
}, 120_000);
