/**
 * The sum of a queue of accumulators that grows at one end and shrinks at the other: two stacks. Cost: about three merges
 * for each accumulator that goes through, however long the queue is.
 *
 * T1 `front` holds, for each old accumulator, the sum of it and all younger ones up to the turning point, the oldest on top;
 *    `back` the accumulators after that, oldest first, and `backSum` their sum.
 * T2 No accumulator that was put in is changed, and what `sum` gives is not changed later.
 */
import type { AnyCombine } from "../fn/combine-fn.ts";
import type { Timestamp } from "../model/time.ts";
import { merge } from "./grouping.ts";

/** One key's queue. `undefined` stands for no accumulator. */
export interface TwoStacks {
  readonly key: unknown;
  /** Until when each one counts: the last instant of the newest window that it is in. */
  readonly frontUntil: Timestamp[];
  readonly front: unknown[];
  readonly backUntil: Timestamp[];
  readonly back: unknown[];
  backSum: unknown;
  /** Whether something in it has changed since, so that it has to be built anew. */
  stale: boolean;
}

export function twoStacks(key: unknown): TwoStacks {
  return { key, frontUntil: [], front: [], backUntil: [], back: [], backSum: undefined, stale: false };
}

/** Adds the youngest. */
export function push(
  queue: TwoStacks,
  until: Timestamp,
  accumulator: unknown,
  combine: AnyCombine,
  step: string,
): void {
  queue.backUntil.push(until);
  queue.back.push(accumulator);
  queue.backSum =
    queue.backSum === undefined
      ? unshared(accumulator, combine, step)
      : mergeInto(queue.backSum, accumulator, combine, step);
}

/** Takes out what does not count at `max` any more. @returns whether anything is left */
export function expire(queue: TwoStacks, max: Timestamp, combine: AnyCombine, step: string): boolean {
  const { front, frontUntil, back, backUntil } = queue;
  while (front.length > 0 && (frontUntil[front.length - 1] as Timestamp) < max) {
    front.pop();
    frontUntil.pop();
  }
  if (front.length > 0) return true;
  if (back.length === 0) return false;
  if ((backUntil[0] as Timestamp) >= max) return true;
  for (let i = back.length - 1; i >= 0 && (backUntil[i] as Timestamp) >= max; i--) {
    const above = front[front.length - 1];
    front.push(above === undefined ? unshared(back[i], combine, step) : add(back[i], above, combine, step));
    frontUntil.push(backUntil[i] as Timestamp);
  }
  back.length = 0;
  backUntil.length = 0;
  queue.backSum = undefined;
  return front.length > 0;
}

/** The sum of all. The caller may keep it, but not change it. */
export function sum(queue: TwoStacks, combine: AnyCombine, step: string): unknown {
  const { front, backSum } = queue;
  const top = front[front.length - 1];
  if (backSum === undefined) return top;
  if (top === undefined) return unshared(backSum, combine, step);
  return add(top, backSum, combine, step);
}

/** Empties it, to be filled again. */
export function reset(queue: TwoStacks): void {
  queue.front.length = 0;
  queue.frontUntil.length = 0;
  queue.back.length = 0;
  queue.backUntil.length = 0;
  queue.backSum = undefined;
  queue.stale = false;
}

/** A new accumulator of two. */
export function add(a: unknown, b: unknown, combine: AnyCombine, step: string): unknown {
  if (isImmutable(a)) return merge(combine, step, [a, b]);
  return merge(combine, step, [combine.createAccumulator(), a, b]);
}

/** `into`, which nobody else holds, with `accumulator` in it. */
function mergeInto(into: unknown, accumulator: unknown, combine: AnyCombine, step: string): unknown {
  return merge(combine, step, [into, accumulator]);
}

/** A copy that may be changed. */
function unshared(accumulator: unknown, combine: AnyCombine, step: string): unknown {
  if (isImmutable(accumulator)) return accumulator;
  return merge(combine, step, [combine.createAccumulator(), accumulator]);
}

/** Merging may change its first accumulator (C1): numbers and the like cannot be. */
function isImmutable(accumulator: unknown): boolean {
  return typeof accumulator !== "object" || accumulator === null;
}
