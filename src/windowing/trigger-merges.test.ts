import { describe, expect, test } from "vitest";
import { MIN_TIMESTAMP } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";
import { TestWindow, type Moment } from "./test-window.fixture.ts";
import {
  afterAll,
  afterAny,
  afterCount,
  afterEach,
  afterProcessingTime,
  afterWatermark,
  defaultTrigger,
  never,
  orFinally,
  repeatedly,
} from "./triggers.ts";

describe("merges", () => {
  /** Two windows of one moment, that end after 9 and after 19. */
  function pair(trigger: Trigger): [TestWindow, TestWindow] {
    const moment: Moment = { watermark: MIN_TIMESTAMP, processingTime: 0 };
    return [
      new TestWindow(trigger, { merging: true, moment, maxTimestamp: 9 }),
      new TestWindow(trigger, { merging: true, moment, maxTimestamp: 19 }),
    ];
  }

  test("afterCount: the counts add up", () => {
    const trigger = afterCount(5);
    const [a, b] = pair(trigger);
    a.elements(2);
    b.elements(2);
    expect(TestWindow.merged([a, b], trigger).elements()).toBe(true);
  });

  test("afterCount: finished in one is finished", () => {
    const trigger = afterCount(2);
    const [a, b] = pair(trigger);
    a.elements(2);
    b.elements(1);
    expect(TestWindow.merged([a, b], trigger).finished).toBe(true);
  });

  test("afterCount: enough together is ready to fire, and has not finished", () => {
    const trigger = repeatedly(afterCount(3));
    const [a, b] = pair(trigger);
    a.elements(2);
    b.elements(2);
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.watermark(0)).toBe(true);
    expect([merged.elements(2), merged.elements(1)]).toEqual([false, true]);
  });

  test("afterProcessingTime: the earliest delay counts", () => {
    const trigger = afterProcessingTime(10);
    const [a, b] = pair(trigger);
    b.elements();
    a.clockSilently(4);
    a.elements();
    expect(TestWindow.merged([a, b], trigger).due).toBe(10);
    expect(TestWindow.merged([b, a], trigger).due).toBe(10);
  });

  test("afterProcessingTime: without an element no delay has begun", () => {
    const trigger = repeatedly(afterProcessingTime(10));
    const [a, b] = pair(trigger);
    a.elements();
    a.clock(10);
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.due).toBeUndefined();
    merged.elements();
    expect(merged.due).toBe(20);
  });

  test("afterProcessingTime: a delay that was over in a window is waited for again", () => {
    const trigger = afterEach(afterProcessingTime(10), repeatedly(afterCount(1)));
    const [a, b] = pair(trigger);
    a.elements();
    expect(a.clock(10)).toBe(true);
    b.elements();
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.elements()).toBe(false);
    expect(merged.clock(20)).toBe(true);
  });

  test("default: a merged window that ends later waits for its own end", () => {
    const trigger = defaultTrigger();
    const [a, b] = pair(trigger);
    a.elements();
    expect(a.watermark(10)).toBe(true);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.elements(), merged.watermark(20)]).toEqual([false, true]);
  });

  test("afterAny: finished where one part is", () => {
    const trigger = afterAny(afterCount(2), afterProcessingTime(10));
    const [a, b] = pair(trigger);
    a.elements(2);
    expect(TestWindow.merged([a, b], trigger).finished).toBe(true);
  });

  test("afterAny: parts go on with what they have together", () => {
    const trigger = afterAny(afterCount(4), never());
    const [a, b] = pair(trigger);
    a.elements(2);
    b.elements(1);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.finished, merged.elements()]).toEqual([false, true]);
  });

  test("afterAll: finished where all parts are; else the others are waited for", () => {
    const trigger = afterAll(afterCount(2), afterWatermark());
    const [a, b] = pair(trigger);
    a.elements(2);
    expect(a.watermark(10)).toBe(true);
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.finished).toBe(false);
    expect([merged.elements(), merged.watermark(20)]).toEqual([false, true]);
  });

  test("afterAll: parts that have finished are not fired again", () => {
    const trigger = afterAll(afterEach(afterCount(1)), afterWatermark());
    const [a, b] = pair(trigger);
    a.elements();
    expect(a.watermark(10)).toBe(true);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.watermark(20), merged.finished]).toEqual([true, true]);
  });

  test("afterEach: goes back to the first part that is not finished any more", () => {
    const trigger = afterEach(afterWatermark(), repeatedly(afterCount(1)));
    const [a, b] = pair(trigger);
    a.elements();
    expect(a.watermark(10)).toBe(true);
    expect(a.elements()).toBe(true);
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.elements()).toBe(false);
    expect(merged.watermark(20)).toBe(true);
    expect(merged.elements()).toBe(true);
  });

  test("afterEach: parts after the one in turn have not started, even those that had finished", () => {
    const trigger = afterEach(afterWatermark(), afterCount(1), repeatedly(afterCount(5)));
    const [a, b] = pair(trigger);
    a.elements();
    expect([a.watermark(10), a.elements()]).toEqual([true, true]);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.elements(), merged.watermark(20)]).toEqual([false, true]);
    expect([merged.elements(), merged.elements()]).toEqual([true, false]);
  });

  test("afterEach: the part in turn has seen the elements of windows where it was not its turn yet", () => {
    const trigger = afterEach(afterCount(2), afterCount(4));
    const [a, b] = pair(trigger);
    a.elements(2);
    b.elements(1);
    a.elements(1);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.elements(1), merged.elements(1)]).toEqual([false, true]);
    expect(merged.finished).toBe(true);
  });

  test("orFinally: finished where one part is", () => {
    const trigger = orFinally(repeatedly(afterCount(1)), afterCount(3));
    const [a, b] = pair(trigger);
    a.elements(3);
    expect(TestWindow.merged([a, b], trigger).finished).toBe(true);
  });

  test("orFinally: `until` adds up across windows", () => {
    const trigger = orFinally(repeatedly(afterCount(10)), afterCount(3));
    const [a, b] = pair(trigger);
    a.elements(1);
    b.elements(1);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.elements(), merged.finished]).toEqual([true, true]);
  });

  test("afterWatermark: finished stays finished only where the merged window has ended too", () => {
    const trigger = afterWatermark();
    const [a, b] = pair(trigger);
    a.elements();
    b.elements();
    a.watermark(10);
    expect(a.finished).toBe(true);
    const merged = TestWindow.merged([a], trigger);
    expect(merged.finished).toBe(true);
    const later = TestWindow.merged([a, b], trigger);
    expect([later.finished, later.watermark(20), later.finished]).toEqual([false, true, true]);
  });

  test.each([[{}], [{ late: afterCount(1) }]])(
    "afterWatermark(%j): fired everywhere, an end that has moved on is fired too",
    (parts) => {
      const trigger = afterWatermark(parts);
      const [a, b] = pair(trigger);
      a.elements();
      b.elements();
      expect([a.watermark(20), b.watermark(20)]).toEqual([true, true]);
      const merged = TestWindow.merged([a, b], trigger, 29);
      expect(merged.finished).toBe(false);
      expect([merged.elements(), merged.watermark(29), merged.watermark(30)]).toEqual([false, false, true]);
    },
  );

  test("afterWatermark: a window whose end has not been fired fires it for all", () => {
    const trigger = afterWatermark({ late: afterCount(5) });
    const [a, b] = pair(trigger);
    a.elements();
    b.elements();
    a.watermark(20);
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.watermark(20)).toBe(true);
    expect(merged.elements(4)).toBe(false);
    expect(merged.elements(1)).toBe(true);
  });

  test("afterWatermark: ended and fired everywhere, `late` goes on with what it has together", () => {
    const trigger = afterWatermark({ early: afterCount(1), late: afterCount(5) });
    const [a, b] = pair(trigger);
    a.elements();
    b.elements();
    expect([a.watermark(20), b.watermark(20)]).toEqual([true, true]);
    a.elements(2);
    b.elements(2);
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.watermark(20), merged.elements()]).toEqual([false, true]);
  });

  test("afterWatermark: a merged window that has not ended fires early again, and late from nothing", () => {
    const trigger = afterWatermark({ early: afterCount(3), late: afterCount(2) });
    const [a, b] = pair(trigger);
    a.elements();
    expect(a.watermark(10)).toBe(true);
    // Late for its own window, and not counted towards an early pane of the merged one.
    a.elements();
    b.elements();
    const merged = TestWindow.merged([a, b], trigger);
    expect([merged.elements(), merged.elements()]).toEqual([false, true]);
    expect(merged.elements()).toBe(false);
    expect(merged.watermark(20)).toBe(true);
    expect([merged.elements(), merged.elements()]).toEqual([false, true]);
  });

  test("afterWatermark: early delays go on in the merged window", () => {
    const trigger = afterWatermark({ early: afterProcessingTime(10) });
    const [a, b] = pair(trigger);
    a.elements();
    b.clockSilently(3);
    b.elements();
    const merged = TestWindow.merged([a, b], trigger);
    expect(merged.due).toBe(10);
    expect([merged.clock(10), merged.finished]).toEqual([true, false]);
  });
});
