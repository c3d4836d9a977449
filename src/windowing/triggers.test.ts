import { describe, expect, test } from "vitest";
import { isTidemarkError } from "../base/errors.ts";
import type { Trigger } from "../model/trigger.ts";
import {
  afterAll,
  afterAny,
  afterCount,
  afterEach,
  afterProcessingTime,
  afterWatermark,
  always,
  continuationTrigger,
  defaultTrigger,
  mayFinish,
  never,
  orFinally,
  repeatedly,
  triggerToString,
} from "./triggers.ts";

const SYNCHRONIZED: Trigger = { kind: "afterSynchronizedProcessingTime" };

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error);
  }
}

/** Every kind of trigger: whether it may finish, what follows it after a grouping, and how it is written. */
const KINDS: readonly [text: string, trigger: Trigger, mayFinish: boolean, continuation: Trigger][] = [
  ["default", defaultTrigger(), false, defaultTrigger()],
  ["never", never(), true, never()],
  ["always", always(), false, always()],
  ["afterSynchronizedProcessingTime", SYNCHRONIZED, true, SYNCHRONIZED],
  ["afterCount(3)", afterCount(3), true, afterCount(1)],
  ["afterProcessingTime(1000 ms)", afterProcessingTime(1000), true, SYNCHRONIZED],
  ["afterWatermark()", afterWatermark(), true, afterWatermark()],
  [
    "afterWatermark(early: afterProcessingTime(5 ms))",
    afterWatermark({ early: afterProcessingTime(5) }),
    true,
    afterWatermark({ early: SYNCHRONIZED }),
  ],
  [
    "afterWatermark(late: afterCount(2))",
    afterWatermark({ late: afterCount(2) }),
    false,
    afterWatermark({ late: afterCount(1) }),
  ],
  [
    "afterWatermark(early: afterCount(3), late: afterCount(2))",
    afterWatermark({ early: afterCount(3), late: afterCount(2) }),
    false,
    afterWatermark({ early: afterCount(1), late: afterCount(1) }),
  ],
  ["repeatedly(afterCount(3))", repeatedly(afterCount(3)), false, repeatedly(afterCount(1))],
  [
    "afterAny(afterCount(3), afterProcessingTime(5 ms))",
    afterAny(afterCount(3), afterProcessingTime(5)),
    true,
    afterAny(afterCount(1), SYNCHRONIZED),
  ],
  [
    "afterAll(afterCount(3), afterProcessingTime(5 ms))",
    afterAll(afterCount(3), afterProcessingTime(5)),
    true,
    afterAll(afterCount(1), SYNCHRONIZED),
  ],
  [
    "afterEach(afterCount(3), afterProcessingTime(5 ms))",
    afterEach(afterCount(3), afterProcessingTime(5)),
    true,
    repeatedly(afterAny(afterCount(1), SYNCHRONIZED)),
  ],
  [
    "orFinally(repeatedly(afterCount(3)), afterWatermark())",
    orFinally(repeatedly(afterCount(3)), afterWatermark()),
    true,
    repeatedly(orFinally(repeatedly(afterCount(1)), afterWatermark())),
  ],
];

describe.each(KINDS)("%s", (text, trigger, finishes, continuation) => {
  test("is written so", () => {
    expect(triggerToString(trigger)).toBe(text);
  });

  test(`may ${finishes ? "" : "not "}finish`, () => {
    expect(mayFinish(trigger)).toBe(finishes);
  });

  test(`is followed by ${triggerToString(continuation)} after a grouping`, () => {
    expect(continuationTrigger(trigger)).toEqual(continuation);
  });

  test("is plain data, and its continuation frozen with all its parts", () => {
    expect(JSON.parse(JSON.stringify(trigger))).toEqual(trigger);
    const check = (value: unknown): void => {
      if (typeof value !== "object" || value === null || value === SYNCHRONIZED) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(check);
    };
    check(trigger);
    check(continuationTrigger(trigger));
  });
});

describe("mayFinish of triggers inside triggers", () => {
  const forever = repeatedly(afterCount(1));

  test.each<[boolean, Trigger]>([
    [true, afterAny(forever, forever)],
    [true, afterAll(forever, afterCount(1))],
    [false, afterEach(afterCount(1), forever)],
    [false, afterEach(forever, afterCount(1))],
    [false, orFinally(forever, forever)],
    [true, orFinally(afterCount(1), forever)],
    [false, repeatedly(orFinally(forever, afterWatermark()))],
    [true, afterWatermark({ early: forever })],
    [false, afterWatermark({ late: afterCount(1) })],
  ])("%s", (finishes, trigger) => {
    expect(mayFinish(trigger)).toBe(finishes);
  });
});

describe("arguments that make no sense", () => {
  test.each([[0], [-1], [1.5], [Number.NaN], [Infinity], ["3"], [undefined]])("a count of %s is refused", (count) => {
    expect(codeOf(() => afterCount(count as number))).toBe("TRIGGER_INVALID");
  });

  test.each([[-1], [Number.NaN], [Infinity], ["3"], [undefined]])("a delay of %s is refused", (delay) => {
    expect(codeOf(() => afterProcessingTime(delay as number))).toBe("TRIGGER_INVALID");
  });

  test("a delay of 0 is the moment of the first element, and stands", () => {
    expect(afterProcessingTime(0)).toEqual({ kind: "afterProcessingTime", delayMs: 0 });
  });

  test.each([[undefined], [null], ["afterCount"], [5], [{}], [afterWatermark]])("%s is no trigger", (value) => {
    const bad = value as Trigger;
    expect(codeOf(() => repeatedly(bad))).toBe("TRIGGER_INVALID");
    expect(codeOf(() => afterAny(afterCount(1), bad))).toBe("TRIGGER_INVALID");
    expect(codeOf(() => afterAll(bad))).toBe("TRIGGER_INVALID");
    expect(codeOf(() => afterEach(bad, afterCount(1)))).toBe("TRIGGER_INVALID");
    expect(codeOf(() => orFinally(bad, afterCount(1)))).toBe("TRIGGER_INVALID");
    expect(codeOf(() => orFinally(afterCount(1), bad))).toBe("TRIGGER_INVALID");
    if (bad === undefined) return;
    expect(codeOf(() => afterWatermark({ early: bad }))).toBe("TRIGGER_INVALID");
    expect(codeOf(() => afterWatermark({ late: bad }))).toBe("TRIGGER_INVALID");
  });

  test("several of no triggers are refused", () => {
    expect(codeOf(() => afterAny())).toBe("TRIGGER_INVALID");
    expect(codeOf(() => afterAll())).toBe("TRIGGER_INVALID");
    expect(codeOf(() => afterEach())).toBe("TRIGGER_INVALID");
  });
});
