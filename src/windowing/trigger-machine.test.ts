import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_TIMESTAMP } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";
import { TestWindow, type Moment } from "./test-window.fixture.ts";
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

const SEED = 20261123;

describe("default", () => {
  test("fires once the watermark has passed the window's last instant, then with each bundle", () => {
    const window = new TestWindow(defaultTrigger());
    expect(window.elements()).toBe(false);
    expect(window.watermark(9)).toBe(false);
    expect(window.watermark(10)).toBe(true);
    expect(window.elements()).toBe(true);
    expect(window.elements(3)).toBe(true);
    expect(window.finished).toBe(false);
  });
});

describe("never and always", () => {
  test("never does not fire even at the end of time", () => {
    const window = new TestWindow(never());
    expect([window.elements(100), window.clock(1e15), window.watermark(MAX_TIMESTAMP)]).toEqual([false, false, false]);
    expect(window.finished).toBe(false);
  });

  test("always fires whenever it is asked", () => {
    const window = new TestWindow(always());
    expect([window.elements(), window.elements(), window.watermark(5)]).toEqual([true, true, true]);
    expect(window.finished).toBe(false);
  });
});

describe("afterCount", () => {
  test("fires with the count-th element, for good", () => {
    const window = new TestWindow(afterCount(3));
    expect([window.elements(), window.elements(), window.elements()]).toEqual([false, false, true]);
    expect(window.finished).toBe(true);
  });

  test("a bundle that brings more fires once", () => {
    const window = new TestWindow(repeatedly(afterCount(3)));
    expect(window.elements(7)).toBe(true);
    expect([window.elements(), window.elements(), window.elements()]).toEqual([false, false, true]);
  });
});

describe("afterProcessingTime", () => {
  test("fires when the delay after the first element is over: then, not before, and for good", () => {
    const window = new TestWindow(afterProcessingTime(10));
    expect(window.due).toBeUndefined();
    window.clockSilently(100);
    window.elements();
    expect(window.due).toBe(110);
    window.clockSilently(105);
    window.elements();
    expect(window.due).toBe(110);
    expect(window.clock(109)).toBe(false);
    expect(window.clock(110)).toBe(true);
    expect(window.finished).toBe(true);
    expect(window.due).toBeUndefined();
  });

  test("repeated, the delay begins with the first element of the next pane", () => {
    const window = new TestWindow(repeatedly(afterProcessingTime(10)));
    window.elements();
    expect(window.clock(10)).toBe(true);
    expect(window.due).toBeUndefined();
    window.clockSilently(15);
    window.elements();
    expect(window.due).toBe(25);
    expect([window.clock(24), window.clock(25)]).toEqual([false, true]);
  });

  test("a delay that is over by the time of a bundle fires with the bundle", () => {
    const window = new TestWindow(afterProcessingTime(10));
    window.elements();
    window.clockSilently(30);
    expect(window.elements()).toBe(true);
  });

  test("a timer that has asked in vain is not asked for again", () => {
    const window = new TestWindow(afterAll(afterProcessingTime(10), afterCount(5)));
    window.elements();
    expect(window.clock(10)).toBe(false);
    expect(window.machine.nextProcessingTime(window.state, 10)).toBeUndefined();
    expect(window.due).toBe(10);
  });
});

describe("afterSynchronizedProcessingTime", () => {
  const trigger = repeatedly(continuationTrigger(afterProcessingTime(10)));

  test("does not fire with the bundles that bring panes, but when all is at rest, with all of them", () => {
    const window = new TestWindow(trigger);
    window.clockSilently(50);
    expect([window.elements(), window.elements()]).toEqual([false, false]);
    expect(window.due).toBe(50);
    expect(window.clock(50)).toBe(true);
    expect(window.clock(60)).toBe(false);
  });
});

describe("repeatedly", () => {
  test("begins its trigger anew, down to its last part", () => {
    const window = new TestWindow(repeatedly(afterEach(afterCount(1), afterAll(afterCount(2), afterCount(3)))));
    const fires = Array.from({ length: 8 }, () => window.elements());
    expect(fires).toEqual([true, false, false, true, true, false, false, true]);
    expect(window.finished).toBe(false);
  });
});

describe("afterAny", () => {
  test("fires with the first that is ready, for good", () => {
    const window = new TestWindow(afterAny(afterCount(3), afterProcessingTime(10)));
    expect(window.elements()).toBe(false);
    expect(window.clock(10)).toBe(true);
    expect(window.finished).toBe(true);
  });

  test("what fired as one part empties the pane of the others", () => {
    const window = new TestWindow(repeatedly(afterAny(afterCount(3), afterProcessingTime(10))));
    window.elements(2);
    expect(window.clock(10)).toBe(true);
    expect([window.elements(2), window.elements(1)]).toEqual([false, true]);
    expect(window.due).toBeUndefined();
  });

  test("fires once, even of parts that would go on", () => {
    const window = new TestWindow(afterAny(repeatedly(afterCount(1)), never()));
    expect(window.elements()).toBe(true);
    expect(window.finished).toBe(true);
  });
});

