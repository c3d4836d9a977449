/** What the modules of examples call. Each comparison leaves a mark when it has been made. */
import { isDeepStrictEqual, inspect } from "node:util";
import { isTidemarkError, PCollection } from "tidemark";
import { assertThat, runTest } from "tidemark/testing";

/** Places, as `path:line`, whose comparison has been made. */
export const reached: Set<string> = new Set();

/** A value that is to be compared. */
export interface Compared<T> {
  is(expected: readonly NoInfer<T>[]): Promise<void>;
}

/** Compares the elements of a collection, in any order; or what a promise gives; or the value itself. */
export function $value<T>(place: string, value: PCollection<T>): Compared<T>;
export function $value<T>(place: string, value: PromiseLike<T>): Compared<T>;
export function $value<T>(place: string, value: T): Compared<T>;
export function $value(place: string, value: unknown): Compared<unknown> {
  return {
    is: (expected) => (value instanceof PCollection ? elements(place, value, expected) : one(place, value, expected)),
  };
}

async function elements(place: string, collection: PCollection<unknown>, expected: readonly unknown[]): Promise<void> {
  assertThat(collection).satisfies((actual) => {
    reached.add(place);
    const left = [...actual];
    const missing = expected.filter((value) => {
      const at = left.findIndex((other) => isDeepStrictEqual(other, value));
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
    if (missing.length > 0 || left.length > 0) throw new Error(`${place}: expected ${expected.map(show).join(", ")}`);
  });
}

/** Synchronous for a plain value: inside a function nobody awaits it. */
function one(place: string, value: unknown, expected: readonly unknown[]): Promise<void> {
  const compare = (actual: unknown): void => {
    reached.add(place);
    if (expected.length !== 1 || !isDeepStrictEqual(actual, expected[0])) {
      throw new Error(`${place}: expected ${expected.map(show).join(", ")}\nactual ${show(actual)}`);
    }
  };
  if (typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function") {
    return Promise.resolve(value).then(compare);
  }
  compare(value);
  return Promise.resolve();
}

/** Wants `call` to fail with the error `code`. */
export async function $refused(place: string, code: string, call: () => Promise<unknown>): Promise<void> {
  reached.add(place);
  try {
    await call();
  } catch (error) {
    if (isTidemarkError(error) && error.code === code) return;
    throw new Error(`${place}: expected the error ${code}\nactual ${String(error)}`, { cause: error });
  }
  throw new Error(`${place}: expected the error ${code}, but nothing failed`);
}

/** Runs the pipeline that an example builds with a `p` of nowhere. */
export const $inTest: typeof runTest = runTest;

function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 120 });
}
