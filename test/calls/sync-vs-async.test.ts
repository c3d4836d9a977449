/**
 * A stateful DoFn as a plain function and as async calls: random programs on random streams give the same outputs in the same
 * order, and the same late elements, however long calls take, in whichever order they end, and if some fail at first.
 *
 * P1 A program is plain data: what each element does is in the element, what a timer does is in the program.
 * P2 Setting a timer from a timer moves time on, so every program ends.
 * P3 Order is that of a key in a window; and for what elements put out, that of a key. Timers and expiries of two windows of a
 *    key are each other's neighbours by chance: calls of one window do not wait for those of another.
 */
import fc from "fast-check";
import {
  bagState,
  combinePerKey,
  combiningState,
  countFn,
  eventTimer,
  eventTimerFamily,
  fixedWindows,
  type KV,
  type Late,
  orderedListState,
  output,
  type ParDoOptions,
  type Pipeline,
  type ProcessContext,
  type SideInputs,
  slidingWindows,
  sumFn,
  type TimerContext,
  valueState,
  type WindowFn,
} from "tidemark";
import { at, type Collected, collectSink, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/base/random.ts";

const SEED = Number(process.env["TIDEMARK_SEED"] ?? 20_261_123);
const RUNS = Number(process.env["TIDEMARK_RUNS"] ?? 300);

type Op =
  | { readonly op: "write" | "bag" | "sum" | "list"; readonly n: number }
  | { readonly op: "clear"; readonly cell: "value" | "bag" | "sum" | "list" }
  | { readonly op: "clearRange"; readonly from: number; readonly to: number }
  | { readonly op: "set"; readonly timer: TimerName; readonly after: number; readonly early: boolean }
  | { readonly op: "unset"; readonly timer: TimerName }
  | { readonly op: "emit" };
/** `a` and `b` are timers; the others are tags of one family. */
type TimerName = "a" | "b" | "x" | "y";
type Element = KV<string, readonly Op[]>;

type Event =
  | { readonly elements: readonly { readonly key: string; readonly ts: number; readonly ops: readonly Op[] }[] }
  | { readonly watermark: number };

interface Program {
  readonly window: { readonly size: number; readonly every: number };
  readonly allowedLateness: number;
  /** What each timer does. */
  readonly onTimer: Readonly<Record<TimerName, readonly Op[]>>;
  /** What the expiry of a window does; absent where the DoFn has no such method. */
  readonly onExpiry: readonly Op[] | undefined;
  readonly events: readonly Event[];
}

/** How calls go. */
interface Weather {
  readonly seed: number;
  readonly concurrency: number;
  readonly ordered: boolean;
  /** How often a call fails at its first attempts, of 10. */
  readonly failing: number;
  /** The longest wait between two operations, in turns of the microtask queue. */
  readonly slowest: number;
  /** Whether some waits let the event loop go round. */
  readonly macrotasks: boolean;
}

const timerName = fc.constantFrom<TimerName>("a", "b", "x", "y");
const small = fc.integer({ min: 0, max: 9 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Op>({ op: "emit" }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom("write", "bag", "sum", "list"), n: small }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("set"),
      timer: timerName,
      after: fc.integer({ min: 1, max: 12 }),
      early: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("unset"), timer: timerName }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("clear"), cell: fc.constantFrom("value", "bag", "sum", "list") }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("clearRange"), from: small, to: small }) },
);
const ops = (maxLength: number): fc.Arbitrary<readonly Op[]> => fc.array(op, { maxLength });

const elements = fc.array(
  fc.record({ key: fc.constantFrom("k", "l", "m"), ts: fc.integer({ min: 0, max: 30 }), ops: ops(4) }),
  { minLength: 1, maxLength: 5 },
);
const events: fc.Arbitrary<readonly Event[]> = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ elements }) },
      { weight: 1, arbitrary: fc.record({ by: fc.integer({ min: 1, max: 12 }) }) },
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map((steps) => {
    let watermark = 0;
    return steps.map((step) => ("by" in step ? { watermark: (watermark += step.by) } : step));
  });

