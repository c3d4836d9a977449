/**
 * What runner and worker say to each other, in the shapes of Beam's Fn API: only the wire differs. Everything is plain data
 * and bytes.
 *
 * W1 Elements, keys, state, windows and timers cross as bytes alone: the runner decodes no value of the program.
 * W2 State is asked for on a channel of its own, so that an answer can be waited for while user code runs.
 * W3 Writes of a bundle are acknowledged before the bundle is.
 */
import type { MessagePort } from "node:worker_threads";
import type { ErrorCode } from "../base/error-codes.ts";
import { type ErrorContext, type ErrorDomain, TidemarkError } from "../base/errors.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { CollectionId, StepId, ViewId } from "../graph/graph.ts";
import type { CollectionCount } from "../host/element-counts.ts";
import type { StepMetric } from "../host/user-metrics.ts";
import type { DropReason } from "../host/host.ts";
import type { ProgramHashes } from "../program/hashes.ts";

/** Elements of one collection, one after the other, as windowed values. */
export interface Elements {
  readonly collection: CollectionId;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Timers of one family, one after the other, as Beam's timer coder writes them. */
export interface Timers {
  readonly family: string;
  readonly domain: TimeDomain;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** The family of the timers that the runner fires when a key's window expires. */
export const WINDOW_EXPIRY = " window expiry";

/** `beam:runner:…` instructions to the worker. */
export type Instruction =
  | { readonly kind: "setUp"; readonly stage: number }
  | {
      readonly kind: "processBundle";
      readonly stage: number;
      readonly elements: readonly Elements[];
      readonly timers: readonly Timers[];
      readonly inputWatermark: number;
      readonly outputWatermark: number;
      /** Processing time. */
      readonly now: number;
      /** Names the contents of side inputs: what was read under the same token may be read again without asking. */
      readonly sideInputToken: number;
    }
  | { readonly kind: "finalizeBundle"; readonly bundle: number }
  | { readonly kind: "flush"; readonly stage: number }
  | { readonly kind: "complete"; readonly stage: number }
  | { readonly kind: "tearDown"; readonly stage: number; readonly failed: boolean };

export interface InstructionRequest {
  readonly id: number;
  readonly instruction: Instruction;
}

/** What a bundle gave. */
export interface BundleResult {
  readonly elements: readonly Elements[];
  readonly timers: readonly Timers[];
  /** How many elements were processed: fewer than were given where the bundle was split. */
  readonly processed: number;
  readonly dropped: readonly { readonly step: StepId; readonly reason: DropReason }[];
  readonly requiresFinalization: boolean;
  /** What user code has counted in the bundle. */
  readonly metrics: readonly StepMetric[];
  /** How many elements its collections had. */
  readonly counts: readonly CollectionCount[];
}

export interface InstructionResponse {
  readonly id: number;
  readonly error?: WireError;
  readonly bundle?: BundleResult;
}

/** Which state a request is about. */
export type StateKey =
  | {
      readonly kind: "bagUserState";
      readonly stage: number;
      readonly userState: string;
      readonly window: Uint8Array;
      readonly key: Uint8Array;
    }
  | { readonly kind: "iterableSideInput"; readonly stage: number; readonly view: ViewId; readonly window: Uint8Array };

export type StateOperation =
  { readonly kind: "get" | "clear" } | { readonly kind: "append"; readonly bytes: Uint8Array };

/** Requests of one message are handled in order. */
export interface StateRequest {
  readonly id: number;
  readonly requests: readonly { readonly key: StateKey; readonly operation: StateOperation }[];
}

export interface StateResponse {
  readonly id: number;
  /** One for each request; empty for what is not there, and for writes. */
  readonly values: readonly Uint8Array[];
}

/** What a worker is started with. */
export interface WorkerStart {
  /** Where the program's module lies. */
  readonly path: string;
  readonly rawOptions: unknown;
  /** Of the program as it was submitted. */
  readonly submitted: ProgramHashes;
  readonly strict: boolean;
  /** How many keys of a bundle have their state fetched before it begins. */
  readonly prefetchKeys: number;
  /** Counts answers on the state channel. */
  readonly stateSignal: SharedArrayBuffer;
  readonly progress: SharedArrayBuffer;
  readonly controlPort: MessagePort;
  readonly statePort: MessagePort;
}

/** An error as plain data. */
export interface WireError {
  readonly code: ErrorCode;
  readonly what: string;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  readonly domain: ErrorDomain;
  readonly context: ErrorContext;
  readonly stack: string | undefined;
}

export function toWire(error: unknown): WireError {
  const coded =
    error instanceof TidemarkError
      ? error
      : new TidemarkError("WORKER_FAILED", {
          what: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
          domain: "external",
        });
  const { code, what, why, fix, domain, context } = coded;
  return { code, what, why, fix, domain, context, stack: error instanceof Error ? error.stack : undefined };
}

export function fromWire({ code, what, why, fix, domain, context, stack }: WireError): TidemarkError {
  const error = new TidemarkError(code, { what, ...(why && { why }), ...(fix && { fix }), domain, ...context });
  if (stack !== undefined) error.stack = stack;
  return error;
}
