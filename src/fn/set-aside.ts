/** What steps set aside in place of losing it: elements that failed, and elements that came too late. */
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";

/** An element that a step gave up on. */
export interface DeadLetter<T> {
  readonly element: T;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string; readonly stack?: string };
  readonly step: string;
  /** Calls that were made, the first included. */
  readonly attempts: number;
}

/** An element that came after its window had expired or closed. */
export interface Late<T> {
  readonly element: T;
  readonly timestamp: Timestamp;
  readonly window: Window;
  /** The watermark that it came behind. */
  readonly watermark: Timestamp;
  /** Milliseconds by which the element's window was over, allowed lateness included. */
  readonly lateBy: number;
  /** `expired`: the window's time is over; `closed`: its trigger had finished. */
  readonly reason: "expired" | "closed";
}
