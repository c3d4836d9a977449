/** Simulated jobs: a short version of `npm run simulate`, and what a simulation is. */
import { isTidemarkError, pipeline, type Program } from "tidemark";
import { collectSink, simulate } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { play } from "./play.ts";
import { PROGRAMS } from "./programs.ts";

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
const names = Object.keys(PROGRAMS);

describe("whatever crashes, stalls and fails, each element is put out once", () => {
  test.each(names)("%s", async (name) => {
    const simulations = [];
    for (const seed of SEEDS) simulations.push(await play(name, seed, { crash: 0.03, commitFailure: 0.2 }));
    // Each kind of fault has been met.
    const all = simulations.flatMap(({ trace }) => trace).join("\n");
    expect(simulations.reduce((sum, { crashes }) => sum + crashes, 0)).toBeGreaterThan(SEEDS.length);
    for (const what of ["crash", "before it was done", "when it was done", "is on the disk, as checkpoint", "as final"])
      expect(all).toContain(what);
  });
});

test.each(names)("one seed, one run: the trace is the same to the byte (%s)", async (name) => {
  const traces = [await play(name, 7), await play(name, 7)].map(({ trace }) => trace.join("\n"));
  expect(traces[0]).toBe(traces[1]);
  const others = [(await play(name, 8)).trace, (await play(name, 9)).trace];
  for (const other of others) expect(other.join("\n")).not.toBe(traces[0]);
});

test("without faults nothing crashes", async () => {
  const { crashes, trace } = await play("windows", 3, { crash: 0, stall: 0, commitFailure: 0 });
  expect(crashes).toBe(0);
  expect(trace.join()).not.toContain("failed");
});

describe("refused, with what to do", () => {
  const writing = (build: (n: number) => unknown): Program =>
    pipeline({
      name: "writing",
      build: (p) => p.create([1]).map("Step", build).write("Out", collectSink("out", [])),
    }) as Program;

  test("SIMULATION_STUCK says what waits", async () => {
    const hanging = pipeline({
      name: "hanging",
      build: (p) =>
        p
          .create([1])
          .map("Step", async () => new Promise<number>(() => {}))
          .write("Out", collectSink("out", [])),
    }) as Program;
    const error: unknown = await simulate(hanging, { seed: 1 }).catch((reason: unknown) => reason);
    if (!isTidemarkError(error, "SIMULATION_STUCK")) throw error;
    expect(error.context.waiting).toContain("Step");
  });

  test("STEP_UNKNOWN for what does not write, OPTION_UNKNOWN for a fault that there is not", async () => {
    const { written } = await simulate(writing(Number), { seed: 1 });
    expect(written("Out")).toEqual([1]);
    expect(() => written("Outt")).toThrow(/STEP_UNKNOWN.*no step "Outt" writes[^]*did you mean "Out"/);
    await expect(simulate(writing(Number), { seed: 1, faults: { crashs: 1 } as never })).rejects.toThrow(
      /OPTION_UNKNOWN/,
    );
  });

  test("a failure of the program is the simulation's", async () => {
    const failing = writing(() => {
      throw new Error("no");
    });
    await expect(simulate(failing, { seed: 1 })).rejects.toThrow(/STEP_FAILED/);
  });
});