const windows = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((size) => ({ size, every: size })),
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }))
    .map(([every, n]) => ({ size: every * n, every })),
);
const programs: fc.Arbitrary<Program> = fc.record({
  window: windows,
  allowedLateness: fc.constantFrom(0, 0, 3, 10),
  onTimer: fc.record({ a: ops(3), b: ops(3), x: ops(3), y: ops(2) }),
  onExpiry: fc.option(ops(3), { nil: undefined }),
  events,
});

/** The same with timers that elements alone set or clear, and not for a time that has passed. */
const plainPrograms = programs.map((program): Program => {
  const still = (todo: readonly Op[]): readonly Op[] => todo.filter((next) => next.op !== "set" && next.op !== "unset");
  const { a, b, x, y } = program.onTimer;
  let watermark = 0;
  const moved = program.events.map((event): Event => {
    if ("watermark" in event) {
      watermark = event.watermark;
      return event;
    }
    const later = (next: Op, ts: number): Op =>
      next.op === "set" ? { ...next, after: next.after + Math.max(0, watermark - ts) } : next;
    return {
      elements: event.elements.map(({ key, ts, ops: todo }) => ({ key, ts, ops: todo.map((next) => later(next, ts)) })),
    };
  });
  return { ...program, events: moved, onTimer: { a: still(a), b: still(b), x: still(x), y: still(y) } };
});

const weathers: fc.Arbitrary<Weather> = fc.record({
  seed: fc.nat(),
  concurrency: fc.integer({ min: 1, max: 8 }),
  ordered: fc.boolean(),
  failing: fc.constantFrom(0, 2, 5),
  slowest: fc.constantFrom(0, 1, 3, 12),
  macrotasks: fc.boolean(),
});

const STATE = {
  value: valueState<number>(),
  bag: bagState<number>(),
  sum: combiningState(sumFn()),
  list: orderedListState<number>(),
};
const TIMERS = { a: eventTimer(), b: eventTimer(), tags: eventTimerFamily() };
const OUTPUTS = { main: output<KV<string, string>>() };
type Context = TimerContext<typeof STATE, typeof TIMERS, SideInputs, typeof OUTPUTS, string>;
type Process = ProcessContext<typeof STATE, typeof TIMERS, SideInputs, typeof OUTPUTS, string>;

/** Does `todo`, stopping after each operation. @param since the time that timers are set from */
function* steps(
  todo: readonly Op[],
  context: Process | Context,
  since: number | undefined,
  expiry: number,
  cause: string,
): Generator<void, void> {
  const { state, timers, key } = context;
  for (const next of todo) {
    switch (next.op) {
      case "emit": {
        const list = state.list.read().map(({ value, timestamp }) => `${value}@${timestamp}`);
        const cells = [state.value.read() ?? "-", state.bag.read().join("+"), state.sum.read(), list.join("+")];
        const empty = [state.bag.isEmpty(), state.sum.isEmpty(), state.list.isEmpty()].map(Number).join("");
        context.output([key, `${cause}: ${cells.join(" ")} ${empty}`]);
        break;
      }
      case "write":
        state.value.write(next.n);
        break;
      case "bag":
        state.bag.add(next.n);
        break;
      case "sum":
        state.sum.add(next.n);
        break;
      case "list":
        state.list.add(next.n, next.n);
        break;
      case "clear":
        state[next.cell].clear();
        break;
      case "clearRange":
        state.list.clearRange(next.from, next.to);
        break;
      case "unset":
        if (next.timer === "a" || next.timer === "b") timers[next.timer].clear();
        else timers.tags.clear(next.timer);
        break;
      case "set": {
        if (since === undefined || since >= expiry) break;
        const when = Math.min(since + next.after, expiry);
        const options = next.early ? { outputTimestamp: context.timestamp } : {};
        if (next.timer === "a" || next.timer === "b") timers[next.timer].set(when, options);
        else timers.tags.set(next.timer, when, options);
        break;
      }
    }
    yield;
  }
}

/** Runs through a program's steps at once, or with waits and failures in between. */
interface Driver {
  readonly isAsync: boolean;
  run(all: Generator<void, void>): void | Promise<void>;
}

const AT_ONCE: Driver = {
  isAsync: false,
  run(all) {
    for (const _ of all);
  },
};

const ATTEMPTS = 30;

