/**
 * CombineFn: how many values of one key and window become one.
 *
 * C1 Synchronous. `addInput` may change and return its accumulator, `mergeAccumulators` the first of its accumulators; nobody
 *    else holds it. The others are only read, and no part of them that is ever changed becomes part of the result.
 * C2 Side inputs come last: their values of the window that the accumulator is in at that moment. Of a view that changes,
 *    `addInput` sees what it holds when the input comes, `extractOutput` what it holds when the pane fires.
 * C3 Associative and commutative over inputs: elements arrive, and accumulators merge, in any order.
 */
import type { Coder } from "../coders/coder.ts";
import type { NoSideInputs, SideInputArgs, SideInputs, SideInputValues } from "./view.ts";

/**
 * Combines inputs `I` through accumulators `A` into an output `O`. With the side inputs `V`, which the step declares by its
 * option `sideInputs`, their values are each method's last argument.
 */
export interface CombineFn<I, A, O, V extends SideInputs = NoSideInputs> {
  /** For graphs and messages. Default: `Combine`. */
  readonly name?: string;
  /** An accumulator of no inputs. */
  createAccumulator(...sideInputs: SideInputArgs<V>): A;
  /** Returns the accumulator with `input` in it. */
  addInput(accumulator: A, input: I, ...sideInputs: SideInputArgs<V>): A;
  /** Returns all of them in one. `accumulators` has one or more. */
  mergeAccumulators(accumulators: readonly A[], ...sideInputs: SideInputArgs<V>): A;
  /**
   * The output for what is in the accumulator; called at each firing, and must not change it. Give a copy where `addInput` goes
   * on changing what it would give: in strict mode a grouping freezes its results.
   */
  extractOutput(accumulator: A, ...sideInputs: SideInputArgs<V>): O;
  /** Makes an accumulator smaller before it is stored or sent. Default: itself. */
  compact?(accumulator: A, ...sideInputs: SideInputArgs<V>): A;
  /**
   * How accumulators are written as bytes, and how the accumulator of a cell is copied for a call that may be undone. Needed
   * where they are not plain data: instances of classes. Default: as plain data, and copied by `structuredClone`.
   */
  readonly accumulatorCoder?: Coder<A>;
  /**
   * How outputs are written as bytes: a coder of `O` (typed loosely, so that a copy of a CombineFn may get another
   * `extractOutput`). Needed where they are not plain data. Default: as plain data.
   */
  readonly outputCoder?: Coder<unknown>;
  /**
   * Both coders where they follow from that of the inputs, as those of the greatest of them do: called where the program gave
   * the inputs a coder, for what `accumulatorCoder` and `outputCoder` leave open.
   */
  codersFor?(input: Coder<unknown>): CombineCoders;
  /** Never present: carries `V`. */
  readonly needs?: (sideInputs: SideInputValues<V>) => void;
}

/** The coders of a CombineFn. */
export interface CombineCoders {
  readonly accumulatorCoder?: Coder<unknown>;
  readonly outputCoder?: Coder<unknown>;
}

/** A CombineFn of any types. */
export type AnyCombine = CombineFn<unknown, unknown, unknown>;
