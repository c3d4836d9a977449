/** A class of values, with coders: what a program has to give one for. */
import { type Coder, type CombineFn, type DeterministicCoder, doubleCoder } from "tidemark";

export class Point {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
  get double(): number {
    return this.x * 2;
  }
}

export const pointCoder: DeterministicCoder<Point> = {
  name: "point",
  deterministic: true,
  encode: ({ x }, out) => doubleCoder.encode(x, out),
  decode: (input) => new Point(doubleCoder.decode(input)),
};

/** An accumulator with methods. */
export class Counter {
  n = 0;
  add(n: number): this {
    this.n += n;
    return this;
  }
}

export const counterCoder: Coder<Counter> = {
  name: "counter",
  deterministic: true,
  encode: ({ n }, out) => doubleCoder.encode(n, out),
  decode: (input) => new Counter().add(doubleCoder.decode(input)),
};

/** Sums into a Counter, for which no coder is given. */
export const bareCounterFn: CombineFn<number, Counter, number> = {
  createAccumulator: () => new Counter(),
  addInput: (counter, n) => counter.add(n),
  mergeAccumulators: (counters) => counters.reduce((sum, { n }) => sum.add(n), new Counter()),
  extractOutput: ({ n }) => n,
};
export const counterFn: CombineFn<number, Counter, number> = { ...bareCounterFn, accumulatorCoder: counterCoder };
