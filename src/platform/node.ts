/** Node's own clock and timers: the only place, beside io, that looks at real time. */
import { performance } from "node:perf_hooks";

/** Processing time by the machine's clock. */
export interface NodeClock {
  now(): number;
  schedule(atMs: number, callback: () => void): () => void;
  immediate(callback: () => void): void;
  stopwatch(): number;
}

/** Node sets no timer further away than this. */
const TIMER_MOST_MS = 2 ** 31 - 1;

export function nodeClock(): NodeClock {
  return {
    now: () => Date.now(),
    stopwatch: () => performance.now(),
    immediate: (callback) => void setImmediate(callback),
    schedule: (atMs, callback) => {
      const timer = setTimeout(callback, Math.min(TIMER_MOST_MS, Math.max(0, atMs - Date.now())));
      return () => clearTimeout(timer);
    },
  };
}
