/**
 * Processing time as an argument: the engine and what it runs ask the clock that their job was given, never the machine.
 *
 * C1 A callback of `schedule` runs when `now()` has reached its time, never before, and never inside `schedule` itself.
 * C2 A cancelled callback does not run; to cancel twice, or after it ran, does nothing.
 */

/** The clock of a job: what it shows, and ways to be called later. */
export interface Clock {
  /** Milliseconds since the epoch. Follows the machine's clock where it is the machine's, so it may be set back. */
  now(): number;
  /**
   * Calls back at or after `atMs` (a time of `now()`), once.
   * @param calling whether async calls are under way, for which a simulated clock waits before it jumps
   * @returns takes the callback back
   */
  schedule(atMs: number, callback: () => void, calling?: boolean): () => void;
  /** Calls back after so long, once, however the clock is set meanwhile; where absent, it is never set. @returns takes it back */
  scheduleIn?(ms: number, callback: () => void): () => void;
  /**
   * As `schedule`, for what only looks on: it keeps no process alive, and a clock that jumps does not jump to it. Where absent,
   * a source that has gone quiet is not warned about.
   */
  watch?(atMs: number, callback: () => void): () => void;
  /** Calls back soon, once pending input and output have had their turn. */
  immediate(callback: () => void): void;
  /** Milliseconds, never set back, for durations only; absent where bundles must not depend on real time. */
  stopwatch?(): number;
  /** For simulated clocks: moves time on. */
  advanceBy?(ms: number): void;
}
