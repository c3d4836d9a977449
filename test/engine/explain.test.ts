/** Why something has not fired: each way to be stuck is told with its step, window, key and one cause; without one, nothing is. */
import {
  describeExplanation,
  eventTimer,
  type ExplainQuery,
  fixedWindows,
  formatWindow,
  IntervalWindow,
  isTidemarkError,
  type JobHandle,
  type KV,
  output,
  processingTime,
  run,
  slidingWindows,
  sumFn,
  valueState,
} from "tidemark";
import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../simulated-clock.ts";
import { byTime, type Event, KINDS, pass, started } from "./explain-kinds.ts";
import { endless, Feed, feeds, program, settle, turns } from "./kit.ts";

describe.each(Object.entries(KINDS))("%s", (_, make) => {
  test("is named with step, window, key and its one cause; nothing is once it is gone", async () => {
    const { job, clock, seen, step, window, key, cause, free } = await make();
    const query: ExplainQuery = { step, window, ...(key !== undefined && { key }) };
    const asked = job.explain(query);
    expect(asked.waiting).toHaveLength(1);
    expect(asked.waiting[0]).toMatchObject({
      step: expect.stringMatching(new RegExp(`^${step}(/|$)`)) as string,
      window: formatWindow(window),
      ...(key !== undefined && { key: JSON.stringify(key) }),
      cause,
    });
    // What else waits, waits for the same.
    const all = job.explain();
    expect(all.waiting).not.toEqual([]);
    expect(new Set(all.waiting.map((one) => JSON.stringify(one.cause))).size).toBe(1);
    expect(all.waiting[0]?.cause).toMatchObject(cause);
    expect(describeExplanation(asked)).toContain(formatWindow(window));

    await free();
    await settle(clock);
    expect(seen).not.toEqual([]);
    expect(job.explain().waiting).toEqual([]);
    expect(job.explain(query).waiting).toEqual([]);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
  });
});

test("a step that is not there: STEP_UNKNOWN, with the one that is meant", async () => {
  const make = KINDS["an idle split"] as (typeof KINDS)[string];
  const { job, clock } = await make();
  const error = (() => {
    try {
      return job.explain({ step: "Cuont" });
    } catch (thrown) {
      return thrown;
    }
  })();
  if (!isTidemarkError(error, "STEP_UNKNOWN")) throw error;
  expect(error.message).toContain('did you mean "Count"?');
  const cancelled = job.cancel();
  await settle(clock);
  await cancelled;
});

/** The step, window and key of all that waits, without a question. */
function stuck(job: JobHandle): readonly string[] {
  return job.explain().waiting.map(({ step, window, key }) => `${step} ${window} ${key}`);
}

async function ended(job: JobHandle, clock: SimulatedClock): Promise<void> {
  const cancelled = job.cancel();
  await settle(clock);
  await cancelled;
}

describe("what each kind of step keeps", () => {
  test("a grouping: the key that is asked for; the others are counted; what has fired is nothing any more", async () => {
    const feed = new Feed<Event>();
    const { job, clock } = await started((p) => {
      p.read("Events", feeds([feed]), byTime)
        .windowInto(fixedWindows(100), { allowedLateness: 1000 })
        .groupByKey("Group");
    });
    for (const key of ["a", "b", "c"]) feed.give([key, 10]);
    feed.give(["a", 150]);
    await pass(clock, 60_000);
    // The first window has fired, and is kept for late elements.
    expect(stuck(job)).toEqual([`Group ${formatWindow(new IntervalWindow(100, 200))} "a"`]);
    feed.give(["b", 160]);
    await pass(clock, 60_000);
    expect(job.explain({ step: "Group" }).waiting).toMatchObject([{ key: '"a"', others: 1 }]);
    expect(job.explain({ step: "Group", key: "b" }).waiting).toMatchObject([{ key: '"b"', others: 0 }]);
    expect(job.explain({ step: "Group", key: "x" }).waiting).toEqual([]);
    await ended(job, clock);
  });

  test("sliding windows: each that has not come to its end", async () => {
    const feed = new Feed<Event>();
    const { job, clock } = await started((p) => {
      p.read("Events", feeds([feed]), byTime)
        .windowInto(slidingWindows({ size: 100, every: 50 }))
        .combinePerKey("Sum", sumFn());
    });
    feed.give(["a", 60]);
    feed.give(["b", 110]);
    await pass(clock, 60_000);
    const window = (start: number): string => formatWindow(new IntervalWindow(start, start + 100));
    expect(stuck(job)).toEqual([`Sum ${window(50)} "a"`, `Sum ${window(100)} "b"`]);
    expect(job.explain({ step: "Sum", window: new IntervalWindow(0, 100) }).waiting).toEqual([]);
    const asked = job.explain({ step: "Sum", window: new IntervalWindow(50, 150), key: "b" });
    expect(asked.waiting).toMatchObject([{ key: '"b"', need: { kind: "watermark", after: 149 } }]);
    await ended(job, clock);
  });

  test("state: timers of the program, not those of the engine", async () => {
    const feed = new Feed<Event>();
    const { job, clock } = await started((p) => {
      p.read("Events", feeds([feed]), byTime)
        .windowInto(fixedWindows(100))
        .parDo("Watch", {
          state: { last: valueState<number>({ ttl: 1_000_000 }) },
          timers: { late: eventTimer() },
          outputs: { main: output<number>() },
          process([key, time], { state, timers }) {
            state.last.write(time);
            if (key === "timed") timers.late.set(time + 20);
          },
          onTimer: { late: () => {} },
        });
    });
    feed.give(["kept", 10]);
    await pass(clock, 60_000);
    expect(stuck(job)).toEqual([]);
    feed.give(["timed", 20]);
    await pass(clock, 60_000);
    expect(job.explain().waiting).toMatchObject([
      { step: "Watch", what: "timer", timer: "late", key: '"timed"', need: { kind: "watermark", after: 40 } },
    ]);
    await ended(job, clock);
  });

  test("an element that waits for a side input holds back those below, too", async () => {
    const [feed, names] = [new Feed<Event>(), new Feed<Event>()];
    const { job, clock } = await started((p) => {
      const view = p
        .read("Names", feeds([names]), byTime)
        .windowInto(fixedWindows(100))
        .asList("View");
      p.read("Events", feeds([feed]), byTime)
        .windowInto(fixedWindows(100))
        .map("Join", (event) => event, { sideInputs: { view } })
        .windowInto(fixedWindows(1000))
        .groupByKey("Group");
    });
    names.give(["n", 250]);
    feed.give(["a", 10]);
    await settle(clock);
    feed.give(["a", 310]);
    feed.give(["a", 5000]);
    await pass(clock, 60_000);
    const { waiting } = job.explain({ step: "Group", key: "a" });
    expect(waiting).toMatchObject([
      { window: formatWindow(new IntervalWindow(0, 1000)), cause: { kind: "split", step: "Names", latest: 250 } },
    ]);
    expect(waiting[0]?.chain.map(({ step }) => step)).toEqual(["Group", "Join", "View", "Names"]);
    await ended(job, clock);
  });
});

