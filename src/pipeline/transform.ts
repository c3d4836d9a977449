/**
 * Transforms: functions from a collection (or the pipeline) to collections.
 *
 * A composite is any function `(input) => output`; the steps that it applies are named inside it, as in `Outer/Inner`.
 * A step transform stands for one step, which gets the name given to `apply` itself.
 */

/** Marks a step transform. */
const STEP: unique symbol = Symbol("tidemark.step");

/** What `apply` takes: a function from `I` to `O`, with an optional name for its scope. */
export interface Transform<I, O> {
  (input: I): O;
}

/**
 * Gives a composite its name, for where `apply` is called without one.
 *
 * @example
 * ```ts
 * const parse = transform("Parse", (lines: PCollection<string>) => lines.map((line) => JSON.parse(line) as { id: number }));
 * p.create(['{ "id": 1 }']).apply(parse); // -> { id: 1 }
 * ```
 */
export function transform<F extends (input: never) => unknown>(name: string, expand: F): F {
  const named = ((input: never) => expand(input)) as F;
  Object.defineProperty(named, "name", { value: name, configurable: true });
  return named;
}

/**
 * A transform that is one step: `expand` gets the name that was given to `apply`, or `undefined`.
 *
 * @example
 * ```ts
 * const upper = stepTransform((lines: PCollection<string>, name = "Upper") => lines.map(name, (line) => line.toUpperCase()));
 * p.create(["a"]).apply("Shout", upper); // -> "A"
 * ```
 */
export function stepTransform<F extends (input: never, name?: string) => unknown>(expand: F): F {
  const step = ((input: never, name?: string) => expand(input, name)) as F;
  Object.defineProperty(step, STEP, { value: true });
  return step;
}

/** Whether `fn` was made by `stepTransform`. */
export function isStepTransform(fn: unknown): fn is (input: unknown, name?: string) => unknown {
  return typeof fn === "function" && STEP in fn;
}
