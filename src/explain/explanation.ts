/**
 * Why something has not fired, as plain data: what it needs, and what holds that back, from the step to the owner of the hold.
 * Path: windowing and exec say what is needed, engine/explain.ts finds who holds it -> HERE -> words.ts.
 *
 * E1 Plain data: texts for people, times as numbers. It may be written down, or sent to another thread.
 * E2 To explain changes nothing: a job goes on as if nobody had asked.
 */
import type { Need } from "../model/need.ts";
import type { Timestamp } from "../model/time.ts";

/** A step whose watermark is held by what comes after it in the list. */
export interface HoldLink {
  readonly step: string;
  /** Whether it is what the step has taken in so far, or what it promises to those after it. */
  readonly side: "input" | "output";
  readonly watermark: Timestamp;
}

/** Of a source: how its splits and its policies stand. */
export interface SourceFacts {
  readonly step: string;
  /** As in `text(data/*.txt)`. */
  readonly source: string;
  readonly splits: number;
  /** How event times come about. */
  readonly timestamps: "event" | "processing" | "source";
  readonly idleAfter?: number;
  readonly whenAllIdle: "hold" | "followClock";
}

/** Who holds something back: the end of a chain. Durations and processing times in milliseconds. */
export type HoldCause =
  /** A split of a source: it has had nothing since `quietSince`, or has said nothing of event time. Numbered from 1. */
  | (SourceFacts & {
      readonly kind: "split";
      readonly split: number;
      readonly watermark: Timestamp;
      /** Whether it has given an element. */
      readonly given: boolean;
      /** The latest event time of an element; absent before the first, and where elements have none. */
      readonly latest?: Timestamp;
      readonly quietSince?: number;
      /** Whether neither the reader nor a timestamp policy gives the split a watermark. */
      readonly tellsNoTime: boolean;
    })
  /** All splits of a source are idle by its policy, which says that its time stands still then. */
  | (SourceFacts & { readonly kind: "allIdle"; readonly quietSince: number })
  /** A source that is being read: it goes on by itself. */
  | { readonly kind: "reading"; readonly step: string }
  /** A source that follows the clock: it goes on by itself. */
  | { readonly kind: "clock"; readonly step: string }
  /** A scripted source, with the events that it has left. */
  | { readonly kind: "script"; readonly step: string; readonly watermark: Timestamp; readonly eventsLeft: number }
  /** The sink of `step` takes no more, so that sources above it are not read. */
  | { readonly kind: "full"; readonly step: string; readonly since: number }
  /** A timer of the program holds the watermark. */
  | {
      readonly kind: "timer";
      readonly step: string;
      readonly window: string;
      readonly key: string;
      readonly timer: string;
      readonly tag: string;
      readonly domain: "event" | "processing";
      readonly at: number;
      readonly holdAt?: Timestamp;
    }
  /** State that is kept: elements that no pane has put out, or a window that its step still has to expire. */
  | {
      readonly kind: "state";
      readonly step: string;
      readonly window: string;
      readonly key?: string;
      readonly holdAt: Timestamp;
      /** When the window expires. */
      readonly until: Timestamp;
      readonly need?: Need;
    }
  /** An async call that has not settled. `since` is absent where it is queued behind others. */
  | {
      readonly kind: "call";
      readonly step: string;
      readonly element?: string;
      readonly key?: string;
      readonly window: string;
      readonly since?: number;
      readonly attempt: number;
      readonly retryAt?: number;
      readonly timeout?: number;
    }
  /** Elements of a session come less than its gap apart: it would have ended at `firstEnd`. */
  | { readonly kind: "session"; readonly step: string; readonly firstEnd: Timestamp; readonly watermark: Timestamp }
  /** `startBundle` or `finishBundle` of the step has not come back. */
  | { readonly kind: "bundle"; readonly step: string; readonly since: number }
  /** The trigger itself: the need says what is not met. */
  | { readonly kind: "trigger"; readonly step: string };

/** Something that a step has not put out, and why. */
export interface Waiting {
  readonly step: string;
  readonly what: "pane" | "timer" | "expiry" | "element" | "write" | "end";
  readonly window?: string;
  /** Shortened, as are all keys and elements. */
  readonly key?: string;
  readonly element?: string;
  /** Of a timer: its name. */
  readonly timer?: string;
  /** How many others of the step wait likewise. */
  readonly others: number;
  readonly need: Need;
  /** The step's own watermark. */
  readonly watermark: Timestamp;
  /** Whose watermarks stand between the step and the cause, the step's first. */
  readonly chain: readonly HoldLink[];
  readonly cause: HoldCause;
}

/** Why nothing more has fired. `describeExplanation` has it in words. */
export interface Explanation {
  /** Processing time of the question, in milliseconds. */
  readonly now: number;
  readonly waiting: readonly Waiting[];
  /** How many more wait that are not listed. */
  readonly more: number;
}

/** How long, in ms, something has to have waited, or has to wait still, before it counts as stuck. */
const PATIENCE_MS = 1000;

/** Whether nothing says that it will go on within a moment. */
export function isStuck({ cause, need }: Waiting, now: number): boolean {
  const long = (since: number | undefined): boolean => since !== undefined && now - since >= PATIENCE_MS;
  switch (cause.kind) {
    case "reading":
    case "clock":
      return false;
    case "split":
      return cause.tellsNoTime || long(cause.quietSince);
    case "script":
      return cause.eventsLeft === 0;
    case "call":
      return cause.since === undefined || long(cause.since);
    case "full":
    case "bundle":
      return long(cause.since);
    case "timer":
      return cause.domain === "event" || cause.at - now >= PATIENCE_MS;
    case "trigger":
      return need.kind !== "met" && (need.kind !== "clock" || need.due - now >= PATIENCE_MS);
    default:
      return true;
  }
}
