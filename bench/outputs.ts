/** What comparisons need of outputs and measurements. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}

/** The lines that a program has put into its output folder, in an order that does not depend on how it ran. */
export function sortedLines(folder: string): string {
  return readFileSync(join(folder, "part-0"), "latin1").split("\n").toSorted().join("\n");
}
