/**
 * Triggers as users write them, and what can be said of a trigger without running it: plain, frozen data.
 * Path: the program's windowInto -> HERE -> strategy.ts; what triggers do is in trigger-machine.ts.
 *
 * T1 What `mayFinish` denies never finishes in trigger-machine.ts: no trigger that is let through unasked drops elements.
 */
import { unreachable } from "../base/assert.ts";
import { TidemarkError } from "../base/errors.ts";
import type { Trigger } from "../model/trigger.ts";

function invalid(what: string, why: string, fix: string): TidemarkError {
  return new TidemarkError("TRIGGER_INVALID", { what, why, fix });
}

/** @throws TRIGGER_INVALID when `value` is no trigger; `where` says who got it */
export function checkTrigger(where: string, value: unknown): void {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== "string") {
    throw invalid(
      `${where} got ${String(value)} as a trigger`,
      "a trigger is made by afterCount(…), afterWatermark(…) and the like",
      "call the function, as in afterWatermark()",
    );
  }
}

const DEFAULT: Trigger = Object.freeze({ kind: "default" });
const NEVER: Trigger = Object.freeze({ kind: "never" });
const ALWAYS: Trigger = Object.freeze({ kind: "always" });

/**
 * Fires when the watermark passes the window's end, then with each bundle of late elements. What a windowing has unless it
 * says otherwise.
 *
 * @example
 * ```ts
 * p.create(["a", "a"])
 *   .apply(windowInto(fixedWindows(seconds(60)), { trigger: defaultTrigger() }))
 *   .apply(countPerElement()); // -> ["a", 2]
 * ```
 */
export function defaultTrigger(): Trigger {
  return DEFAULT;
}

/**
 * Fires only when the window expires: with its end and the allowed lateness past.
 *
 * @example
 * ```ts
 * const clicks = testStream<string>().addElements(at(1000, "a")).advanceWatermarkTo(60_000).addElements(at(2000, "a"));
 * p.apply(clicks.advanceWatermarkToInfinity())
 *   .apply(windowInto(fixedWindows(seconds(60)), { trigger: never(), allowedLateness: seconds(30) }))
 *   .apply(countPerElement()); // -> ["a", 2]
 * ```
 */
export function never(): Trigger {
  return NEVER;
}

/**
 * Fires with every bundle of elements. How many elements that is, is the engine's choice.
 *
 * @example
 * ```ts
 * p.apply(testStream<string>().addElements(at(0, "a")).addElements(at(0, "a")).advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger: always(), accumulation: "accumulating" }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 1], ["EARLY", 2], ["ON_TIME", 2]
 * ```
 */
export function always(): Trigger {
  return ALWAYS;
}

/**
 * Fires when the watermark passes the window's end; `early` panes before, `late` panes after, each as often as it fires.
 * Without `late` a window with allowed lateness closes at its end, which is refused as UNSAFE_TRIGGER.
 * @throws TRIGGER_INVALID when `early` or `late` is no trigger
 *
 * @example
 * ```ts
 * const clicks = testStream<string>()
 *   .addElements(at(1000, "a"))
 *   .advanceProcessingTime(seconds(1))
 *   .addElements(at(2000, "a"))
 *   .advanceWatermarkTo(60_000)
 *   .addElements(at(3000, "a"));
 * p.apply(clicks.advanceWatermarkToInfinity())
 *   .apply(
 *     windowInto(fixedWindows(seconds(60)), {
 *       trigger: afterWatermark({ early: afterProcessingTime(seconds(1)), late: afterCount(1) }),
 *       accumulation: "accumulating",
 *       allowedLateness: seconds(30),
 *     }),
 *   )
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 1], ["ON_TIME", 2], ["LATE", 3]
 * ```
 */
export function afterWatermark(options: { readonly early?: Trigger; readonly late?: Trigger } = {}): Trigger {
  if (options.early !== undefined) checkTrigger("afterWatermark({ early })", options.early);
  if (options.late !== undefined) checkTrigger("afterWatermark({ late })", options.late);
  return Object.freeze({
    kind: "afterWatermark",
    ...(options.early && { early: options.early }),
    ...(options.late && { late: options.late }),
  });
}

/**
 * Fires once when the pane has `count` elements or more; a bundle may bring more.
 * @throws TRIGGER_INVALID when `count` is not a whole number of 1 or more
 *
 * @example
 * ```ts
 * p.apply(testStream<string>().addElements(at(0, "a")).addElements(at(0, "a")).advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger: repeatedly(afterCount(2)) }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 2], ["ON_TIME", 0]
 * ```
 */
