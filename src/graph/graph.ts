/**
 * The pipeline as frozen plain data: steps and collections by id, in the shape of Beam's Runner API.
 * User functions hang in the specs; everything else could be written down.
 *
 * G1 Ids are positions: `steps[i].id === i`, and so for collections and views; a step's inputs and side inputs were produced by
 *    earlier steps.
 * G2 Names are unique path names, as in `Trending/Tags`.
 * G3 Collections and steps agree on who produces what, and every step has the inputs and outputs that its kind asks for.
 * G4 A view node and its step agree; the step's only input gives the view its windowing.
 * Whoever reads a graph may rely on them: validate.ts has checked each.
 */
import type { Coder } from "../coders/coder.ts";
import type { CallOptions } from "../fn/call-options.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { Sink } from "../fn/sink.ts";
import type { Source, TimestampPolicy } from "../fn/source.ts";
import type { ViewKind } from "../fn/view.ts";
import type { Timestamp } from "../model/time.ts";
import type { WindowingStrategy } from "../model/windowing.ts";

export type StepId = number;
export type CollectionId = number;
export type ViewId = number;

/** A function as `map`, `flatMap` and `filter` take it. */
export type ElementFn = (element: never, context: never) => unknown;

/** One event of a scripted source. */
export type TestStreamEvent =
  | {
      readonly kind: "elements";
      readonly elements: readonly { readonly value: unknown; readonly timestamp: Timestamp }[];
    }
  | { readonly kind: "watermark"; readonly to: Timestamp }
  | { readonly kind: "processingTime"; readonly advanceBy: number };

/**
 * `precombine`: values to accumulators, bundle by bundle. `merge`: grouped accumulators to one. `extract`: accumulators to
 * results. `grouped`: grouped values to results, where combining ahead would be seen.
 */
export type CombinePart = "precombine" | "merge" | "extract" | "grouped";

export type StepSpec =
  | { readonly kind: "impulse" }
  | { readonly kind: "read"; readonly source: Source<unknown>; readonly timestamps: TimestampPolicy<unknown> }
  | { readonly kind: "testStream"; readonly events: readonly TestStreamEvent[] }
  | { readonly kind: "map" | "flatMap" | "filter"; readonly fn: ElementFn; readonly call: CallOptions }
  | {
      readonly kind: "parDo";
      readonly doFn: DoFn<unknown, unknown>;
      readonly call: CallOptions;
      readonly keyCoder?: Coder<unknown>;
    }
  | { readonly kind: "partition"; readonly parts: number; readonly fn: (element: unknown, parts: number) => number }
  | { readonly kind: "timestamps"; readonly fn: (element: unknown) => Timestamp; readonly allowedTimestampSkew: number }
  | {
      readonly kind: "windowInto";
      /** Whether elements stay in the windows they are in, and only the rest of the windowing changes. */
      readonly keepsWindows: boolean;
    }
  | { readonly kind: "groupByKey"; readonly keyCoder?: Coder<unknown> }
  | {
      readonly kind: "combinePerKey";
      readonly combineFn: CombineFn<unknown, unknown, unknown>;
      readonly name: string;
      readonly keyCoder?: Coder<unknown>;
    }
  /** A part of a combine that another runner's grouping stands in the middle of: made by `optimize`, never by a program. */
  | {
      readonly kind: "combinePart";
      readonly part: CombinePart;
      readonly combineFn: CombineFn<unknown, unknown, unknown>;
      readonly keyCoder?: Coder<unknown>;
    }
  | { readonly kind: "flatten" }
  | { readonly kind: "reshuffle" }
  | {
      readonly kind: "view";
      readonly view: ViewKind;
      readonly viewId: ViewId;
      readonly defaultValue?: { readonly value: unknown };
    }
  | { readonly kind: "write"; readonly sink: Sink<unknown> };

/** One step. */
export interface Step {
  readonly id: StepId;
  readonly name: string;
  readonly spec: StepSpec;
  readonly inputs: readonly CollectionId[];
  /** By tag: `main`, the user's own, and `late`, `deadLetter` where they are asked for. */
  readonly outputs: Readonly<Record<string, CollectionId>>;
  /** By the name under which the step's function sees them. */
  readonly sideInputs: Readonly<Record<string, ViewId>>;
  /** Where in the user's own code the step was applied: `file:line:column`. */
  readonly at: string | undefined;
}

/** One collection. */
export interface Collection {
  readonly id: CollectionId;
  readonly producer: StepId;
  readonly tag: string;
  readonly windowing: WindowingStrategy;
  readonly bounded: boolean;
  readonly coder: Coder<unknown> | undefined;
}

/** A side input: which step makes it. */
export interface ViewNode {
  readonly id: ViewId;
  readonly step: StepId;
  readonly kind: ViewKind;
  readonly windowing: WindowingStrategy;
}

export interface PipelineGraph {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly collections: readonly Collection[];
  readonly views: readonly ViewNode[];
  /** What steps and composites of earlier versions of the program are called now. */
  readonly transformNameMapping: Readonly<Record<string, string>>;
}
