import { describe, expect, test } from "vitest";
import { isTidemarkError } from "../base/errors.ts";
import { days, END_OF_GLOBAL_WINDOW, MAX_TIMESTAMP, seconds } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";
import { GLOBAL_WINDOW, GLOBAL_WINDOWS, IntervalWindow } from "../model/window.ts";
import {
  afterGrouping,
  checkTriggerSafe,
  DEFAULT_WINDOWING,
  expiryTime,
  isExpired,
  windowingStrategy,
  type WindowingOptions,
} from "./strategy.ts";
import {
  afterAny,
  afterCount,
  afterEach,
  afterProcessingTime,
  afterWatermark,
  always,
  defaultTrigger,
  never,
  orFinally,
  repeatedly,
} from "./triggers.ts";
import { fixedWindows, sessions } from "./window-fns.ts";

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error);
  }
}

describe("windowingStrategy", () => {
  test("S1 every choice that is left open has its default", () => {
    const windowFn = fixedWindows(10);
    expect(windowingStrategy(windowFn)).toEqual({
      windowFn,
      trigger: { kind: "default" },
      accumulation: "discarding",
      allowedLateness: 0,
      timestampCombiner: "endOfWindow",
      closingBehavior: "fireIfNonEmpty",
      onTimeBehavior: "fireAlways",
    });
    expect(Object.isFrozen(windowingStrategy(windowFn))).toBe(true);
  });

  test("S1 every choice that is made stands", () => {
    const options: WindowingOptions = {
      trigger: repeatedly(afterCount(2)),
      accumulation: "accumulating",
      allowedLateness: seconds(30),
      timestampCombiner: "latest",
      closingBehavior: "fireAlways",
      onTimeBehavior: "fireIfNonEmpty",
    };
    expect(windowingStrategy(fixedWindows(10), options)).toMatchObject(options);
  });

  test("collections begin in the global window, with the default trigger", () => {
    expect(DEFAULT_WINDOWING).toMatchObject({ windowFn: { kind: "global" }, trigger: { kind: "default" } });
  });

  test.each<[code: string, options: Record<string, unknown>]>([
    ["WINDOW_INVALID", { allowedLateness: -1 }],
    ["WINDOW_INVALID", { allowedLateness: Number.NaN }],
    ["WINDOW_INVALID", { allowedLateness: Infinity }],
    ["WINDOW_INVALID", { allowedLateness: "30" }],
    ["WINDOW_INVALID", { accumulation: "accumulate" }],
    ["WINDOW_INVALID", { timestampCombiner: "end" }],
    ["WINDOW_INVALID", { closingBehavior: "always" }],
    ["WINDOW_INVALID", { onTimeBehavior: true }],
    ["TRIGGER_INVALID", { trigger: afterWatermark }],
    ["TRIGGER_INVALID", { trigger: null }],
  ])("S1 %s: %j", (code, options) => {
    expect(codeOf(() => windowingStrategy(fixedWindows(10), options as WindowingOptions))).toBe(code);
  });

  test("the error names the choices", () => {
    const options = { accumulation: "accumulate" } as unknown as WindowingOptions;
    expect(() => windowingStrategy(fixedWindows(10), options)).toThrow(
      /is "accumulate"\n.*"accumulating", "discarding"/,
    );
  });
});

