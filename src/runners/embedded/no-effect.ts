/** Whether a program can have no effect: all of its branches end in steps that only compute. */
import type { PipelineGraph, Step } from "../../graph/graph.ts";
import { makesCalls } from "../../optimize/stages.ts";

/**
 * A warning for a graph that puts nothing out, else `undefined`.
 *
 * Sinks are effects, and DoFns are the place for others; so are async, retried and timed functions, which talk to something. A
 * branch may end without any, as long as another one has one.
 */
export function noEffectWarning(graph: PipelineGraph): string | undefined {
  const last = graph.steps.filter((step) => isLast(graph, step));
  if (last.some(mayHaveEffects)) return undefined;
  const names = last.map(({ name }) => `"${name}"`).join(", ");
  return (
    `program "${graph.name}" puts nothing out: its branches end in ${names}, which only compute. ` +
    "Write what they give, as in .apply(text.write(path)); for other effects end in a parDo"
  );
}

function mayHaveEffects(step: Step): boolean {
  return step.spec.kind === "write" || step.spec.kind === "parDo" || makesCalls(step);
}

function isLast(graph: PipelineGraph, { outputs, spec }: Step): boolean {
  if (spec.kind === "view") {
    const { viewId } = spec;
    return !graph.steps.some(({ sideInputs }) => Object.values(sideInputs).includes(viewId));
  }
  const own = Object.values(outputs);
  return !graph.steps.some(({ inputs }) => inputs.some((input) => own.includes(input)));
}
