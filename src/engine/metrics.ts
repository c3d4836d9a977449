/** The figures of an engine: each stage's, and what was dropped. */
import type { StepId } from "../graph/graph.ts";
import type { DropReason } from "../host/host.ts";
import type { StepMetric } from "../host/user-metrics.ts";
import type { Timestamp } from "../model/time.ts";
import type { StageState } from "./stage-state.ts";

export interface StageMetrics {
  readonly stage: number;
  readonly name: string;
  readonly elementsIn: number;
  readonly elementsOut: number;
  readonly bundles: number;
  readonly inputWatermark: Timestamp;
  readonly outputWatermark: Timestamp;
  readonly keys: number;
  readonly timers: number;
  readonly pending: number;
  readonly full: boolean;
}

export interface EngineMetrics {
  readonly stages: readonly StageMetrics[];
  readonly dropped: readonly { readonly step: StepId; readonly reason: DropReason; readonly count: number }[];
  /** What user code has counted. */
  readonly user: readonly StepMetric[];
}

export function stageMetrics(state: StageState): StageMetrics {
  return {
    stage: state.stage.id,
    name: state.stage.name,
    elementsIn: state.elementsIn,
    elementsOut: state.elementsOut,
    bundles: state.bundles,
    inputWatermark: state.inputWatermark,
    outputWatermark: state.outputWatermark,
    keys: state.store?.countKeys() ?? 0,
    timers: state.timers.size,
    pending: state.inbox.length + state.parkedCount + (state.calls?.size ?? 0),
    full: state.isBusy || state.keepsWaiting,
  };
}

/** Counts what steps drop. */
export class Drops {
  readonly #counts = new Map<StepId, Map<DropReason, number>>();

  add(step: StepId, reason: DropReason): void {
    const reasons = this.#counts.get(step) ?? new Map<DropReason, number>();
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    this.#counts.set(step, reasons);
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#counts.size > 0;
  }

  all(): EngineMetrics["dropped"] {
    return [...this.#counts].flatMap(([step, reasons]) =>
      [...reasons].map(([reason, count]) => ({ step, reason, count })),
    );
  }
}
