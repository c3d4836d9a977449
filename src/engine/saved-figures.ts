/** The figures of a job that a checkpoint keeps: counts go on where they were. */
import type { MetricValue } from "../fn/metrics.ts";
import type { StepId } from "../graph/graph.ts";
import type { ElementCounts } from "../host/element-counts.ts";
import type { DropReason } from "../host/host.ts";
import type { UserMetrics } from "../host/user-metrics.ts";
import type { GraphNames } from "./freezing.ts";
import type { Drops } from "./metrics.ts";

/** Whose counts they are. */
export interface Figures {
  readonly counts: ElementCounts;
  readonly drops: Drops;
  readonly user: UserMetrics;
}

/** As plain data, by names. */
export interface SavedFigures {
  readonly elements: readonly (readonly [collection: string, count: number])[];
  readonly dropped: readonly { readonly step: string; readonly reason: DropReason; readonly count: number }[];
  readonly user: readonly { readonly step: string; readonly name: string; readonly metric: MetricValue }[];
}

export function saveFigures({ counts, drops, user }: Figures, names: GraphNames): SavedFigures {
  return {
    elements: counts.all().map(([id, count]) => [names.collection(id), count]),
    dropped: drops.all().map(({ step, ...drop }) => ({ ...drop, step: names.step(step) })),
    user: user.values().map(({ step, ...metric }) => ({ ...metric, step: names.step(step) })),
  };
}

/** @param steps those of the program as it is now: what is saved of others is left out */
export function restoreFigures(
  saved: SavedFigures,
  { counts, drops, user }: Figures,
  steps: readonly StepId[],
  names: GraphNames,
): void {
  const byName = new Map(steps.map((id) => [names.step(id), id]));
  const collections = new Map(counts.all().map(([id]) => [names.collection(id), id]));
  for (const [name, count] of saved.elements) {
    const id = collections.get(name);
    if (id !== undefined) counts.of(id).elements += count;
  }
  for (const { step, reason, count } of saved.dropped) {
    const id = byName.get(step);
    if (id !== undefined) drops.add(id, reason, count);
  }
  for (const { step, ...metric } of saved.user) {
    const id = byName.get(step);
    if (id !== undefined) user.add({ step: id, ...metric }, step);
  }
}
