/** Pipeline: the `p` of `build(p, options)`, from which collections come. */
import type { Coder } from "../coders/coder.ts";
import { sourceTime, type Source, type TimestampPolicy } from "../fn/source.ts";
import type { TimestampedValue } from "../fn/state.ts";
import type { StepSpec, TestStreamEvent } from "../graph/graph.ts";
import { isTimestamp, type Timestamp, timestampProblem } from "../model/time.ts";
import { applyTransform } from "./apply.ts";
import {
  stepError,
  type CollectionNode,
  type CollectionTraits,
  type GraphBuilder,
  type Shape,
  type StepPlace,
} from "./builder.ts";
import { checkCoder, checkSameWindowing, checkSync, describe } from "./checks.ts";
import { commonCoder } from "./derived-coders.ts";
import { nodeOf, PCollection } from "./collection.ts";
import { createSource, createTimestampedSource } from "./create.ts";
import { splitName } from "./naming.ts";
import { checkStepOptions } from "./options.ts";
import { rootTraits } from "./steps.ts";
import type { Transform } from "./transform.ts";
import type { Element } from "./types.ts";

/** The element type of a collection. */
export type ElementOf<C> = C extends PCollection<infer T> ? T : never;

/** Options of `read`. */
export interface ReadOptions<T> {
  /** How elements get event times. Default: what the source says of each, and the earliest time there is where it says nothing. */
  readonly timestamps?: TimestampPolicy<T>;
  /** How elements are written as bytes. Default: Tidemark's coder of plain values. */
  readonly coder?: Coder<T>;
}

/** Options of `create`. */
export interface CreateOptions<T> {
  /** Event time of a value, in milliseconds. Default: the earliest there is. */
  readonly timestamps?: (value: T) => Timestamp;
  readonly coder?: Coder<T>;
}

/** Options of `readTestStream`. */
export interface TestStreamOptions<T> {
  readonly coder?: Coder<T>;
  /** Whether the stream counts as one that ends by itself. Default false: it stands for an unbounded source. */
  readonly bounded?: boolean;
}

/**
 * A pipeline that is being built.
 *
 * @example
 * ```ts
 * const program = pipeline({
 *   name: "hello",
 *   build(p: Pipeline) {
 *     p.create([p.name]).apply(text.write("name.txt"));
 *   },
 * });
 * await run(program).wait();
 * await readFile("name.txt", "utf8"); // -> "hello\n"
 * ```
 */
export class Pipeline {
  readonly #builder: GraphBuilder;

  /** @param builder from `pipeline(...)`; programs are given their Pipeline */
  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  /** The program's name. */
  get name(): string {
    return this.#builder.name;
  }

  /**
   * Applies a transform that begins with the pipeline, as `text.read(path)` does.
   * @throws DUPLICATE_STEP_NAME, STEP_NAME_INVALID, TRANSFORM_INVALID, ASYNC_NOT_ALLOWED
   *
   * @example
   * ```ts
   * p.apply("Script", testStream<string>().addElements(at(0, "a")).advanceWatermarkToInfinity()); // -> "a"
   * ```
   */
  apply<O>(transform: Transform<Pipeline, O>): O;
  apply<O>(name: string, transform: Transform<Pipeline, O>): O;
  apply(...args: readonly unknown[]): unknown {
    return applyTransform(this.#builder, this, args);
  }

  /**
   * The elements of a source.
   * @throws TRANSFORM_INVALID, ASYNC_NOT_ALLOWED; when the job runs, STEP_FAILED, TIMESTAMP_INVALID and what the source throws
   *
   * @example
   * ```ts
   * await writeFile("words.txt", "to\nbe\n");
   * p.read("Words", text.textSource("words.txt")); // -> "to", "be"
   * ```
   */
  read<T>(source: Source<T>, options?: ReadOptions<T>): PCollection<T>;
  read<T>(name: string, source: Source<T>, options?: ReadOptions<T>): PCollection<T>;
  read(...args: readonly unknown[]): PCollection<never> {
    const { given, rest } = splitName(args);
    const place = this.#builder.place(given, "Read");
    const source = rest[0] as Source<unknown> | undefined;
    if (typeof source?.open !== "function" || typeof source.splits !== "function") {
      throw stepError("TRANSFORM_INVALID", place, {
        what: `"${place.name}" reads from ${describe(source)}`,
        fix: "give a source, or use p.apply(text.read(path))",
      });
    }
    checkStepOptions(place, "read", rest[1]);
    const { timestamps = sourceTime(), coder } = (rest[1] ?? {}) as ReadOptions<never>;
    if (timestamps.kind === "event") checkSync(place, "the timestamp function", timestamps.timestamp);
    return this.#root(
      place,
      { kind: "read", source, timestamps: timestamps as TimestampPolicy<unknown> },
      rootTraits(source.bounded, coder, undefined),
    );
  }

