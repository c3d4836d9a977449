/**
 * Assertions on collections, checked when the pipeline has run; one that does not hold fails the job.
 *
 * A1 An assertion sees every element once for each of its windows.
 * A2 A failure says what was expected and what was there, and where the assertion was written.
 */
import { isDeepStrictEqual, inspect } from "node:util";
import { TidemarkError } from "../base/errors.ts";
import { userFrame } from "../base/frames.ts";
import { formatTimestamp } from "../model/time.ts";
import { formatWindow, type Window } from "../model/window.ts";
import type { PCollection } from "../pipeline/index.ts";
import { type Collected, collectSink } from "./collect.ts";

/** Which elements of a collection an assertion is about. */
type Choice<T> = (element: Collected<T>) => boolean;

/**
 * Assertions on some elements of a collection. Narrow it first, then say what is there.
 *
 * @example
 * ```ts
 * const minute = new IntervalWindow(0, 60_000);
 * const clicks = testStream<string>().addElements(at(1000, "a")).advanceWatermarkTo(60_000).addElements(at(2000, "a"));
 * const counts = p
 *   .apply(clicks.advanceWatermarkToInfinity())
 *   .windowInto(fixedWindows(seconds(60)), { allowedLateness: seconds(30) })
 *   .apply(countPerElement());
 * assertThat(counts).inWindow(minute).containsInAnyOrder([["a", 1], ["a", 1]]);
 * assertThat(counts).inEarlyPanes().isEmpty();
 * assertThat(counts).inOnTimePane(minute).isSingleton(["a", 1]);
 * assertThat(counts).inLatePanes().isSingleton(["a", 1]);
 * assertThat(counts).inFinalPane(new IntervalWindow(60_000, 120_000)).isEmpty();
 * assertThat(counts).satisfies((values, elements) => {
 *   if (values.length !== 2 || elements[0]?.pane.index !== 0) throw new Error("not as it should be");
 * });
 * ```
 */
export class Assertion<T> {
  readonly #collection: PCollection<T>;
  readonly #about: string;
  readonly #choose: Choice<T>;

  constructor(collection: PCollection<T>, about = "", choose: Choice<T> = () => true) {
    this.#collection = collection;
    this.#about = about;
    this.#choose = choose;
  }

  #narrowed(about: string, choose: Choice<T>): Assertion<T> {
    return new Assertion(this.#collection, `${this.#about} ${about}`, (e) => this.#choose(e) && choose(e));
  }

  /** Only elements of `window`. */
  inWindow(window: Window): Assertion<T> {
    return this.#narrowed(`in window ${formatWindow(window)}`, (e) => e.window.id === window.id);
  }

  /** Only elements of panes that fired before the end of their window. */
  inEarlyPanes(): Assertion<T> {
    return this.#narrowed("in early panes", (e) => e.pane.timing === "EARLY");
  }

  /** Only elements of the pane that fired at the end of the window. */
  inOnTimePane(window: Window): Assertion<T> {
    return this.inWindow(window).#narrowed("in the on-time pane", (e) => e.pane.timing === "ON_TIME");
  }

  /** Only elements of panes that fired after the end of their window. */
  inLatePanes(): Assertion<T> {
    return this.#narrowed("in late panes", (e) => e.pane.timing === "LATE");
  }

  /** Only elements of the last pane of `window`. */
  inFinalPane(window: Window): Assertion<T> {
    return this.inWindow(window).#narrowed("in the final pane", (e) => e.pane.isLast);
  }

  /** Exactly these elements, in any order, each as often as here. Compared by content. */
  containsInAnyOrder(expected: readonly T[]): void {
    this.#check((found) => {
      const left = [...found];
      const missing = expected.filter((value) => {
        const at = left.findIndex((other) => isDeepStrictEqual(other.value, value));
        if (at >= 0) left.splice(at, 1);
        return at < 0;
      });
      if (missing.length === 0 && left.length === 0) return undefined;
      return [
        `expected ${show(expected)}`,
        `actual   ${show(found.map((e) => e.value))}`,
        missing.length > 0 ? `missing  ${show(missing)}` : "",
        left.length > 0 ? `too many ${left.map(showElement).join("\n           ")}` : "",
      ];
    });
  }

  /** No elements. */
  isEmpty(): void {
    this.containsInAnyOrder([]);
  }

  /** Exactly one element, equal to `expected` by content. */
  isSingleton(expected: T): void {
    this.containsInAnyOrder([expected]);
  }

  /** `check` throws when the elements are not as they should be. Order of arrival. */
  satisfies(check: (values: readonly T[], elements: readonly Collected<T>[]) => void): void {
    this.#check((found) => {
      try {
        check(
          found.map((e) => e.value),
          found,
        );
        return undefined;
      } catch (error) {
        return [error instanceof Error ? error.message : String(error), `actual   ${show(found.map((e) => e.value))}`];
      }
    });
  }

  #check(verdict: (found: readonly Collected<T>[]) => readonly string[] | undefined): void {
    const written = new Error("asserted here");
    const at = userFrame(written);
    const collected: Collected<T>[] = [];
    const sink = collectSink<T>("assertThat", collected, () => {
      const problem = verdict(collected.filter((e) => this.#choose(e)));
      if (problem === undefined) return;
      throw new TidemarkError("ASSERTION_FAILED", {
        what: `the collection${this.#about} is not as asserted\n    ${problem.filter((line) => line !== "").join("\n    ")}`,
        cause: written,
        ...(at !== undefined && { at }),
      });
    });
    this.#collection.write(sink);
  }
}

/**
 * Begins an assertion on a collection. Call it while the pipeline is built; it is checked when the pipeline has run, and keeps
 * the collection in memory until then.
 * @throws (when the job runs) ASSERTION_FAILED, which says what was expected, what was there, and where it was asserted
 *
 * @example
 * ```ts
 * await runTest((p) => {
 *   assertThat(p.create([1, 2])).containsInAnyOrder([2, 1]);
 * });
 * await runTest((p) => assertThat(p.create([1])).isEmpty()); // throws ASSERTION_FAILED
 * ```
 */
export function assertThat<T>(collection: PCollection<T>): Assertion<T> {
  return new Assertion(collection);
}

function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 120, maxArrayLength: 50 });
}

function showElement(element: Collected<unknown>): string {
  const { value, timestamp, window, pane } = element;
  return `${show(value)} at ${formatTimestamp(timestamp)} in ${formatWindow(window)}, ${pane.timing} pane ${pane.index}`;
}
