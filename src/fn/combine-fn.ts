/**
 * CombineFn: how many values of one key and window become one.
 *
 * C1 Synchronous. `addInput` may change and return its accumulator, `mergeAccumulators` the first of its accumulators; nobody
 *    else holds it. The others are only read, and no part of them that is ever changed becomes part of the result.
 * C2 Associative and commutative over inputs: elements arrive, and accumulators merge, in any order.
 */
import type { Coder } from "../coders/coder.ts";

/** Combines inputs `I` through accumulators `A` into an output `O`. */
export interface CombineFn<I, A, O> {
  /** For graphs and messages. Default: `Combine`. */
  readonly name?: string;
  /** An accumulator of no inputs. */
  createAccumulator(): A;
  /** Returns the accumulator with `input` in it. */
  addInput(accumulator: A, input: I): A;
  /** Returns all of them in one. `accumulators` has one or more. */
  mergeAccumulators(accumulators: readonly A[]): A;
  /**
   * The output for what is in the accumulator; called at each firing, and must not change it. Give a copy where `addInput` goes
   * on changing what it would give: in strict mode a grouping freezes its results.
   */
  extractOutput(accumulator: A): O;
  /** Makes an accumulator smaller before it is stored or sent. Default: itself. */
  compact?(accumulator: A): A;
  /**
   * How accumulators are written as bytes, and how the accumulator of a cell is copied for a call that may be undone. Needed
   * where they are not plain data: instances of classes. Default: as plain data, and copied by `structuredClone`.
   */
  readonly accumulatorCoder?: Coder<A>;
}

/** A CombineFn of any types. */
export type AnyCombine = CombineFn<unknown, unknown, unknown>;
