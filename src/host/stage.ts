/**
 * Stages: the pipeline cut into pieces that each have a watermark of their own. Plain data, made by `optimize`.
 *
 * Q1 A stage has at most one special step (source, keyed, with side inputs, calls, view, sink), and it comes first.
 * Q2 `stages[i].id === i`, in an order in which every stage comes after those whose outputs or views it uses.
 */
import type { CollectionId, StepId, ViewId } from "../graph/graph.ts";

/** How a keyed step files its elements. */
export type Lane = "window" | "slice" | "general" | "state";

export interface Stage {
  readonly id: number;
  /** The name of its first step. */
  readonly name: string;
  /** In an order in which every step comes after its inputs' producers. */
  readonly steps: readonly StepId[];
  readonly kind: "source" | "chain" | "keyed" | "calls" | "view" | "sink";
  readonly inputs: readonly CollectionId[];
  readonly outputs: readonly CollectionId[];
  readonly views: readonly ViewId[];
  /** What a source stage reads into. */
  readonly sourceOutput?: CollectionId;
  readonly lane?: Lane;
  /** Why the stage begins here, and why its lane is what it is: for `tidemark graph`. */
  readonly why: string;
}

/** How calls of a stage are made, for the host. */
export interface CallPolicy {
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly perKey: boolean;
  readonly attempts: number;
  backoff(attempt: number): number;
  readonly timeoutMs: number | undefined;
  readonly deadLetter: boolean;
}
