/** How user code is called: retries, time-outs, concurrency and order of async calls. */

/** Waits between attempts, in milliseconds: the wait before attempt 2, 3 …; the last one repeats. */
export type Backoff = (attempt: number) => number;

/** When a failed call is made again. */
export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  /** Default: 100 ms, doubling, at most 10 s. */
  readonly backoff?: Backoff | number;
}

/** Options of `map`, `flatMap`, `filter` and `parDo`. */
export interface CallOptions {
  /** Say `true` for a function that returns a promise without being an `async function`. */
  readonly async?: boolean;
  /** Default: one attempt. */
  readonly retry?: RetryOptions;
  /** Milliseconds after which an async call counts as failed. Default: none. */
  readonly timeout?: number;
  /** Async calls in flight at once. Default 16; 1 where `ordered` has nothing to overtake. */
  readonly concurrency?: number;
  /** Outputs in the order of inputs. Default false. A keyed step with state keeps the order of each key in any case. */
  readonly ordered?: boolean;
}

/**
 * Waits `first` ms before the second attempt, then twice as long each time, never over `most` ms.
 *
 * @example
 * ```ts
 * const backoff = exponentialBackoff(100, 1000);
 * [2, 3, 4, 5, 6].map(backoff); // -> [100, 200, 400, 800, 1000]
 * ```
 */
export function exponentialBackoff(first = 100, most = 10_000): Backoff {
  return (attempt) => Math.min(most, first * 2 ** Math.max(0, attempt - 2));
}
