/**
 * CombineFns in strict mode: what they keep can be encoded, and what a grouping gives out is changed by nobody.
 *
 * C1 An accumulator is checked when it gets its first input and whenever a result is made of it, not at each input.
 */
import type { Coder } from "../coders/coder.ts";
import type { Window } from "../model/window.ts";
import { type LaneCombine, LIST_COMBINE } from "./grouping.ts";
import { checkEncodable, deepFreeze } from "./strict.ts";

/** A CombineFn whose accumulators are checked. */
export class StrictCombine implements LaneCombine {
  readonly #inner: LaneCombine;
  readonly #step: string;
  /** Whether the accumulator that gets the next input is a new one. */
  #isNew = false;

  constructor(inner: LaneCombine, step: string) {
    this.#inner = inner;
    this.#step = step;
  }

  moveTo(window: Window): void {
    this.#inner.moveTo?.(window);
  }

  createAccumulator(): unknown {
    this.#isNew = true;
    return this.#inner.createAccumulator();
  }

  addInput(accumulator: unknown, input: unknown): unknown {
    const added = this.#inner.addInput(accumulator, input);
    if (this.#isNew) this.#check(added);
    this.#isNew = false;
    return added;
  }

  mergeAccumulators(accumulators: readonly unknown[]): unknown {
    return this.#inner.mergeAccumulators(accumulators);
  }

  extractOutput(accumulator: unknown): unknown {
    this.#check(accumulator);
    return this.#inner.extractOutput(accumulator);
  }

  #check(accumulator: unknown): void {
    // A promise is refused by whoever called.
    if (!(accumulator instanceof Promise)) checkEncodable(this.#step, this.#inner.accumulatorCoder, accumulator);
  }
}

/** That of a grouping: its results are frozen. */
export class StrictGroupingCombine extends StrictCombine {
  override extractOutput(accumulator: unknown): unknown {
    const output = super.extractOutput(accumulator);
    deepFreeze(output);
    return output;
  }
}

/** GroupByKey: each value is checked as it comes, and frozen. @param coder that of the values, where the program gave one */
export function strictList(step: string, coder: Coder<unknown> | undefined): LaneCombine {
  const inner = LIST_COMBINE as unknown as LaneCombine;
  return {
    createAccumulator: () => inner.createAccumulator(),
    mergeAccumulators: (lists) => inner.mergeAccumulators(lists),
    addInput(list, value) {
      checkEncodable(step, coder, value);
      deepFreeze(value);
      return inner.addInput(list, value);
    },
    extractOutput: (list) => Object.freeze(inner.extractOutput(list)),
  };
}
