/** Pipelines that are stuck, one for each way, and what sets each of them free: for the tests of explanations. */
import {
  afterAll,
  afterCount,
  afterProcessingTime,
  afterWatermark,
  countPerElement,
  eventTime,
  fixedWindows,
  GLOBAL_WINDOW,
  globalWindows,
  type HoldCause,
  IntervalWindow,
  type JobHandle,
  type KV,
  MIN_TIMESTAMP,
  output,
  type PCollection,
  type Pipeline,
  processingTimer,
  repeatedly,
  run,
  sessions,
  sourceTime,
  type Timestamp,
  type Window,
} from "tidemark";
import { SimulatedClock } from "../simulated-clock.ts";
import { collector, Feed, feeds, Gate, program, settle } from "./kit.ts";

/** A pipeline that is stuck, at its question. */
export interface Stuck {
  readonly job: JobHandle;
  readonly clock: SimulatedClock;
  /** What has come out. */
  readonly seen: unknown[];
  readonly warnings: string[];
  /** The step, window and key that have not fired. */
  readonly step: string;
  readonly window: Window;
  readonly key: unknown;
  /** The one cause, as far as it is plain from the pipeline. */
  readonly cause: Partial<HoldCause>;
  /** Takes the cause away; everything fires then, and nothing waits. */
  free(): Promise<void> | void;
}

export type Event = readonly [string, Timestamp];
const START = 1_000_000;
const MINUTE = 60_000;
export const FIRST: IntervalWindow = new IntervalWindow(0, 100);
export const byTime = { timestamps: eventTime(([, time]: Event) => time) };

function counted(events: PCollection<Event>, seen: unknown[]): void {
  countedAsWindowed(events.windowInto(fixedWindows(100)), seen);
}

function countedAsWindowed(events: PCollection<KV<string, unknown>>, seen: unknown[]): void {
  events
    .map("Key", ([key]) => key)
    .apply("Count", countPerElement())
    .write("Seen", collector(seen));
}

export async function started(build: (p: Pipeline, seen: unknown[]) => unknown): Promise<{
  job: JobHandle;
  clock: SimulatedClock;
  seen: unknown[];
  warnings: string[];
}> {
  const clock = new SimulatedClock(START);
  const seen: unknown[] = [];
  const warnings: string[] = [];
  const job = run(
    program("stuck", (p) => build(p, seen)),
    {},
    { clock, onWarning: (message) => warnings.push(message) },
  );
  await settle(clock);
  return { job, clock, seen, warnings };
}

/** Lets time go by, and the job do what it does meanwhile. */
export async function pass(clock: SimulatedClock, ms: number): Promise<void> {
  await settle(clock);
  clock.advanceTo(clock.now() + ms);
  await settle(clock);
}

const COUNT = { step: "Count", window: FIRST, key: "a" };