describe("afterAll", () => {
  test("fires when all are ready, for good", () => {
    const window = new TestWindow(afterAll(afterCount(2), afterProcessingTime(10), afterWatermark()));
    expect(window.elements(3)).toBe(false);
    expect(window.clock(10)).toBe(false);
    expect(window.watermark(10)).toBe(true);
    expect(window.finished).toBe(true);
  });

  test("fires once, even of parts that would go on", () => {
    const window = new TestWindow(afterAll(repeatedly(afterCount(1)), afterCount(1)));
    expect(window.elements()).toBe(true);
    expect(window.finished).toBe(true);
  });
});

describe("afterEach", () => {
  test("runs its parts in turn; the next one counts from its own turn on", () => {
    const window = new TestWindow(afterEach(afterCount(2), afterCount(3)));
    const fires = Array.from({ length: 5 }, () => window.elements());
    expect(fires).toEqual([false, true, false, false, true]);
    expect(window.finished).toBe(true);
  });

  test("a part that goes on for ever keeps its turn", () => {
    const window = new TestWindow(afterEach(repeatedly(afterCount(2)), afterCount(1)));
    window.elements(2);
    window.elements(2);
    expect(window.elements(1)).toBe(false);
    expect(window.finished).toBe(false);
  });

  test("M4 in merging windows too, what came before a firing does not count for the next part", () => {
    const window = new TestWindow(afterEach(afterCount(2), afterCount(3)), { merging: true });
    const fires = Array.from({ length: 5 }, () => window.elements());
    expect(fires).toEqual([false, true, false, false, true]);
  });
});

describe("orFinally", () => {
  test("`until` counts on across firings, and its own firing is the last", () => {
    const window = new TestWindow(orFinally(repeatedly(afterCount(2)), afterCount(5)));
    const fires = Array.from({ length: 5 }, () => window.elements());
    expect(fires).toEqual([false, true, false, true, true]);
    expect(window.finished).toBe(true);
  });

  test("finishes with its trigger too", () => {
    const window = new TestWindow(orFinally(afterCount(1), never()));
    expect(window.elements()).toBe(true);
    expect(window.finished).toBe(true);
  });
});

describe("afterWatermark", () => {
  test("fires at the window's end, for good", () => {
    const window = new TestWindow(afterWatermark());
    expect([window.elements(), window.watermark(9), window.watermark(10)]).toEqual([false, false, true]);
    expect(window.finished).toBe(true);
  });

  test("fires early as often as `early` does, and for the last time at the end", () => {
    const window = new TestWindow(afterWatermark({ early: afterCount(2) }));
    expect(Array.from({ length: 5 }, () => window.elements())).toEqual([false, true, false, true, false]);
    expect(window.finished).toBe(false);
    expect(window.watermark(10)).toBe(true);
    expect(window.finished).toBe(true);
  });

  test("`late` counts from the end on, and never finishes", () => {
    const window = new TestWindow(afterWatermark({ late: afterCount(2) }));
    expect(window.elements(5)).toBe(false);
    expect(window.watermark(10)).toBe(true);
    expect(Array.from({ length: 4 }, () => window.elements())).toEqual([false, true, false, true]);
    expect(window.finished).toBe(false);
  });

  test("an early delay that is under way at the end does not ask any more", () => {
    const window = new TestWindow(afterWatermark({ early: afterProcessingTime(10), late: afterProcessingTime(5) }));
    window.elements();
    expect(window.due).toBe(10);
    expect(window.watermark(10)).toBe(true);
    expect(window.due).toBeUndefined();
    window.clockSilently(3);
    expect(window.elements()).toBe(false);
    expect(window.due).toBe(8);
    expect([window.clock(7), window.clock(8)]).toEqual([false, true]);
  });

  test("early and late firings of several parts begin anew each time", () => {
    const window = new TestWindow(
      afterWatermark({ early: afterAll(afterCount(1), afterCount(2)), late: afterAny(afterCount(2), never()) }),
    );
    expect(Array.from({ length: 4 }, () => window.elements())).toEqual([false, true, false, true]);
    expect(window.watermark(10)).toBe(true);
    expect(Array.from({ length: 4 }, () => window.elements())).toEqual([false, true, false, true]);
  });

  test("M4 in merging windows `late` has not seen what came before the end", () => {
    const window = new TestWindow(afterWatermark({ late: afterCount(2) }), { merging: true });
    window.elements(5);
    expect(window.watermark(10)).toBe(true);
    expect([window.elements(), window.elements()]).toEqual([false, true]);
  });
});

