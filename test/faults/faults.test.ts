/** A short version of `npm run faults`, and that it finds what is broken on purpose. */
import { describe, expect, test } from "vitest";
import { KILLS } from "./moments.ts";
import { playRound } from "./round.ts";

const ROUNDS = 20;

describe("killed with SIGKILL at any moment and started again, a job loses nothing and does nothing twice", () => {
  for (let seed = 1; seed <= ROUNDS; seed++)
    test(`round ${seed}`, async () => {
      const { kills } = await playRound(seed);
      expect(kills.length).toBeGreaterThanOrEqual(KILLS);
      expect(kills).toContain("in a commit");
    }, 60_000);
});

describe("broken on purpose, it does not get through that", () => {
  for (const broken of ["early", "unsealed"] as const)
    test(`broken: ${broken}`, async () => {
      const play = async (): Promise<string> => {
        for (let seed = 1; seed <= ROUNDS; seed++) await playRound(seed, broken);
        return "got through";
      };
      await expect(play()).rejects.toThrow(/round \d+ \(/);
    }, 600_000);
});
