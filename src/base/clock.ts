/**
 * Processing time as an argument: nobody but src/platform asks the machine for the time or sets its timers.
 *
 * C1 A callback of `schedule` runs when `now()` has reached its time, never before, and never inside `schedule` itself.
 * C2 A cancelled callback does not run; to cancel twice, or after it ran, does nothing.
 */
export interface Clock {
  /** Milliseconds since the epoch. Follows the machine's clock where it is the machine's, so it may be set back. */
  now(): number;
  /** Calls back at or after `atMs` (a time of `now()`), once. @returns takes the callback back */
  schedule(atMs: number, callback: () => void): () => void;
  /** Calls back soon, once pending input and output have had their turn. */
  immediate(callback: () => void): void;
}
