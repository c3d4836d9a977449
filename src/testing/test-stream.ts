/**
 * TestStream: a source that plays a script of elements, watermarks and processing time.
 *
 * T1 Between two events the pipeline comes to rest: everything that the first one set off has happened.
 * T2 The elements of one `addElements` are one bundle.
 * T3 The watermark only moves forward; the stream ends at `advanceWatermarkToInfinity`.
 */
import { TidemarkError } from "../base/errors.ts";
import type { TestStreamEvent } from "../graph/graph.ts";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, formatTimestamp, type Timestamp } from "../model/time.ts";
import {
  stepTransform,
  type PCollection,
  type Pipeline,
  type TestStreamOptions,
  type Transform,
} from "../pipeline/index.ts";
import type { TimestampedValue } from "../fn/state.ts";

/**
 * A script in the making. Immutable: every method returns a longer script.
 *
 * @example
 * ```ts
 * const clicks = testStream<string>()
 *   .addElements(at(1000, "a"), at(2000, "b")) // one bundle
 *   .advanceWatermarkTo(60_000)
 *   .advanceProcessingTime(seconds(5))
 *   .addElements(at(3000, "late"));
 * p.apply(clicks.advanceWatermarkToInfinity()); // -> "a", "b", "late"
 * ```
 */
export class TestStreamBuilder<T> {
  readonly #events: readonly TestStreamEvent[];
  readonly #watermark: Timestamp;
  readonly #options: TestStreamOptions<T>;

  constructor(
    events: readonly TestStreamEvent[] = [],
    watermark: Timestamp = MIN_TIMESTAMP,
    options: TestStreamOptions<T> = {},
  ) {
    this.#events = events;
    this.#watermark = watermark;
    this.#options = options;
  }

  #then(event: TestStreamEvent, watermark: Timestamp = this.#watermark): TestStreamBuilder<T> {
    return new TestStreamBuilder<T>([...this.#events, event], watermark, this.#options);
  }

  /**
   * Adds elements with their event times, as one bundle. Elements behind the watermark are late.
   * @throws TEST_STREAM_INVALID for a time outside of `[MIN_TIMESTAMP, MAX_TIMESTAMP)`
   */
  addElements(...elements: readonly TimestampedValue<T>[]): TestStreamBuilder<T> {
    for (const { timestamp } of elements) {
      if (!(timestamp >= MIN_TIMESTAMP && timestamp < MAX_TIMESTAMP)) {
        throw invalid(
          `an element at ${String(timestamp)}`,
          "elements lie before the end of time",
          "give a number of milliseconds",
        );
      }
    }
    return this.#then({ kind: "elements", elements });
  }

  /**
   * Moves the watermark on to `to`.
   * @throws TEST_STREAM_INVALID when it is before the last one, or at the end of time
   */
  advanceWatermarkTo(to: Timestamp): TestStreamBuilder<T> {
    if (to < this.#watermark) {
      throw invalid(
        `the watermark ${formatTimestamp(to)} after ${formatTimestamp(this.#watermark)}`,
        "a watermark never goes back",
        "give a later time",
      );
    }
    if (!(to < MAX_TIMESTAMP))
      throw invalid("a watermark at the end of time", "that ends the stream", "call advanceWatermarkToInfinity()");
    return this.#then({ kind: "watermark", to }, to);
  }

  /**
   * Moves processing time on by `ms` milliseconds. Needs a simulated clock, as `runTest` has: TEST_STREAM_NEEDS_TEST_CLOCK.
   * @throws TEST_STREAM_INVALID when `ms` is not above 0
   */
  advanceProcessingTime(ms: number): TestStreamBuilder<T> {
    if (!(ms > 0))
      throw invalid(`processing time advanced by ${String(ms)} ms`, "time goes forward", "give a number above 0");
    return this.#then({ kind: "processingTime", advanceBy: ms });
  }

  /** Ends the stream: the transform to apply to a pipeline. */
  advanceWatermarkToInfinity(): Transform<Pipeline, PCollection<T>> {
    const events = [...this.#events, { kind: "watermark", to: MAX_TIMESTAMP } as const];
    const options = this.#options;
    return stepTransform((p: Pipeline, name?: string) => p.readTestStream<T>(name ?? "TestStream", events, options));
  }
}

function invalid(what: string, why: string, fix: string): TidemarkError {
  return new TidemarkError("TEST_STREAM_INVALID", { what: `a test stream has ${what}`, why, fix });
}

/**
 * Begins a script. It has to end with `advanceWatermarkToInfinity()`. Of several in one pipeline the first plays to its end, then
 * the next: where their events are to come in turn, write one script and part its elements.
 * @param options.coder how elements are written as bytes. Default: Tidemark's coder of plain values
 * @param options.bounded whether the stream counts as one that ends by itself. Default false
 * @throws OPTION_UNKNOWN when it is applied
 *
 * @example
 * ```ts
 * const clicks = testStream<KV<string, number>>()
 *   .addElements(at(1000, ["ann", 1]))
 *   .advanceWatermarkTo(10_000);
 * p.apply(clicks.advanceWatermarkToInfinity()); // -> ["ann", 1]
 * ```
 */
export function testStream<T>(options: TestStreamOptions<T> = {}): TestStreamBuilder<T> {
  return new TestStreamBuilder<T>([], MIN_TIMESTAMP, options);
}

/**
 * `value` at `timestamp` milliseconds of event time.
 *
 * @example
 * ```ts
 * at(1000, "a"); // -> { timestamp: 1000, value: "a" }
 * ```
 */
export function at<T>(timestamp: Timestamp, value: T): TimestampedValue<T> {
  return { timestamp, value };
}