function asCalls({ seed, failing, slowest, macrotasks }: Weather): Driver {
  const random = seededRandom(seed);
  let failuresLeft = ATTEMPTS - 1;
  const wait = async (): Promise<void> => {
    if (macrotasks && random.int(8) === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let turns = random.int(slowest + 1); turns > 0; turns--) await Promise.resolve();
  };
  const mayFail = (): void => {
    if (failuresLeft === 0 || random.int(40) >= failing) return;
    failuresLeft--;
    throw new Error("once more");
  };
  return {
    isAsync: true,
    async run(all) {
      mayFail();
      for (const _ of all) {
        await wait();
        mayFail();
      }
      await wait();
      mayFail();
    },
  };
}

/** The DoFn of `program`; its methods are async functions or plain ones. */
function doFnOf({ onTimer, onExpiry, allowedLateness }: Program, { isAsync, run }: Driver) {
  const expiry = ({ window }: Context | Process): number => window.maxTimestamp + allowedLateness;
  const process = ([, todo]: Element, context: Process): void | Promise<void> =>
    run(steps(todo, context, context.timestamp, expiry(context), `element at ${context.timestamp}`));
  const timer =
    (family: "a" | "b" | "tags") =>
    (context: Context): void | Promise<void> => {
      const name = family === "tags" ? (context.tag as TimerName) : family;
      return run(
        steps(onTimer[name], context, context.firedAt, expiry(context), `timer ${name} of ${context.firedAt}`),
      );
    };
  const expire = (context: Context): void | Promise<void> =>
    run(steps(onExpiry ?? [], context, undefined, expiry(context), "expiry"));
  const may = <A extends readonly unknown[]>(fn: (...args: A) => void | Promise<void>) =>
    isAsync ? async (...args: A) => fn(...args) : fn;
  return {
    state: STATE,
    timers: TIMERS,
    outputs: OUTPUTS,
    process: may(process),
    onTimer: { a: may(timer("a")), b: may(timer("b")), tags: may(timer("tags")) },
    ...(onExpiry && { onWindowExpiration: may(expire) }),
  };
}

interface Outcome {
  /** By key and window, in order. */
  readonly outputs: Readonly<Record<string, readonly string[]>>;
  /** Those of elements by key, in order. */
  readonly ofElements: Readonly<Record<string, readonly string[]>>;
  readonly late: readonly string[];
  /** What of the outputs comes too late for a grouping behind the step: in no order. */
  readonly lateBehind: readonly string[];
  readonly dropped: number;
}

async function outcomeOf(program: Program, driver: Driver, options: ParDoOptions): Promise<Outcome> {
  const { size, every } = program.window;
  const windowFn: WindowFn = size === every ? fixedWindows(size) : slidingWindows({ size, every });
  let stream = testStream<Element>();
  for (const event of program.events) {
    if ("watermark" in event) stream = stream.advanceWatermarkTo(event.watermark);
    else stream = stream.addElements(...event.elements.map(({ key, ts, ops: todo }) => at<Element>(ts, [key, todo])));
  }
  const outputs: Collected<KV<string, string>>[] = [];
  const late: Collected<Late<Element>>[] = [];
  const lateBehind: Collected<Late<KV<string, string>>>[] = [];
  const build = (p: Pipeline): void => {
    const results = p
      .apply(stream.advanceWatermarkToInfinity())
      .windowInto(windowFn, { allowedLateness: program.allowedLateness })
      .parDo("Program", doFnOf(program, driver) as never, options) as unknown as Results;
    results.write(collectSink("outputs", outputs));
    results.late.write(collectSink("late", late));
    results.apply(combinePerKey(countFn())).late.write(collectSink("late behind", lateBehind));
  };
  const metrics = await runTest(build, { timeout: 2000 });
  const byWindow: Record<string, string[]> = {};
  const byKey: Record<string, string[]> = {};
  for (const { value, timestamp, window } of outputs) {
    const [key, text] = value;
    const said = `${text} at ${timestamp} in ${window.id}`;
    (byWindow[`${key} in ${window.id}`] ??= []).push(said);
    if (text.startsWith("element")) (byKey[key] ??= []).push(said);
  }
  const say = ({
    value: { element, timestamp, window, watermark, lateBy, reason },
  }: Collected<Late<Element | KV<string, string>>>) =>
    JSON.stringify([element, timestamp, window.id, watermark, lateBy, reason]);
  return {
    outputs: byWindow,
    ofElements: byKey,
    late: late.map(say),
    lateBehind: lateBehind
      .map(({ value: { element, timestamp, window } }) => JSON.stringify([element, timestamp, window.id]))
      .toSorted(),
    dropped: metrics.dropped,
  };
}

