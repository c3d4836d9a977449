/** What steps give out: collections that know more of their step than its main output. */
import type { DeadLetter, Late } from "../fn/set-aside.ts";
import type { OutputTags } from "../fn/do-fn.ts";
import type { StateSpecs } from "../fn/state.ts";
import type { TimerSpecs } from "../fn/timer.ts";
import type { CollectionNode, StepDraft, StepResults } from "./builder.ts";
import { PCollection } from "./collection.ts";
import { deadLetterOutput, lateOutput } from "./steps.ts";
import type { IsKeyed, ParDoElement, SideTags, TagElement } from "./types.ts";

/**
 * The output of `map`, `flatMap`, `filter` or `parDo` on elements `I`.
 *
 * @example
 * ```ts
 * const parsed = p.create(["1", "one"]).map((text) => JSON.parse(text) as number); // -> 1
 * parsed.deadLetter().map(({ element, error }) => [element, error.name]); // -> ["one", "SyntaxError"]
 * ```
 */
export class ElementwiseResult<I, O> extends PCollection<O> {
  readonly #step: StepDraft;

  constructor(step: StepDraft) {
    super(step.outputs["main"] as CollectionNode);
    this.#step = step;
  }

  /**
   * The elements that the step gave up on, with their errors. Asking for it sends failures there, in place of failing the
   * job; outputs of a failed call do not appear. A timer's callback that fails still fails the job: it has no element.
   */
  deadLetter(): PCollection<DeadLetter<I>> {
    return new PCollection(deadLetterOutput(this.#step));
  }
}

/**
 * The output of a grouping of elements `I`.
 *
 * @example
 * ```ts
 * const clicks = testStream<string>().addElements(at(1000, "a")).advanceWatermarkTo(60_000).addElements(at(2000, "b"));
 * const counts = p
 *   .apply(clicks.advanceWatermarkToInfinity())
 *   .windowInto(fixedWindows(seconds(60)))
 *   .map((word) => [word, 1])
 *   .groupByKey(); // -> ["a", [1]]
 * counts.late.map(({ element, lateBy, reason }) => [element, lateBy, reason]); // -> [["b", 1], 1, "expired"]
 * ```
 */
export class KeyedResult<I, O> extends PCollection<O> {
  readonly #step: StepDraft;

  constructor(step: StepDraft) {
    super(step.outputs["main"] as CollectionNode);
    this.#step = step;
  }

  /** What came too late, with window and reason, in the global window. Without it late elements are only counted. */
  get late(): PCollection<Late<I>> {
    return new PCollection(lateOutput(this.#step));
  }
}

/**
 * The main output of a DoFn, and by tag its others.
 *
 * @example
 * ```ts
 * const sorted = p.create([5, -1]).parDo({
 *   outputs: { main: output<number>(), negative: output<number>() },
 *   process: (n, { output, outputTo }) => (n < 0 ? outputTo("negative", n) : output(n)),
 * }); // -> 5
 * sorted.outputs.negative; // -> -1
 * ```
 */
export class ParDoResult<I, O, Tags extends OutputTags> extends ElementwiseResult<I, O> {
  /** The DoFn's outputs beside `main`. */
  readonly outputs: { readonly [N in SideTags<Tags>]: PCollection<TagElement<Tags[N]>> };

  constructor(step: StepDraft) {
    super(step);
    const named = Object.entries(step.outputs).filter(([tag]) => tag !== "main");
    this.outputs = Object.freeze(Object.fromEntries(named.map(([tag, node]) => [tag, new PCollection(node)]))) as never;
  }
}

/**
 * The main output of a DoFn with state or timers.
 *
 * @example
 * ```ts
 * const clicks = testStream<KV<string, number>>().addElements(at(1000, ["a", 1])).advanceWatermarkTo(60_000);
 * const sums = p
 *   .apply(clicks.addElements(at(2000, ["a", 2])).advanceWatermarkToInfinity())
 *   .windowInto(fixedWindows(seconds(60)))
 *   .parDo({
 *     state: { sum: combiningState(sumFn()) },
 *     process([, n], { state: { sum } }) {
 *       sum.add(n);
 *       return [sum.read()];
 *     },
 *   }); // -> 1
 * sums.late.map(({ element }) => element); // -> ["a", 2]
 * ```
 */
export class KeyedParDoResult<I, O, Tags extends OutputTags> extends ParDoResult<I, O, Tags> {
  readonly #step: StepDraft;

  constructor(step: StepDraft) {
    super(step);
    this.#step = step;
  }

  /** What came too late, with window and reason, in the global window. Without it late elements are only counted. */
  get late(): PCollection<Late<I>> {
    return new PCollection(lateOutput(this.#step));
  }
}

/** What `parDo` returns: `.late` only where the DoFn works key by key. */
export type ParDoOutcome<I, R, S extends StateSpecs, X extends TimerSpecs, O extends OutputTags, E = unknown> =
  IsKeyed<S, X, E> extends true ? KeyedParDoResult<I, ParDoElement<R, O>, O> : ParDoResult<I, ParDoElement<R, O>, O>;

/** How the methods of a collection make these, which are collections themselves. */
export const STEP_RESULTS: StepResults = {
  elementwise: (step) => new ElementwiseResult(step),
  keyed: (step) => new KeyedResult(step),
  parDo: (step) => new KeyedParDoResult(step),
};
