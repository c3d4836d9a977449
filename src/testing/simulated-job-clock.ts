/**
 * Processing time for tests: it stands still while anything can happen, and jumps to the next timer when nothing else can.
 * While an async call is under way that takes a quarter of a second without a result; then what is due, such as its time-out, is.
 */
import type { Clock } from "../base/clock.ts";

/** Turns of the event loop that promises of user code get before time jumps. */
const TURNS = 4;
/** Real time that an async call gets, for files and the like, before time jumps: to its time-out, where it has one. */
const PATIENCE_MS = 250;

/**
 * A clock that starts at `startAt` (milliseconds; default 0) and moves only by test streams and by jumping to due timers.
 *
 * @example
 * ```ts
 * const clock = simulatedJobClock(1000);
 * const clicks = testStream<string>().addElements(at(0, "a")).advanceProcessingTime(500).advanceWatermarkToInfinity();
 * await runTest((p) => p.apply(clicks), { clock });
 * clock.now(); // -> 1500
 * ```
 */
export function simulatedJobClock(startAt = 0): Clock {
  let now = startAt;
  return {
    now: () => now,
    immediate: (callback) => void setImmediate(callback),
    advanceBy: (ms) => {
      now += ms;
    },
    schedule: (atMs, callback, calling) => {
      let cancelled = false;
      const jump = (): void => {
        now = Math.max(now, atMs);
        callback();
      };
      if (calling === true) {
        const timer = setTimeout(jump, PATIENCE_MS);
        return () => clearTimeout(timer);
      }
      const wait = (turns: number): void => {
        if (cancelled) return;
        if (turns > 0) setImmediate(() => wait(turns - 1));
        else jump();
      };
      wait(TURNS);
      return () => {
        cancelled = true;
      };
    },
  };
}
