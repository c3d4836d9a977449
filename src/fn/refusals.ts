/**
 * Types that refuse other types, with a reason that the compiler prints.
 *
 * R1 What cannot be known is let through: `any`, `unknown`, and type parameters, in functions over any key or output.
 */

/** `never` where `T`, or one type of a union, is one of `Bad`. */
type Accepted<T, Bad> = [T] extends [never] ? true : [Extract<T, Bad>] extends [never] ? true : never;

/**
 * `Good`, or where `T` or one type of a union is one of `Bad`, `Reason`. In this form (`any` first, and `extends never` of
 * another conditional type) the compiler takes a value of type `Good` while `T` is still a type parameter.
 */
type Unless<T, Bad, Reason, Good> = 0 extends 1 & T ? Good : Accepted<T, Bad> extends never ? Reason : Good;

/** Why an async CombineFn does not compile. */
export interface AsyncNotAllowed {
  readonly error: "a CombineFn is synchronous: do the async work in a map before";
}

/** Demanded of what makes an `O`: nothing, or where it is a promise, what it does not have. */
export type SyncOnly<O> = Unless<O, PromiseLike<unknown>, AsyncNotAllowed, unknown>;

/** Why a grouping by such keys does not compile. */
export interface KeyNotDeterministic {
  readonly error: "a function, symbol or promise is no key: equal ones would not have equal bytes";
}

type NoKey =
  ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown) | symbol | PromiseLike<unknown>;

/** `C`, where values of `K` can be keys. */
export type KeyedBy<K, C> = Unless<K, NoKey, KeyNotDeterministic, C>;