describe("nothing is stuck", () => {
  test("while the source that is waited for is read, or follows the clock; who asks is told so", async () => {
    const a = new Feed<Event>();
    const clocked = await started((p) => {
      p.read("Events", feeds([a]), { timestamps: processingTime() })
        .windowInto(fixedWindows(600_000))
        .groupByKey("Group");
    });
    a.give(["a", 10]);
    await pass(clocked.clock, 60_000);
    expect(stuck(clocked.job)).toEqual([]);
    expect(clocked.job.explain({ step: "Group" }).waiting).toMatchObject([
      { cause: { kind: "clock", step: "Events" } },
    ]);
    await ended(clocked.job, clocked.clock);

    const clock = new SimulatedClock();
    const job = run(
      program("read", (p) => {
        p.read("Endless", endless())
          .map((n): KV<string, number> => ["a", n])
          .windowInto(fixedWindows(1e9))
          .groupByKey("Group");
      }),
      {},
      { clock },
    );
    // It is never at rest.
    while (job.metrics().elementsRead === 0) {
      await turns(1);
      clock.runImmediates();
    }
    expect(stuck(job)).toEqual([]);
    expect(job.explain({ step: "Group" }).waiting).toMatchObject([{ cause: { kind: "reading", step: "Endless" } }]);
    await ended(job, clock);
  });

  test("a source that says nothing of time is stuck from the first element on", async () => {
    const feed = new Feed<Event>();
    const { job, clock } = await started((p) => {
      p.read("Events", feeds([feed]))
        .windowInto(fixedWindows(100))
        .groupByKey("Group");
    });
    feed.give(["a", 10], 10);
    await settle(clock);
    expect(job.explain().waiting).toMatchObject([{ step: "Group", cause: { kind: "split", tellsNoTime: true } }]);
    await ended(job, clock);
  });

  test("before a job has begun, and after its end", async () => {
    const job = run(
      program("short", (p) => p.create([1]).map((n) => n)),
      {},
      { onWarning: () => {} },
    );
    expect(job.explain().waiting).toEqual([]);
    await job.wait();
    expect(job.explain().waiting).toEqual([]);
  });
});

describe("a source that is quiet is warned about once, with what it holds back and what would change it", () => {
  test.each([
    [
      "an idle split",
      'split 2 of 2 of source "Events" (feeds) gave its latest element at event time 1970-01-01T00:00:00.010Z, and has been quiet for 30.0 s; until then "Count/Count" has not fired window [1970-01-01T00:00:00.000Z, 1970-01-01T00:00:00.100Z) of key "a", nor have 1 more that wait for it; give the source of "Events" quiet: { idleAfter: … }, so that a quiet split holds nothing back',
    ],
    [
      "a source that never says how far time has come",
      'source "Events" (feeds) has no watermark: neither its reader nor a timestamp policy says how far event time has come; until then "Count/Count" has not fired window [1970-01-01T00:00:00.000Z, 1970-01-01T00:00:00.100Z) of key "a", nor have 1 more that wait for it; read "Events" with timestamps: eventTime(…) or processingTime(), or give its reader a watermark()',
    ],
  ])("%s", async (name, message) => {
    const { job, clock, warnings } = await (KINDS[name] as (typeof KINDS)[string])();
    expect(warnings).toEqual([message]);
    await pass(clock, 600_000);
    expect(warnings).toHaveLength(1);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
    expect(clock.nextAlarm()).toBeUndefined();
  });

  test("not where nothing waits for it", async () => {
    const { job, clock, warnings, free, seen } = await (KINDS["a count that is not met"] as (typeof KINDS)[string])();
    await free();
    await pass(clock, 600_000);
    expect(seen).toHaveLength(1);
    expect(warnings).toEqual([]);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
  });
});
