/** A CombineFn with side inputs as one without: it finds their values of the window at hand by itself. */
import type { Coder } from "../coders/coder.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import type { SideInputs } from "../fn/view.ts";
import type { Window } from "../model/window.ts";
import type { SideInputReader } from "./do-fn-context.ts";
import type { LaneCombine } from "./grouping.ts";

type Values = Readonly<Record<string, unknown>>;

export class CombineWithSideInputs implements LaneCombine {
  readonly #fn: CombineFn<unknown, unknown, unknown, SideInputs>;
  readonly #sideInputs: SideInputReader;
  readonly #values: Values;
  readonly accumulatorCoder?: Coder<unknown>;

  constructor(fn: CombineFn<unknown, unknown, unknown>, sideInputs: SideInputReader) {
    this.#fn = fn;
    this.#sideInputs = sideInputs;
    this.#values = sideInputs.values;
    if (fn.accumulatorCoder !== undefined) this.accumulatorCoder = fn.accumulatorCoder;
  }

  moveTo(window: Window): void {
    this.#sideInputs.moveTo(window);
  }

  createAccumulator(): unknown {
    return this.#fn.createAccumulator(this.#values);
  }

  addInput(accumulator: unknown, input: unknown): unknown {
    return this.#fn.addInput(accumulator, input, this.#values);
  }

  mergeAccumulators(accumulators: readonly unknown[]): unknown {
    return this.#fn.mergeAccumulators(accumulators, this.#values);
  }

  extractOutput(accumulator: unknown): unknown {
    return this.#fn.extractOutput(accumulator, this.#values);
  }
}
