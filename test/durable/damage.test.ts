/** Damaged folders: a job goes on from an older checkpoint that is good, or refuses; what it puts out is never wrong. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { isTidemarkError, run } from "tidemark";
import { afterAll, beforeAll, expect, test } from "vitest";
import { everyLane, everyLaneTruth } from "./every-lane.fixture.ts";
import { begun } from "./paced-numbers.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/checkpoints/format-3");
const SIZE = statSync(join(FOLDER, "checkpoints.db")).size;
const PAGE = 4096;
const SEED = 20_261_124;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-damage-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Damage =
  | { readonly kind: "bit"; readonly at: number; readonly bit: number }
  | { readonly kind: "zeroed page" | "swapped pages"; readonly at: number; readonly other: number }
  | { readonly kind: "cut tail"; readonly at: number };

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("bit" as const), at: fc.nat(SIZE - 1), bit: fc.nat(7) }),
  fc.record({
    kind: fc.constantFrom("zeroed page" as const, "swapped pages" as const),
    at: fc.nat(SIZE / PAGE - 1),
    other: fc.nat(SIZE / PAGE - 1),
  }),
  fc.record({ kind: fc.constant("cut tail" as const), at: fc.nat(SIZE - 1) }),
);

function inflict(path: string, damage: Damage): void {
  if (damage.kind === "cut tail") return truncateSync(path, damage.at);
  const bytes = readFileSync(path);
  if (damage.kind === "bit") bytes[damage.at] = (bytes[damage.at] as number) ^ (1 << damage.bit);
  else {
    const [from, to] = [damage.at * PAGE, damage.other * PAGE];
    const page = Buffer.from(bytes.subarray(from, from + PAGE));
    if (damage.kind === "zeroed page") bytes.fill(0, from, from + PAGE);
    else {
      bytes.copyWithin(from, to, to + PAGE);
      page.copy(bytes, to);
    }
  }
  writeFileSync(path, bytes);
}

/** @returns what it put out, or the code of the error with which it refused */
async function goOn(dir: string): Promise<readonly string[] | string> {
  const path = join(folder, "out.txt");
  const job = run(everyLane(begun(), path), {}, { checkpoint: { dir, everyMs: 1 }, onWarning: () => {} });
  try {
    await job.wait();
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error);
  }
  return readFileSync(path, "utf8").trimEnd().split("\n").toSorted();
}

test(`a flipped bit, a zeroed page, two that have changed places, a cut tail (seed ${SEED})`, async () => {
  const truth = everyLaneTruth();
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(damages, async (damage) => {
      const dir = join(folder, "state");
      rmSync(dir, { recursive: true, force: true });
      cpSync(FOLDER, dir, { recursive: true });
      inflict(join(dir, "checkpoints.db"), damage);
      const end = await goOn(dir);
      if (typeof end === "string") {
        refused++;
        expect(["CHECKPOINT_DAMAGED", "CHECKPOINT_FAILED"]).toContain(end);
      } else expect(end).toEqual(truth);
    }),
    { seed: SEED, numRuns: Number(process.env["TIDEMARK_DAMAGES"] ?? 60), endOnFailure: true },
  );
  expect(refused).toBeGreaterThan(0);
}, 600_000);
