import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";
import { compileTrigger, type TriggerMachine, type TriggerState } from "./trigger-machine.ts";
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

/** Watermark and clock: what all windows of a test share. */
interface Moment {
  watermark: number;
  processingTime: number;
}

/**
 * One window's trigger, asked after each thing that happens, as a lane does. Each method tells whether it fired.
 * Between two things the state is written down and read back (M2).
 */
class TestWindow {
  readonly machine: TriggerMachine;
  readonly moment: Moment;
  readonly maxTimestamp: number;
  state: TriggerState;
  fired = 0;

  constructor(trigger: Trigger, options: { merging?: boolean; maxTimestamp?: number; moment?: Moment } = {}) {
    this.machine = compileTrigger(trigger, options.merging ?? false);
    this.maxTimestamp = options.maxTimestamp ?? 9;
    this.moment = options.moment ?? { watermark: MIN_TIMESTAMP, processingTime: 0 };
    this.state = this.machine.create();
  }

  get finished(): boolean {
    return this.machine.isFinished(this.state);
  }

  /** A bundle of `count` elements. */
  elements(count = 1): boolean {
    for (let i = 0; i < count; i++) this.machine.onElement(this.state, this.#context(false));
    return this.#ask(false);
  }

  watermark(to: number): boolean {
    this.moment.watermark = to;
    return this.#ask(false);
  }

  /** The clock comes to `to`, and a timer asks. */
  clock(to: number): boolean {
    this.moment.processingTime = to;
    return this.#ask(true);
  }

  /** The clock comes to `to`, and nobody asks. */
  clockSilently(to: number): void {
    this.moment.processingTime = to;
  }

  /** When a timer has to ask, as far as is known now. */
  get due(): number | undefined {
    return this.machine.nextProcessingTime(this.state, -Infinity);
  }

  /** The window that `windows` become, not asked yet. @param end the last instant of an element's window that joins them */
  static merged(windows: readonly [TestWindow, ...TestWindow[]], trigger: Trigger, end = MIN_TIMESTAMP): TestWindow {
    const maxTimestamp = Math.max(end, ...windows.map((window) => window.maxTimestamp));
    const into = new TestWindow(trigger, { merging: true, maxTimestamp, moment: windows[0].moment });
    const states = windows.map(({ state }) => state);
    const before = JSON.stringify(states);
    into.machine.onMerge(into.state, states, into.#context(false));
    expect(JSON.stringify(states)).toBe(before);
    return into;
  }

  #context(atRest: boolean): { watermark: number; processingTime: number; maxTimestamp: number; atRest: boolean } {
    return { ...this.moment, maxTimestamp: this.maxTimestamp, atRest };
  }

  #ask(atRest: boolean): boolean {
    const before = JSON.stringify(this.state);
    const fires = !this.finished && this.machine.shouldFire(this.state, this.#context(atRest));
    expect(JSON.stringify(this.state), "M1 asking changes nothing").toBe(before);
    if (fires) {
      this.machine.onFire(this.state, this.#context(atRest));
      this.fired++;
    }
    const copy = JSON.parse(JSON.stringify(this.state)) as TriggerState;
    expect(copy, "M2 the state is plain data").toEqual(this.state);
    this.state = copy;
    return fires;
  }
}

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

  test("M3 in merging windows too, what came before a firing does not count for the next part", () => {
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

  test("M3 in merging windows `late` has not seen what came before the end", () => {
    const window = new TestWindow(afterWatermark({ late: afterCount(2) }), { merging: true });
    window.elements(5);
    expect(window.watermark(10)).toBe(true);
    expect([window.elements(), window.elements()]).toEqual([false, true]);
  });
});

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