describe("any trigger", () => {
  const { trigger: triggers } = fc.letrec<{ trigger: Trigger }>((tie) => {
    const part = tie("trigger");
    const parts = fc.array(part, { minLength: 1, maxLength: 3 });
    return {
      trigger: fc.oneof(
        { maxDepth: 3, depthIdentifier: "trigger" },
        fc.constantFrom(
          defaultTrigger(),
          never(),
          always(),
          afterWatermark(),
          continuationTrigger(afterProcessingTime(1)),
        ),
        fc.integer({ min: 1, max: 4 }).map(afterCount),
        fc.integer({ min: 0, max: 5 }).map(afterProcessingTime),
        part.map(repeatedly),
        parts.map((of) => afterAny(...of)),
        parts.map((of) => afterAll(...of)),
        parts.map((of) => afterEach(...of)),
        fc.tuple(part, part).map(([of, until]) => orFinally(of, until)),
        fc.record({ early: part, late: part }, { requiredKeys: [] }).map(afterWatermark),
      ),
    };
  });
  type Step = { readonly do: "elements" | "clock" | "watermark" | "new" | "merge"; readonly by: number };
  const scripts = fc.array(
    fc.record<Step>({
      do: fc.constantFrom("elements", "elements", "clock", "watermark", "new", "merge"),
      by: fc.integer({ min: 1, max: 6 }),
    }),
    { maxLength: 25 },
  );

  /** Plays a script over windows that come and merge; calls back after each step. Windows that have finished are left alone. */
  function play(trigger: Trigger, merging: boolean, steps: readonly Step[], check: (window: TestWindow) => void): void {
    const moment: Moment = { watermark: 0, processingTime: 0 };
    const open = (maxTimestamp: number): TestWindow => new TestWindow(trigger, { merging, moment, maxTimestamp });
    let windows = [open(9)];
    for (const step of steps) {
      windows = windows.filter(({ finished }) => !finished);
      const window = windows[step.by % Math.max(windows.length, 1)];
      if (step.do === "new" || window === undefined) windows.push(open(moment.watermark + step.by));
      else if (step.do === "elements") window.elements(step.by);
      else if (step.do === "clock") window.clock(moment.processingTime + step.by);
      else if (step.do === "watermark") window.watermark(moment.watermark + step.by);
      else if (merging) {
        const [first, second, ...rest] = windows;
        if (first !== undefined && second !== undefined)
          windows = [TestWindow.merged([first, second], trigger), ...rest];
      }
      windows.forEach(check);
    }
  }

  test("what mayFinish denies never finishes, in merging windows either", () => {
    fc.assert(
      fc.property(triggers, fc.boolean(), scripts, (trigger, merging, steps) => {
        fc.pre(!mayFinish(trigger));
        play(trigger, merging, steps, ({ finished }) => expect(finished, triggerToString(trigger)).toBe(false));
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test("M3 where nothing counts elements, a second one changes nothing, whenever it comes", () => {
    fc.assert(
      fc.property(triggers, fc.boolean(), scripts, fc.nat(20), (trigger, merging, steps, later) => {
        play(trigger, merging, steps, ({ machine, state, finished, moment, maxTimestamp }) => {
          if (machine.counts || finished) return;
          const { watermark, processingTime } = moment;
          const told = structuredClone(state);
          machine.onElement(told, { watermark, processingTime, maxTimestamp, atRest: false });
          const again = structuredClone(told);
          const then = { watermark: watermark + later, processingTime: processingTime + later };
          machine.onElement(again, { ...then, maxTimestamp, atRest: false });
          expect(again, triggerToString(trigger)).toEqual(told);
        });
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test("M1 M2 asking changes nothing, and states survive being written down at any time", () => {
    fc.assert(
      fc.property(triggers, fc.boolean(), scripts, (trigger, merging, steps) => {
        // TestWindow asks, and writes down, between any two steps.
        play(trigger, merging, steps, () => undefined);
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test("what the clock alone makes fire was announced by nextProcessingTime", () => {
    fc.assert(
      fc.property(triggers, scripts, (trigger, steps) => {
        play(trigger, false, steps, (window) => {
          if (window.finished) return;
          const { watermark, processingTime } = window.moment;
          const at = (time: number): boolean =>
            window.machine.shouldFire(window.state, {
              watermark,
              processingTime: time,
              maxTimestamp: window.maxTimestamp,
              atRest: true,
            });
          if (at(processingTime) || !at(1e9)) return;
          // One of the announced times is the first at which it fires.
          let time = window.machine.nextProcessingTime(window.state, processingTime);
          while (time !== undefined && !at(time)) time = window.machine.nextProcessingTime(window.state, time);
          expect(time, triggerToString(trigger)).toBeDefined();
          expect(at((time as number) - 1)).toBe(false);
        });
      }),
      { seed: SEED, numRuns: 400 },
    );
  });
});