interface Results {
  write(sink: unknown): void;
  readonly late: { write(sink: unknown): void };
  apply(transform: unknown): { readonly late: { write(sink: unknown): void } };
}

async function compare(program: Program, weather: Weather): Promise<void> {
  const { concurrency, ordered } = weather;
  const retry = { attempts: ATTEMPTS, backoff: 0 };
  const calls = await outcomeOf(program, asCalls(weather), { concurrency, ordered, retry });
  expect(calls).toEqual(await outcomeOf(program, AT_ONCE, {}));
}

// A run takes 10 ms on a machine that does nothing else; several times that on one that is busy.
describe(`a stateful step as plain functions and as async ones (seed ${SEED})`, { timeout: 400 * RUNS }, () => {
  test("any program whose timers are set by elements, for a time to come", async () => {
    await fc.assert(fc.asyncProperty(plainPrograms, weathers, compare), { seed: SEED, numRuns: RUNS });
  });

  test("any program", async () => {
    await fc.assert(fc.asyncProperty(programs, weathers, compare), {
      seed: SEED + 1,
      numRuns: 5 * RUNS,
      endOnFailure: true,
    });
  });
});

describe("timers of async steps", () => {
  const calm: Weather = { seed: 0, concurrency: 1, ordered: false, failing: 0, slowest: 0, macrotasks: false };
  const none: Program["onTimer"] = { a: [], b: [], x: [], y: [] };
  const set = (timer: TimerName, after: number): Op => ({ op: "set", timer, after, early: false });
  const emit: Op = { op: "emit" };
  const write: Op = { op: "write", n: 0 };
  const program = (parts: Pick<Program, "onTimer" | "events"> & Partial<Program>): Program => ({
    window: { size: 10, every: 10 },
    allowedLateness: 0,
    onExpiry: undefined,
    ...parts,
  });
  const element = (ts: number, ...todo: Op[]) => ({ key: "k", ts, ops: todo });

  test("the next event of a test stream waits for one that a late element has set", async () => {
    await compare(
      program({
        onTimer: { ...none, x: [emit] },
        events: [{ watermark: 5 }, { elements: [element(3, set("x", 1))] }, { elements: [element(3, write)] }],
      }),
      calm,
    );
  });

  test("the next event of a test stream waits for one that a timer has set", async () => {
    await compare(
      program({
        onTimer: { ...none, x: [set("y", 1)], y: [emit] },
        events: [{ elements: [element(1, set("x", 1))] }, { watermark: 5 }, { elements: [element(3, write)] }],
      }),
      calm,
    );
  });

  test("a test stream goes on when the last call that waits is taken back", async () => {
    await compare(
      program({
        onTimer: { ...none, x: [{ op: "unset", timer: "b" }], b: [emit] },
        events: [{ elements: [element(3, set("x", 1), set("b", 1))] }, { watermark: 5 }],
      }),
      calm,
    );
  });

  test("one that a timer sets comes before later ones, where its key has several windows", async () => {
    await compare(
      program({
        window: { size: 10, every: 5 },
        onTimer: { ...none, x: [set("y", 1)], y: [emit], a: [write] },
        events: [{ elements: [element(1, set("x", 1), set("a", 3))] }],
      }),
      calm,
    );
  });

  test("those of one time come in the order in which they were set", async () => {
    await compare(
      program({
        window: { size: 4, every: 2 },
        allowedLateness: 10,
        onTimer: { ...none, x: [emit], a: [set("b", 9), set("y", 1)], b: [write] },
        events: [{ elements: [element(10, set("x", 11)), element(8, set("a", 4))] }],
      }),
      calm,
    );
  });
});
