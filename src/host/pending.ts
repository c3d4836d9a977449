/**
 * What a stage's runner keeps and has not put out, for explanations: asked seldom, answered as data, nothing changed.
 */
import type { ViewId } from "../graph/graph.ts";
import type { Need } from "../model/need.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { MapKey } from "./records.ts";

/** Which of it is asked for; what is absent does not matter. */
export interface PendingQuery {
  readonly windowId?: string | undefined;
  readonly mapKey?: MapKey | undefined;
}

/** One pane, timer or expiry that is to come. */
export interface Pending {
  readonly what: "pane" | "timer" | "expiry";
  readonly window: Window;
  readonly key: unknown;
  /** How many other keys of the window wait for the same. */
  readonly others: number;
  readonly need: Need;
  /** Of a timer of the program: its name. */
  readonly timer?: string;
  /** Of a merging window: when it would have ended with its first element alone. */
  readonly firstEnd?: Timestamp;
}

/** A view that an element waits for, and which of its windows. */
export interface MissingView {
  readonly view: ViewId;
  readonly window: Window;
}

/** The windows that end first, of those that wait, and how many more there are. */
export interface PendingList {
  readonly first: readonly Pending[];
  readonly more: number;
}

/** How many windows of a stage are answered. */
export const PENDING_MAX = 5;
