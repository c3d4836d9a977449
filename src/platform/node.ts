/**
 * The machine's clock, as jobs are given it. Beside it only the folders of the block `clock` in ARCHITECTURE.md set timers.
 *
 * P1 A timer never runs before its time, however Node rounds.
 * P2 A timer runs at most a minute late when the machine slept or its clock was set.
 * P3 A timer that is watched for does not keep the process alive; one that is scheduled does.
 */
import type { Clock } from "../base/clock.ts";

/** Node counts a delay by a clock that stands still while the machine sleeps, so long waits are looked at again now and then. */
const LONGEST_WAIT_MS = 60_000;

/** The machine's clock. */
export function nodeClock(): Clock {
  return {
    now: Date.now,
    stopwatch: () => performance.now(),
    schedule: (atMs, callback) => schedule(atMs, callback, true),
    scheduleIn: (ms, callback) => {
      const handle = setTimeout(callback, ms);
      return () => clearTimeout(handle);
    },
    watch: (atMs, callback) => schedule(atMs, callback, false),
    immediate: (callback) => void setImmediate(callback),
  };
}

function schedule(atMs: number, callback: () => void, keepsAlive: boolean): () => void {
  let handle: NodeJS.Timeout;
  const wait = (): void => {
    const left = Math.min(Math.max(0, Math.ceil(atMs - Date.now())), LONGEST_WAIT_MS);
    handle = setTimeout(() => {
      // Node may call a little early: its delays are whole milliseconds of another clock.
      if (Date.now() < atMs) wait();
      else callback();
    }, left);
    if (!keepsAlive) handle.unref();
  };
  wait();
  return () => clearTimeout(handle);
}