describe("expiry", () => {
  const window = new IntervalWindow(0, 10);

  test.each<[lateness: number, expiry: number]>([
    [0, 9],
    [1, 10],
    [100, 109],
  ])("a window that ends after 9 expires, with a lateness of %d, after %d", (lateness, expiry) => {
    expect(expiryTime(window, lateness)).toBe(expiry);
    expect(isExpired(window, lateness, expiry)).toBe(false);
    expect(isExpired(window, lateness, expiry + 1)).toBe(true);
  });

  test.each([[0], [1], [days(1)], [days(365)], [Number.MAX_VALUE]])(
    "S2 the global window expires at its end, with a lateness of %d too, and before the end of time",
    (lateness) => {
      expect(expiryTime(GLOBAL_WINDOW, lateness)).toBe(END_OF_GLOBAL_WINDOW);
      expect(isExpired(GLOBAL_WINDOW, lateness, END_OF_GLOBAL_WINDOW)).toBe(false);
      expect(isExpired(GLOBAL_WINDOW, lateness, MAX_TIMESTAMP)).toBe(true);
    },
  );

  test("S2 no lateness carries a window past the end of the global window", () => {
    expect(expiryTime(window, Number.MAX_VALUE)).toBe(END_OF_GLOBAL_WINDOW);
    expect(expiryTime(window, END_OF_GLOBAL_WINDOW)).toBe(END_OF_GLOBAL_WINDOW);
    const [last] = fixedWindows(seconds(5)).assign(MAX_TIMESTAMP, undefined, GLOBAL_WINDOWS) as [IntervalWindow];
    expect(expiryTime(last, seconds(30))).toBe(END_OF_GLOBAL_WINDOW);
    expect(isExpired(last, seconds(30), MAX_TIMESTAMP)).toBe(true);
  });

  test("S2 a custom window that ends later expires at its end", () => {
    const late = { maxTimestamp: MAX_TIMESTAMP, id: "late" };
    expect(expiryTime(late, 0)).toBe(MAX_TIMESTAMP);
  });
});

describe("after a grouping", () => {
  test("the trigger goes on as its continuation, and the rest stays", () => {
    const windowing = windowingStrategy(fixedWindows(10), {
      trigger: repeatedly(afterCount(5)),
      accumulation: "accumulating",
      allowedLateness: 3,
    });
    expect(afterGrouping(windowing)).toEqual({ ...windowing, trigger: repeatedly(afterCount(1)) });
    expect(afterGrouping(windowing).windowFn).toBe(windowing.windowFn);
  });

  test("sessions that have merged do not merge again, and are another function than sessions that do", () => {
    const before = windowingStrategy(sessions(10));
    const after = afterGrouping(before).windowFn;
    expect(after.merge).toBeUndefined();
    expect(after.name).not.toBe(before.windowFn.name);
    const window = new IntervalWindow(3, 20);
    expect(after.fromData(after.toData(window))).toEqual(window);
    expect(codeOf(() => after.sideInputWindow(window))).toBe("SIDE_INPUT_MERGING_WINDOWS");
  });
});

describe("checkTriggerSafe", () => {
  const safe = (trigger: Trigger, lateness: number): boolean =>
    codeOf(() => checkTriggerSafe(trigger, lateness, false)) === undefined;

  test.each<[Trigger]>([
    [defaultTrigger()],
    [always()],
    [never()],
    [repeatedly(afterCount(1))],
    [afterWatermark({ late: afterCount(1) })],
    [afterWatermark({ early: afterCount(1), late: afterCount(1) })],
    [afterEach(afterCount(1), repeatedly(afterCount(10)))],
    [repeatedly(orFinally(repeatedly(afterCount(1)), afterWatermark()))],
  ])("%j never drops what comes after it, with any lateness", (trigger) => {
    expect([safe(trigger, 0), safe(trigger, 1)]).toEqual([true, true]);
  });

  test.each<[Trigger]>([[afterWatermark()], [afterWatermark({ early: repeatedly(afterCount(1)) })]])(
    "%j is safe without lateness alone",
    (trigger) => {
      expect([safe(trigger, 0), safe(trigger, 1)]).toEqual([true, false]);
    },
  );

  test.each<[Trigger]>([
    [afterCount(1)],
    [afterProcessingTime(5)],
    [afterAny(repeatedly(afterCount(1)), repeatedly(afterCount(2)))],
    [orFinally(repeatedly(afterCount(1)), afterWatermark())],
    [afterEach(afterCount(1), afterWatermark())],
  ])("%j is refused, unless the program allows it", (trigger) => {
    expect([safe(trigger, 0), safe(trigger, 1)]).toEqual([false, false]);
    expect(codeOf(() => checkTriggerSafe(trigger, 0, false))).toBe("UNSAFE_TRIGGER");
    expect(codeOf(() => checkTriggerSafe(trigger, 1, true))).toBeUndefined();
  });

  test("the error says which trigger, and how to write it", () => {
    expect(() => checkTriggerSafe(afterCount(3), 0, false)).toThrow(
      /afterCount\(3\) may finish[^]*repeatedly\(trigger\)/,
    );
  });
});