export function afterCount(count: number): Trigger {
  if (!Number.isInteger(count) || count < 1)
    throw invalid(`afterCount got ${String(count)}`, "a count is a whole number from 1", "write afterCount(1) or more");
  return Object.freeze({ kind: "afterCount", count });
}

/**
 * Fires once, `delay` milliseconds of processing time after the pane's first element.
 * @throws TRIGGER_INVALID when `delay` is not a number of 0 or more
 *
 * @example
 * ```ts
 * const clicks = testStream<string>().addElements(at(0, "a")).advanceProcessingTime(999).addElements(at(0, "a"));
 * p.apply(clicks.advanceProcessingTime(1).addElements(at(0, "a")).advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger: repeatedly(afterProcessingTime(seconds(1))) }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 2], ["ON_TIME", 1]
 * ```
 */
export function afterProcessingTime(delay: number): Trigger {
  if (!Number.isFinite(delay) || delay < 0) {
    throw invalid(
      `afterProcessingTime got ${String(delay)}`,
      "a delay is a number of milliseconds from 0",
      "write for example afterProcessingTime(seconds(1))",
    );
  }
  return Object.freeze({ kind: "afterProcessingTime", delayMs: delay });
}

/**
 * Fires as `trigger` does, and starts it again each time it has finished.
 * @throws TRIGGER_INVALID when `trigger` is none
 *
 * @example
 * ```ts
 * p.apply(testStream<string>().addElements(at(0, "a")).addElements(at(0, "a")).advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger: repeatedly(afterCount(1)) }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 1], ["EARLY", 1], ["ON_TIME", 0]
 * ```
 */
export function repeatedly(trigger: Trigger): Trigger {
  checkTrigger("repeatedly", trigger);
  return Object.freeze({ kind: "repeatedly", of: trigger });
}

function several(kind: "afterAny" | "afterAll" | "afterEach", triggers: readonly Trigger[]): Trigger {
  if (triggers.length === 0)
    throw invalid(
      `${kind} got no triggers`,
      "it stands for the triggers inside it",
      `write ${kind}(afterCount(10), …)`,
    );
  for (const trigger of triggers) checkTrigger(kind, trigger);
  return Object.freeze({ kind, of: Object.freeze([...triggers]) });
}

/**
 * Fires once, as soon as one of them does.
 * @throws TRIGGER_INVALID without triggers
 *
 * @example
 * ```ts
 * const trigger = repeatedly(afterAny(afterCount(100), afterProcessingTime(seconds(10))));
 * p.apply(testStream<string>().addElements(at(0, "a")).advanceProcessingTime(10_000).advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 1], ["ON_TIME", 0]
 * ```
 */
export function afterAny(...triggers: readonly Trigger[]): Trigger {
  return several("afterAny", triggers);
}

/**
 * Fires once, when all of them would.
 * @throws TRIGGER_INVALID without triggers
 *
 * @example
 * ```ts
 * const clicks = testStream<string>().addElements(at(0, "a")).advanceProcessingTime(10_000).addElements(at(0, "a"));
 * p.apply(clicks.advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger: repeatedly(afterAll(afterCount(2), afterProcessingTime(seconds(10)))) }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 2], ["ON_TIME", 0]
 * ```
 */
export function afterAll(...triggers: readonly Trigger[]): Trigger {
  return several("afterAll", triggers);
}

/**
 * Runs them one after the other, each until it has finished; fires each time the one in turn does.
 * @throws TRIGGER_INVALID without triggers
 *
 * @example
 * ```ts
 * const one = testStream<string>().addElements(at(0, "a"));
 * p.apply(one.addElements(at(0, "a")).addElements(at(0, "a")).advanceWatermarkToInfinity())
 *   .apply(windowInto(globalWindows(), { trigger: afterEach(afterCount(1), repeatedly(afterCount(2))) }))
 *   .apply(countPerElement())
 *   .map(([, count], { pane }) => [pane.timing, count]); // -> ["EARLY", 1], ["EARLY", 2], ["ON_TIME", 0]
 * ```
 */
export function afterEach(...triggers: readonly Trigger[]): Trigger {
  return several("afterEach", triggers);
}