  /**
   * The given values, in memory.
   * @throws TRANSFORM_INVALID, ASYNC_NOT_ALLOWED
   *
   * @example
   * ```ts
   * p.create("Words", ["to", "be"]); // -> "to", "be"
   * p.create<string>([]); // -> nothing
   * p.create([{ at: 1000 }], { timestamps: (event) => event.at }).map((_, { timestamp }) => timestamp); // -> 1000
   * ```
   */
  create<T extends Element>(values: readonly T[], options?: CreateOptions<T>): PCollection<T>;
  create<T extends Element>(name: string, values: readonly T[], options?: CreateOptions<T>): PCollection<T>;
  create(...args: readonly unknown[]): PCollection<never> {
    const { given, rest } = splitName(args);
    const place = this.#builder.place(given, "Create");
    const values = listOf(place, rest[0]);
    checkStepOptions(place, "create", rest[1]);
    const { timestamps, coder } = (rest[1] ?? {}) as CreateOptions<never>;
    checkSync(place, "the timestamp function", timestamps);
    return this.#create(place, createSource(values as readonly never[], timestamps), coder, shapeOfValues(values));
  }

  /**
   * The given values at the given event times (ms), in memory.
   * @throws TRANSFORM_INVALID; when the job runs, TIMESTAMP_INVALID
   *
   * @example
   * ```ts
   * p.createTimestamped([{ value: "a", timestamp: 1000 }]).map((_, { timestamp }) => timestamp); // -> 1000
   * ```
   */
  createTimestamped<T extends Element>(
    values: readonly TimestampedValue<T>[],
    options?: { readonly coder?: Coder<T> },
  ): PCollection<T>;
  createTimestamped<T extends Element>(
    name: string,
    values: readonly TimestampedValue<T>[],
    options?: { readonly coder?: Coder<T> },
  ): PCollection<T>;
  createTimestamped(...args: readonly unknown[]): PCollection<never> {
    const { given, rest } = splitName(args);
    const place = this.#builder.place(given, "Create");
    const entries = listOf(place, rest[0]) as readonly TimestampedValue<unknown>[];
    checkStepOptions(place, "createTimestamped", rest[1]);
    const { coder } = (rest[1] ?? {}) as { coder?: Coder<never> };
    return this.#create(
      place,
      createTimestampedSource(entries),
      coder,
      shapeOfValues(entries.map(({ value }) => value)),
    );
  }

  /**
   * One element, an empty byte array, in the global window: to start something once.
   *
   * @example
   * ```ts
   * p.impulse().flatMap(async () => ["page 1", "page 2"]); // -> "page 1", "page 2"
   * ```
   */
  impulse(name?: string): PCollection<Uint8Array> {
    return this.#root(this.#builder.place(name, "Impulse"), { kind: "impulse" }, rootTraits(true, undefined, "other"));
  }

  /**
   * The elements of all collections in one, in no promised order. Of none: an empty collection.
   * @throws FLATTEN_WINDOWING_MISMATCH when their windowings differ; TRANSFORM_INVALID
   *
   * @example
   * ```ts
   * p.flatten(p.create([1]), p.create(["a"])); // -> 1, "a"
   * ```
   */
  flatten<C extends readonly PCollection<unknown>[]>(...collections: C): PCollection<ElementOf<C[number]>>;
  flatten<C extends readonly PCollection<unknown>[]>(
    name: string,
    ...collections: C
  ): PCollection<ElementOf<C[number]>>;
  flatten(...args: readonly unknown[]): PCollection<never> {
    const { given, rest } = splitName(args);
    return addFlatten(this.#builder, given, rest as readonly PCollection<never>[]);
  }

  /**
   * A scripted source, for tests. `testStream` in `tidemark/testing` writes the events.
   * @throws TRANSFORM_INVALID, TIMESTAMP_INVALID
   *
   * @example
   * ```ts
   * p.readTestStream<string>([
   *   { kind: "elements", elements: [at(1000, "a")] },
   *   { kind: "watermark", to: MAX_TIMESTAMP },
   * ]); // -> "a"
   * ```
   */
  readTestStream<T>(events: readonly TestStreamEvent[], options?: TestStreamOptions<T>): PCollection<T>;
  readTestStream<T>(name: string, events: readonly TestStreamEvent[], options?: TestStreamOptions<T>): PCollection<T>;
  readTestStream(...args: readonly unknown[]): PCollection<never> {
    const { given, rest } = splitName(args);
    const place = this.#builder.place(given, "TestStream");
    const events = Object.freeze([...(listOf(place, rest[0]) as readonly TestStreamEvent[])]);
    for (const event of events) if (event.kind === "elements") checkTimestamps(place, event.elements);
    checkStepOptions(place, "readTestStream", rest[1]);
    const { coder, bounded = false } = (rest[1] ?? {}) as TestStreamOptions<never>;
    return this.#root(place, { kind: "testStream", events }, rootTraits(bounded, coder, undefined));
  }

  #create(
    place: StepPlace,
    source: Source<unknown, number, number>,
    coder: Coder<never> | undefined,
    shape: Shape,
  ): PCollection<never> {
    const spec: StepSpec = { kind: "read", source, timestamps: sourceTime() };
    return this.#root(place, spec, rootTraits(true, coder, shape));
  }

  #root<T>(place: StepPlace, spec: StepSpec, main: CollectionTraits): PCollection<T> {
    checkCoder(place, main.coder);
    const step = this.#builder.add({ place, spec, outputs: { main } });
    return new PCollection<T>(step.outputs["main"] as CollectionNode);
  }
}

