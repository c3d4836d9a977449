/** Collects what a pipeline puts out, with time, windows and pane. */
import type { Sink, SinkWriter } from "../fn/sink.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";

/** One element as it arrived, once for each of its windows. */
export interface Collected<T> {
  readonly value: T;
  readonly timestamp: Timestamp;
  readonly window: Window;
  readonly pane: Pane;
}

/**
 * A sink that adds every element to `into`, as it comes, once for each of its windows.
 * @param whenDone called when the input is over; what it throws fails the job
 *
 * @example
 * ```ts
 * const found: Collected<string>[] = [];
 * await runTest((p) => p.createTimestamped([at(1000, "a")]).write(collectSink("found", found)));
 * found.map(({ value, timestamp }) => [value, timestamp]); // -> [["a", 1000]]
 * ```
 */
export function collectSink<T>(name: string, into: Collected<T>[], whenDone?: () => void): Sink<T> {
  const writer: SinkWriter<T> = {
    write: (value, { timestamp, windows, pane }) => {
      for (const window of windows) into.push({ value, timestamp, window, pane });
    },
    seal: () => [],
    commit: async () => {},
    lastCommitted: async () => 0,
    finish: async () => whenDone?.(),
    close: () => {},
  };
  return { name, open: () => writer };
}