/**
 * Fires as `trigger` does, and for the last time when `until` does, which counts on across firings. After that the window takes
 * no more elements: a program has to ask for it with `allowUnsafeTriggers`.
 * @throws TRIGGER_INVALID when one of them is no trigger
 *
 * @example
 * ```ts
 * const build = (p: Pipeline): void => {
 *   const three = p.apply(testStream<string>().addElements(at(0, "a")).addElements(at(0, "a")).advanceWatermarkToInfinity());
 *   const trigger = orFinally(repeatedly(afterCount(1)), afterCount(2));
 *   const counts = three.apply(windowInto(globalWindows(), { trigger })).apply(countPerElement());
 *   assertThat(counts).containsInAnyOrder([["a", 1], ["a", 1]]);
 * };
 * await runTest(build, { allowUnsafeTriggers: true });
 * await runTest(build); // throws UNSAFE_TRIGGER
 * ```
 */
export function orFinally(trigger: Trigger, until: Trigger): Trigger {
  checkTrigger("orFinally", trigger);
  checkTrigger("orFinally", until);
  return Object.freeze({ kind: "orFinally", of: trigger, until });
}

/** The trigger of a grouping whose input was already grouped under `trigger`: it passes panes on as they come. */
export function continuationTrigger(trigger: Trigger): Trigger {
  switch (trigger.kind) {
    case "default":
    case "never":
    case "always":
    case "afterSynchronizedProcessingTime":
      return trigger;
    case "afterCount":
      return afterCount(1);
    case "afterProcessingTime":
      return Object.freeze({ kind: "afterSynchronizedProcessingTime" });
    case "afterWatermark":
      return afterWatermark({
        ...(trigger.early && { early: continuationTrigger(trigger.early) }),
        ...(trigger.late && { late: continuationTrigger(trigger.late) }),
      });
    case "repeatedly":
      return repeatedly(continuationTrigger(trigger.of));
    case "afterAny":
      return afterAny(...trigger.of.map(continuationTrigger));
    case "afterAll":
      return afterAll(...trigger.of.map(continuationTrigger));
    case "afterEach":
      // Which of them upstream has come to is not known here: any of their continuations passes a pane on.
      return repeatedly(afterAny(...trigger.of.map(continuationTrigger)));
    case "orFinally":
      return repeatedly(orFinally(continuationTrigger(trigger.of), continuationTrigger(trigger.until)));
    default:
      return unreachable(trigger);
  }
}

/**
 * Whether the trigger may come to a point after which it never fires again, and its window takes no more elements.
 *
 * As in Beam: what fires once may finish; `afterWatermark` without late firings may; one of a sequence that does not is enough
 * for the sequence not to.
 */
export function mayFinish(trigger: Trigger): boolean {
  switch (trigger.kind) {
    case "default":
    case "always":
    case "repeatedly":
      return false;
    case "never":
    case "afterCount":
    case "afterProcessingTime":
    case "afterSynchronizedProcessingTime":
    case "afterAny":
    case "afterAll":
      return true;
    case "afterWatermark":
      return trigger.late === undefined;
    case "afterEach":
      return trigger.of.every(mayFinish);
    case "orFinally":
      return mayFinish(trigger.of) || mayFinish(trigger.until);
    default:
      return unreachable(trigger);
  }
}

/** As it would be written. */
export function triggerToString(trigger: Trigger): string {
  switch (trigger.kind) {
    case "default":
    case "never":
    case "always":
    case "afterSynchronizedProcessingTime":
      return trigger.kind;
    case "afterCount":
      return `afterCount(${trigger.count})`;
    case "afterProcessingTime":
      return `afterProcessingTime(${trigger.delayMs} ms)`;
    case "afterWatermark": {
      const parts = [
        trigger.early && `early: ${triggerToString(trigger.early)}`,
        trigger.late && `late: ${triggerToString(trigger.late)}`,
      ];
      return `afterWatermark(${parts.filter((part) => part !== undefined).join(", ")})`;
    }
    case "repeatedly":
      return `repeatedly(${triggerToString(trigger.of)})`;
    case "afterAny":
    case "afterAll":
    case "afterEach":
      return `${trigger.kind}(${trigger.of.map(triggerToString).join(", ")})`;
    case "orFinally":
      return `orFinally(${triggerToString(trigger.of)}, ${triggerToString(trigger.until)})`;
    default:
      return unreachable(trigger);
  }
}