export const KINDS: Readonly<Record<string, () => Promise<Stuck>>> = {
  "an idle split": async () => {
    const [a, b] = [new Feed<Event>(), new Feed<Event>()];
    const of = await started((p, seen) => counted(p.read("Events", feeds([a, b]), byTime), seen));
    b.give(["a", 10]);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "split", step: "Events", split: 2, splits: 2, latest: 10, quietSince: START },
      free: () => {
        a.end();
        b.end();
      },
    };
  },
  "all splits idle": async () => {
    const a = new Feed<Event>();
    const quiet = { idleAfter: 5000 };
    const of = await started((p, seen) => counted(p.read("Events", feeds([a], quiet), byTime), seen));
    a.give(["a", 10]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "allIdle", step: "Events", quietSince: START, whenAllIdle: "hold" },
      free: () => a.end(),
    };
  },
  "a side input that nobody has read": async () => {
    const [a, names] = [new Feed<Event>(), new Feed<Event>()];
    const of = await started((p, seen) => {
      const view = p
        .read("Names", feeds([names]), byTime)
        .windowInto(fixedWindows(100))
        .asList("View");
      p.read("Events", feeds([a]), byTime)
        .windowInto(fixedWindows(100))
        .map("Join", (event, { sideInputs }) => [...event, ...sideInputs.view], { sideInputs: { view } })
        .write("Seen", collector(seen));
    });
    a.give(["a", 10]);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      step: "Join",
      window: FIRST,
      key: undefined,
      cause: { kind: "split", step: "Names", split: 1, quietSince: START },
      free: () => {
        names.end();
        a.end();
      },
    };
  },
  "an async call that hangs": async () => {
    const a = new Feed<Event>();
    let release = (): void => {};
    const hangs = new Promise<void>((resolve) => (release = resolve));
    const of = await started((p, seen) => {
      const fetched = p.read("Events", feeds([a]), byTime).map("Fetch", async (event) => {
        if (event[0] === "slow") await hangs;
        return event;
      });
      counted(fetched, seen);
    });
    a.give(["a", 10]);
    a.give(["slow", 20]);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "call", step: "Fetch", element: '["slow",20]', since: START, attempt: 1 },
      free: () => {
        release();
        a.end();
      },
    };
  },
  "a timer far ahead": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => {
      const watched = p
        .read("Events", feeds([a]), byTime)
        .map("Pair", (event): KV<string, Event> => [event[0], event])
        .parDo("Watch", {
          timers: { wake: processingTimer() },
          outputs: { main: output<Event>() },
          process([, event], { timers, output: put }) {
            if (event[1] === 20) timers.wake.setAfter(60 * MINUTE);
            put(event);
          },
          onTimer: { wake: () => {} },
        });
      counted(watched, seen);
    });
    a.give(["a", 20]);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "timer", step: "Watch", timer: "wake", key: '"a"', at: START + 60 * MINUTE, holdAt: 20 },
      free: async () => {
        await pass(of.clock, 60 * MINUTE);
        a.end();
      },
    };
  },
  "a session that grows": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => {
      countedAsWindowed(p.read("Events", feeds([a]), byTime).windowInto(sessions(100)), seen);
    });
    for (let time = 0; time <= 500; time += 50) a.give(["a", time]);
    await settle(of.clock);
    return {
      ...of,
      step: "Count",
      window: new IntervalWindow(0, 600),
      key: "a",
      cause: { kind: "session", step: "Count/Count", firstEnd: 99, watermark: 500 },
      free: () => a.end(),
    };
  },
  "a count that is not met": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => {
      const trigger = repeatedly(afterCount(3));
      countedAsWindowed(p.read("Events", feeds([a]), byTime).windowInto(globalWindows(), { trigger }), seen);
    });
    a.give(["a", 10]);
    a.give(["a", 20]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      step: "Count",
      window: GLOBAL_WINDOW,
      key: "a",
      cause: { kind: "trigger", step: "Count/Count" },
      free: () => a.give(["a", 30]),
    };
  },
  "an afterAll that is half met": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => {
      const trigger = repeatedly(afterAll(afterCount(1), afterProcessingTime(60 * MINUTE)));
      countedAsWindowed(p.read("Events", feeds([a]), byTime).windowInto(globalWindows(), { trigger }), seen);
    });
    a.give(["a", 10]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      step: "Count",
      window: GLOBAL_WINDOW,
      key: "a",
      cause: { kind: "trigger", step: "Count/Count" },
      free: () => pass(of.clock, 60 * MINUTE),
    };
  },
  "a sink that takes no more": async () => {
    const a = new Feed<Event>();
    const gate = new Gate<Event>({ every: 2, held: true });
    const of = await started((p, seen) => {
      const events = p.read("Events", feeds([a]), byTime);
      events.write("Slow", gate);
      counted(events, seen);
    });
    a.give(["a", 10]);
    a.give(["a", 20]);
    await settle(of.clock);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "full", step: "Slow", since: START },
      free: () => {
        gate.release();
        a.end();
      },
    };
  },
  "state of a window that is over": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => {
      const pairs = p
        .read("Events", feeds([a]), byTime)
        .windowInto(fixedWindows(100), { trigger: repeatedly(afterCount(3)), allowedLateness: 10_000 })
        .map("Pair", (event): KV<string, number> => [event[0], event[1]])
        .groupByKey("Threes");
      countedAsWindowed(pairs.windowInto(fixedWindows(100), { trigger: afterWatermark() }), seen);
    });
    for (const time of [10, 20, 30]) a.give(["a", time]);
    await settle(of.clock);
    a.give(["a", 40]);
    await settle(of.clock);
    a.give(["b", 250]);
    a.give(["b", 260]);
    a.give(["b", 270]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "state", step: "Threes", key: '"a"', holdAt: 99, until: 10_099 },
      free: () => a.end(),
    };
  },
  "a source that is empty": async () => {
    const [a, empty] = [new Feed<Event>(), new Feed<Event>()];
    const of = await started((p, seen) => {
      const both = p.flatten("Both", p.read("Events", feeds([a]), byTime), p.read("Empty", feeds([empty]), byTime));
      counted(both, seen);
    });
    a.give(["a", 10]);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "split", step: "Empty", split: 1, splits: 1, quietSince: START, tellsNoTime: false },
      free: () => {
        empty.end();
        a.end();
      },
    };
  },
  "a bundle that does not begin": async () => {
    const a = new Feed<Event>();
    let release = (): void => {};
    const hangs = new Promise<void>((resolve) => (release = resolve));
    const of = await started((p, seen) => {
      const begun = p.read("Events", feeds([a]), byTime).parDo("Connect", {
        outputs: { main: output<Event>() },
        startBundle: async () => (seen.length === 0 ? undefined : hangs),
        process: (event, { output: put }) => {
          seen.push(event);
          put(event);
        },
      });
      counted(begun, seen);
    });
    a.give(["a", 10]);
    await settle(of.clock);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "bundle", step: "Connect", since: START },
      free: () => {
        release();
        a.end();
      },
    };
  },
  "a call that is made again later": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => {
      let calls = 0;
      const retried = p.read("Events", feeds([a]), byTime).map(
        "Fetch",
        async (event) => {
          if (event[0] === "slow" && ++calls === 1) throw new Error("not now");
          return event;
        },
        { retry: { attempts: 2, backoff: () => 60 * MINUTE } },
      );
      counted(retried, seen);
    });
    a.give(["a", 10]);
    a.give(["slow", 20]);
    a.give(["a", 250]);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "call", step: "Fetch", element: '["slow",20]', attempt: 1, retryAt: START + 60 * MINUTE },
      free: async () => {
        await pass(of.clock, 60 * MINUTE);
        a.end();
      },
    };
  },
  "a source whose reader never says how far time has come": async () => {
    const a = new Feed<Event>();
    a.watermark = MIN_TIMESTAMP;
    const of = await started((p, seen) => counted(p.read("Events", feeds([a])), seen));
    a.give(["a", 10], 10);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "split", step: "Events", tellsNoTime: true },
      free: () => a.end(),
    };
  },
  "a source whose reader says that time stands": async () => {
    const a = new Feed<Event>();
    a.watermark = 5;
    const of = await started((p, seen) => counted(p.read("Events", feeds([a])), seen));
    a.give(["a", 10], 10);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "split", step: "Events", latest: 10, watermark: 5, quietSince: START, tellsNoTime: false },
      free: () => a.end(),
    };
  },
  "a source that never says how far time has come": async () => {
    const a = new Feed<Event>();
    const of = await started((p, seen) => counted(p.read("Events", feeds([a]), { timestamps: sourceTime() }), seen));
    a.give(["a", 10], 10);
    a.give(["a", 250], 250);
    await pass(of.clock, MINUTE);
    return {
      ...of,
      ...COUNT,
      cause: { kind: "split", step: "Events", tellsNoTime: true },
      free: () => a.end(),
    };
  },
};
