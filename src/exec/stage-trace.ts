/**
 * Traced steps of a stage: what goes in and out of them is told as it happens. Put around emitters when the stage is built, so
 * that a stage without traced steps pays nothing.
 *
 * T1 Where a key is traced, only what has it is told: pairs by their key, other elements by themselves.
 */
import { preview } from "../base/preview.ts";
import type { TracedElement, TraceEvent } from "../explain/trace.ts";
import type { Step, StepId } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { StageHost } from "../host/host.ts";
import type { Pending, PendingList, PendingQuery } from "../host/pending.ts";
import type { MapKey, TimerEntry } from "../host/records.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import { formatWindow, type Window } from "../model/window.ts";

/** Which steps are traced, and who is told. */
export interface Trace {
  readonly steps: ReadonlySet<StepId>;
  /** The text of a key: a string itself, or the preview of another. Absent: all. */
  readonly key?: string | undefined;
  readonly tell: (event: TraceEvent) => void;
}

type Told = TraceEvent extends infer E ? (E extends TraceEvent ? Omit<E, "step" | "now" | "watermark"> : never) : never;

/** One traced step. */
export class StepTrace {
  readonly #step: Step;
  readonly #trace: Trace;
  readonly #host: StageHost;
  /** Whether what is at work in the step is told of: an element, a timer, a call that settles. */
  #following = false;
  /** Keys and windows that elements came for in this bundle. */
  readonly #touched = new Map<string, PendingQuery>();

  constructor(step: Step, trace: Trace, host: StageHost) {
    this.#step = step;
    this.#trace = trace;
    this.#host = host;
  }

  /** Around the step itself. @param toMapKey of a step that keeps something for each key */
  around(inner: Emitter, toMapKey: ((key: unknown) => MapKey) | undefined): Emitter {
    return {
      emit: (value, timestamp, windows, pane) => {
        this.#following = this.#wants(value);
        if (this.#following) {
          this.#tell({ kind: "in", ...tracedElement(value, timestamp, windows, pane) });
          if (toMapKey !== undefined && Array.isArray(value)) this.#touch(toMapKey(value[0]), windows);
        }
        inner.emit(value, timestamp, windows, pane);
        this.#following = false;
      },
    };
  }

  /** Around an output of the step. */
  outlet(output: string, inner: Emitter): Emitter {
    return {
      emit: (value, timestamp, windows, pane) => {
        if (this.#following || this.#wants(value))
          this.#tell({ kind: "out", output, ...tracedElement(value, timestamp, windows, pane) });
        inner.emit(value, timestamp, windows, pane);
      },
    };
  }

  dropped(reason: string): void {
    if (this.#following) this.#tell({ kind: "dropped", reason });
  }

  /** The end of a bundle: what the panes of its elements wait for. */
  bundleFinished(pending: (query: PendingQuery) => PendingList): void {
    for (const query of this.#touched.values()) for (const one of pending(query).first) this.#waits(one);
    this.#touched.clear();
  }

  #waits({ what, window, key, need }: Pending): void {
    if (what === "pane") this.#tell({ kind: "waits", window: formatWindow(window), key: preview(key), need });
  }

  windowDue(window: Window, at: Timestamp): void {
    this.#tell({ kind: "due", window: formatWindow(window), at });
  }

  /** Comes before what the timer does, and `rest` after it. */
  timerDue({ owner, family, tag, at }: TimerEntry): void {
    this.#following = family in timersOf(this.#step) && this.#isKey(owner.key);
    const timer = tag === "" ? family : `${family}:${tag}`;
    if (this.#following)
      this.#tell({ kind: "due", window: formatWindow(owner.window), at, key: preview(owner.key), timer });
  }

  /** Comes before a call's effects, and `rest` after them. @param value its element, or the key of its timer */
  settling(value: unknown): void {
    this.#following = this.#wants(value);
  }

  rest(): void {
    this.#following = false;
  }

  #touch(mapKey: MapKey, windows: readonly Window[]): void {
    for (const { id } of windows) this.#touched.set(`${typeof mapKey} ${mapKey} ${id}`, { mapKey, windowId: id });
  }

  #wants(value: unknown): boolean {
    return this.#isKey(value) || (Array.isArray(value) && this.#isKey(value[0]));
  }

  #isKey(key: unknown): boolean {
    const { key: wanted } = this.#trace;
    return wanted === undefined || (typeof key === "string" ? key : preview(key)) === wanted;
  }

  #tell(told: Told): void {
    const { name } = this.#step;
    this.#trace.tell({ step: name, now: this.#host.now(), watermark: this.#host.inputWatermark(), ...told });
  }
}

function timersOf({ spec }: Step): object {
  return spec.kind === "parDo" ? (spec.doFn.timers ?? {}) : {};
}

function tracedElement(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): TracedElement {
  const { timing, index, isLast } = pane;
  const of = { element: preview(value), timestamp, windows: windows.map(formatWindow) };
  return timing === "UNKNOWN" ? of : { ...of, pane: { timing, index, isLast } };
}