/** Adds a flatten. */
export function addFlatten<T>(
  builder: GraphBuilder,
  given: string | undefined,
  collections: readonly PCollection<T>[],
): PCollection<T> {
  const place = builder.place(given, "Flatten");
  const wrong = collections.find((collection) => !(collection instanceof PCollection));
  if (wrong !== undefined) {
    throw stepError("TRANSFORM_INVALID", place, {
      what: `"${place.name}" flattens ${describe(wrong)}`,
      fix: "pass collections",
    });
  }
  const inputs = collections.map((collection) => nodeOf(collection));
  checkSameWindowing(place, inputs);
  const [first] = inputs;
  const bounded = inputs.every((input) => input.bounded);
  const traits =
    first === undefined
      ? rootTraits(true, undefined, undefined)
      : { ...first, bounded, coder: commonCoder(inputs.map(({ coder }) => coder)), shape: commonShape(inputs) };
  const step = builder.add({ place, spec: { kind: "flatten" }, inputs, outputs: { main: traits } });
  return new PCollection<T>(step.outputs["main"] as CollectionNode);
}

/** A script's elements bring their times without a source that would look at them. */
function checkTimestamps(place: StepPlace, elements: readonly { readonly timestamp: unknown }[]): void {
  const wrong = elements.find(({ timestamp }) => !isTimestamp(timestamp));
  if (wrong === undefined) return;
  throw stepError("TIMESTAMP_INVALID", place, timestampProblem(`the script of "${place.name}"`, wrong.timestamp));
}

/** What all inputs agree on, or nothing. */
function commonShape(inputs: readonly CollectionTraits[]): Shape {
  const first = inputs[0]?.shape;
  return inputs.every(({ shape }) => shape === first) ? first : undefined;
}

function listOf(place: StepPlace, values: unknown): readonly unknown[] {
  if (Array.isArray(values)) return Object.freeze([...(values as readonly unknown[])]);
  throw stepError("TRANSFORM_INVALID", place, {
    what: `"${place.name}" is given ${describe(values)}`,
    fix: "give an array, as in p.create([1, 2, 3])",
  });
}

/** Known where all values are pairs, or none is. Types decide in the first place; this catches what has none. */
function shapeOfValues(values: readonly unknown[]): Shape {
  if (values.length === 0) return undefined;
  const isPair = (value: unknown): boolean => Array.isArray(value) && value.length === 2;
  return values.every(isPair) ? "kv" : values.some(isPair) ? undefined : "other";
}
