/** `tidemark graph`: the stages and steps that a program is run as. */
import { printMermaid, printText } from "../optimize/print.ts";
import { planStages } from "../optimize/stages.ts";
import { buildProgram } from "../program/build.ts";
import type { LoadedProgram } from "../program/load.ts";

/** A program's plan as text. @throws what building the program throws */
export async function graphCommand(
  { program }: LoadedProgram,
  rawOptions: Readonly<Record<string, unknown>>,
  format: "text" | "mermaid",
): Promise<string> {
  const { graph } = await buildProgram(program, rawOptions);
  const stages = planStages(graph);
  return format === "mermaid" ? printMermaid(graph, stages) : printText(graph, stages);
}
