/**
 * A running stage as its host drives it: the whole surface between an engine and user code.
 *
 * B1 `open`, then bundles, then `close` once, also after a failure. A runner that failed is never used again.
 * B2 Calls come one at a time and never nest for one stage.
 * B3 Between `startBundle` and `finishBundle` come elements (by `entry`), `fireWindow`, `fireTimer`, `settle`.
 * B4 `pending` and `missingViews` may be asked between any two turns, and change nothing.
 */
import type { Epoch } from "../fn/sink.ts";
import type { CollectionId } from "../graph/graph.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { Emitter } from "./emitter.ts";
import type { Invocation } from "./host.ts";
import type { MissingView, PendingList, PendingQuery } from "./pending.ts";
import type { TimerEntry } from "./records.ts";

/** What a call gave: effects kept apart until `settle`. Opaque to the host. */
export interface CallEffects {
  readonly error?: unknown;
}

export interface StageRunner {
  open(): void | Promise<void>;
  startBundle(): void | Promise<void>;
  /** Where elements of the input collection enter. */
  entry(collection: CollectionId): Emitter;
  /** The watermark is after `at` for `window`. */
  fireWindow(window: Window, at: Timestamp): void;
  fireTimer(timer: TimerEntry): void;
  finishBundle(): void | Promise<void>;
  /** Starts a call. A promise where user code was async; it never rejects: failures are in the effects. */
  invoke(invocation: Invocation): CallEffects | Promise<CallEffects>;
  /** Applies the effects of a call that succeeded, or dead-letters one that was given up. */
  settle(invocation: Invocation, effects: CallEffects): void;
  /** What it keeps and has not put out; absent where the host itself keeps all. */
  pending?(query: PendingQuery): PendingList;
  /** The side inputs that elements of `window` wait for. */
  missingViews?(window: Window): readonly MissingView[];
  /** What it keeps beside its records, as plain data; asked between bundles. */
  save?(): unknown;
  /** Its records are those of a checkpoint, in which `save` gave this. */
  restored?(saved: unknown): void;
  /** Of a sink: see fn/sink K2 and K3. */
  seal?(epoch: Epoch): Uint8Array[];
  commit?(epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void>;
  lastCommitted?(): Promise<Epoch>;
  /** The input is over and everything has been handled: sinks hand on what they hold, and nothing is visible yet. */
  flush(): void | Promise<void>;
  /** All stages have flushed: sinks make their output visible. */
  complete(): void | Promise<void>;
  close(): void | Promise<void>;
}
