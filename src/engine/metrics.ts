/** The figures of an engine: each stage's, and what was dropped. */
import { isTidemarkError } from "../base/errors.ts";
import { encodeToBytes } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import type { StepId } from "../graph/graph.ts";
import type { DropReason } from "../host/host.ts";
import type { CollectionCount } from "../host/element-counts.ts";
import type { KeyedRecord, RecordStore } from "../host/records.ts";
import type { StepMetric } from "../host/user-metrics.ts";
import type { Timestamp } from "../model/time.ts";
import type { StageState } from "./stage-state.ts";

export interface StageMetrics {
  readonly stage: number;
  readonly name: string;
  readonly elementsIn: number;
  readonly bundles: number;
  readonly inputWatermark: Timestamp;
  readonly outputWatermark: Timestamp;
  readonly keys: number;
  readonly timers: number;
  readonly pending: number;
  /** Milliseconds at work, with that of stages that it called. */
  readonly busyMs: number;
  /** What its records keep, about. */
  readonly stateBytes: number;
  readonly full: boolean;
}

export interface EngineMetrics {
  readonly stages: readonly StageMetrics[];
  readonly dropped: readonly { readonly step: StepId; readonly reason: DropReason; readonly count: number }[];
  /** Of collections whose number does not follow from others'. */
  readonly elements: readonly CollectionCount[];
  /** What user code has counted. */
  readonly user: readonly StepMetric[];
}

export function stageMetrics(state: StageState): StageMetrics {
  const keys = state.store?.countKeys() ?? 0;
  return {
    stage: state.stage.id,
    name: state.stage.name,
    elementsIn: state.elementsIn,
    bundles: state.bundles,
    inputWatermark: state.inputWatermark,
    outputWatermark: state.outputWatermark,
    keys,
    busyMs: state.busyMs,
    stateBytes: state.store === undefined ? 0 : Math.round(keys * bytesOfOne(state.store)),
    timers: state.timers.size,
    pending: state.inbox.length + state.parkedCount + (state.calls?.size ?? 0),
    full: state.isBusy || state.keepsWaiting,
  };
}

/** How many records are looked at, of how many windows. */
const SAMPLED = 8;

/** What a record keeps in the mean, in bytes as `valueCoder` writes it, judged by a few; what cannot be written counts as nothing. */
function bytesOfOne(store: RecordStore<KeyedRecord>): number {
  let records = 0;
  let bytes = 0;
  for (const slot of Iterator.from(store.values()).take(SAMPLED)) {
    for (const record of slot.records.values().take(SAMPLED)) {
      records++;
      for (const [name, value] of Object.entries(record))
        if (!NOT_STATE.has(name) && value !== undefined) bytes += sizeOf(value);
    }
  }
  return records === 0 ? 0 : bytes / records;
}

/** What a record says beside its state. */
const NOT_STATE: ReadonlySet<string> = new Set(["mapKey", "window", "timers", "pane", "writtenAt"]);

function sizeOf(value: unknown): number {
  try {
    return encodeToBytes(valueCoder, value as never).length;
  } catch (error) {
    if (isTidemarkError(error)) return 0;
    throw error;
  }
}

/** Counts what steps drop. */
export class Drops {
  readonly #counts = new Map<StepId, Map<DropReason, number>>();

  add(step: StepId, reason: DropReason, count = 1): void {
    const reasons = this.#counts.get(step) ?? new Map<DropReason, number>();
    reasons.set(reason, (reasons.get(reason) ?? 0) + count);
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
