/** One simulated run of a program, and whether it has put out what it must. */
import { simulate, type Simulation, type SimulatedFaults } from "tidemark/testing";
import { PROGRAMS, type SimulatedProgram } from "./programs.ts";

/** @throws where output is missing, or twice, with the program, the seed and the end of the trace */
export async function play(name: string, seed: number, faults?: SimulatedFaults): Promise<Simulation> {
  const { program, truth } = PROGRAMS[name] as SimulatedProgram;
  const simulation = await simulate(program, { seed, ...(faults && { faults }) });
  const lines = simulation.written("Out").map(String).toSorted();
  const expected = truth.toSorted();
  if (lines.join("\n") === expected.join("\n")) return simulation;
  const missing = expected.filter((line) => !lines.includes(line));
  const more = lines.filter((line, i) => !expected.includes(line) || lines.indexOf(line) !== i);
  throw new Error(
    `${name}, seed ${seed}: missing ${JSON.stringify(missing)}, too many ${JSON.stringify(more)}\n${simulation.trace.slice(-40).join("\n")}`,
  );
}
