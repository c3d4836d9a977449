/** Steps by the names that people give. */
import { TidemarkError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { PipelineGraph, StepId } from "../../graph/graph.ts";

/**
 * The steps of that path name, or of that composite.
 * @throws STEP_UNKNOWN where there is none
 */
export function stepIdsOf(graph: PipelineGraph, name: string): readonly StepId[] {
  const ids = graph.steps.filter((step) => step.name === name || step.name.startsWith(`${name}/`)).map(({ id }) => id);
  if (ids.length > 0) return ids;
  const names = graph.steps.map((step) => step.name);
  const composites = names.flatMap((path) => path.split("/").map((_, i, parts) => parts.slice(0, i).join("/")));
  const meant = nearest(name, [...names, ...composites]);
  throw new TidemarkError("STEP_UNKNOWN", {
    what: `job "${graph.name}" has no step "${name}"`,
    fix:
      meant === undefined ? `its steps are ${names.map((one) => `"${one}"`).join(", ")}` : `did you mean "${meant}"?`,
  });
}
