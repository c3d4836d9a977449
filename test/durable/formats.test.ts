/** Checkpoints of all formats that there have been are gone on from. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "tidemark";
import { afterEach, beforeEach, expect, test } from "vitest";
import { everyLane, everyLaneTruth } from "./every-lane.fixture.ts";
import { savepoint } from "./savepoint-command.ts";
import { begun } from "./paced-numbers.ts";

const FOLDERS = join(import.meta.dirname, "../fixtures/checkpoints");
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-formats-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each(readdirSync(FOLDERS))(
  "a folder of %s, from the middle of a program that keeps something of every kind",
  async (format) => {
    cpSync(join(FOLDERS, format), join(folder, "state"), { recursive: true });
    expect(await savepoint(["ls", join(folder, "state")])).toMatch(
      /savepoint \d+,[^]*Cells: 3 records[^]*Sliding: \d+ records[^]*Panes: 3 records[^]*Session: 3 records/,
    );
    const progress = begun();
    // Output is in the checkpoints too, not only the file that it goes to.
    const path = join(folder, "out.txt");
    await run(everyLane(progress, path), {}, { checkpoint: { dir: join(folder, "state"), everyMs: 1 } }).wait();
    expect(readFileSync(path, "utf8").trimEnd().split("\n").toSorted()).toEqual(everyLaneTruth());
  },
);
