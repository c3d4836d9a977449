/** How long a side input is kept. */
import type { PipelineGraph, ViewId, ViewNode } from "./graph.ts";

/**
 * How many ms after its last instant a window of the view is still asked for: as long as its own windowing allows for lateness,
 * or that of a step that looks into it; longer by what its window function looks back.
 */
export function viewRetention(graph: PipelineGraph, view: ViewId): number {
  const { windowing } = graph.views[view] as ViewNode;
  const users = graph.steps.filter(({ sideInputs }) => Object.values(sideInputs).includes(view));
  const allowed = users.map(({ inputs }) => graph.collections[inputs[0] as number]?.windowing.allowedLateness ?? 0);
  return Math.max(windowing.allowedLateness, ...allowed) + (windowing.windowFn.maximumLookback ?? 0);
}
