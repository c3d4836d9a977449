/**
 * Scenarios of the golden language on the engine: builds the pipeline that a scenario describes, plays its script, and
 * returns the panes as the language shows them.
 */
import {
  afterAll,
  afterAny,
  afterCount,
  afterEach,
  afterProcessingTime,
  afterWatermark,
  always,
  bagState,
  type CombineFn,
  countFn,
  defaultTrigger,
  type DoFn,
  END_OF_GLOBAL_WINDOW,
  eventTimer,
  eventTimerFamily,
  fixedWindows,
  globalWindows,
  IntervalWindow,
  type KV,
  MAX_TIMESTAMP,
  maxFn,
  meanFn,
  never,
  orFinally,
  output,
  type PCollection,
  type Pipeline,
  pipeline,
  processingTimer,
  repeatedly,
  sessions,
  type Sink,
  slidingWindows,
  sumFn,
  type Trigger,
  valueState,
  type Window,
  type WindowFn,
  windowInto,
} from "tidemark";
import { type Collected, collectSink } from "../../src/testing/collect.ts";
import { type PlayOptions, playScript } from "../../src/testing/play.ts";
import type {
  GoldenEvent,
  GoldenPane,
  GoldenPipeline,
  GoldenTrigger,
  GoldenWindowFn,
  Scenario,
  ShownInstant,
  ShownWindow,
} from "../model/scenario.ts";

type Pair = KV<string, number>;

function windowFnOf(window: GoldenWindowFn): WindowFn {
  switch (window.type) {
    case "fixed":
      return fixedWindows({ size: window.size, offset: window.offset ?? 0 });
    case "sliding":
      return slidingWindows({ size: window.size, every: window.period, offset: window.offset ?? 0 });
    case "sessions":
      return sessions(window.gap);
    case "global":
      return globalWindows();
  }
}

function triggerOf(trigger: GoldenTrigger): Trigger {
  switch (trigger.type) {
    case "default":
      return defaultTrigger();
    case "never":
      return never();
    case "always":
      return always();
    case "afterWatermark":
      return afterWatermark({
        ...(trigger.early && { early: triggerOf(trigger.early) }),
        ...(trigger.late && { late: triggerOf(trigger.late) }),
      });
    case "afterCount":
      return afterCount(trigger.count);
    case "afterProcessingTime":
      return afterProcessingTime(trigger.delay);
    case "afterSynchronizedProcessingTime":
      return { kind: "afterSynchronizedProcessingTime" };
    case "repeatedly":
      return repeatedly(triggerOf(trigger.of));
    case "afterAny":
      return afterAny(...trigger.of.map(triggerOf));
    case "afterAll":
      return afterAll(...trigger.of.map(triggerOf));
    case "afterEach":
      return afterEach(...trigger.of.map(triggerOf));
    case "orFinally":
      return orFinally(triggerOf(trigger.of), triggerOf(trigger.until));
  }
}

function combineOf(pipeline: GoldenPipeline): CombineFn<number, unknown, number> {
  const fns = { sum: sumFn, count: countFn, mean: meanFn, max: maxFn };
  return fns[pipeline.combine ?? "sum"]();
}

const numerically = (a: number, b: number): number => a - b;
const sorted = (values: readonly number[]): number[] => [...values].sort(numerically);
type Out = KV<string, number | readonly number[]>;
const outputs = { main: output<Out>() };

/** The stateful programs of the language. */
function programOf(golden: GoldenPipeline): DoFn<Pair, never, never, never, never, never> {
  const doFns = {
    runningCount: {
      state: { count: valueState<number>() },
      outputs,
      process([key]: Pair, { state, output }: Context) {
        const count = (state["count"].read() ?? 0) + 1;
        state["count"].write(count);
        output([key, count]);
      },
    },
    bufferUntilWindowEnd: {
      state: { bag: bagState<number>() },
      timers: { end: eventTimer() },
      outputs,
      process([, value]: Pair, { state, timers, window }: Context) {
        state["bag"].add(value);
        timers["end"].set(window instanceof IntervalWindow ? window.end - 1 : END_OF_GLOBAL_WINDOW);
      },
      onTimer: { end: flush },
    },
    idleFlush: {
      state: { bag: bagState<number>() },
      timers: { idle: eventTimer() },
      outputs,
      process([, value]: Pair, { state, timers, timestamp }: Context) {
        state["bag"].add(value);
        timers["idle"].set(timestamp + (golden.gap as number));
      },
      onTimer: { idle: flush },
    },
    cancelOnNegative: {
      state: { bag: bagState<number>() },
      timers: { later: eventTimer() },
      outputs,
      process([, value]: Pair, { state, timers, timestamp }: Context) {
        state["bag"].add(value);
        if (value >= 0) timers["later"].set(timestamp + (golden.gap as number));
        else timers["later"].clear();
      },
      onTimer: {
        later({ state, output, key }: Context) {
          output([key, sorted(state["bag"].read())]);
        },
      },
    },
    tagTimers: {
      timers: { tagged: eventTimerFamily() },
      outputs,
      process([, value]: Pair, { timers, timestamp }: Context) {
        timers["tagged"].set(String(value), timestamp + value * 1000);
      },
      onTimer: {
        tagged({ tag, output, key }: Context) {
          output([key, Number(tag)]);
        },
      },
    },
    ticker: {
      state: { ticks: valueState<number>() },
      timers: { tick: eventTimer() },
      outputs,
      process(_pair: Pair, { timers, timestamp }: Context) {
        timers["tick"].set(timestamp + (golden.period as number));
      },
      onTimer: {
        tick({ state, timers, output, key, firedAt }: Context) {
          const ticks = (state["ticks"].read() ?? 0) + 1;
          state["ticks"].write(ticks);
          output([key, ticks]);
          if (ticks < (golden.count as number)) timers["tick"].set(firedAt + (golden.period as number));
        },
      },
    },
    processingFlush: {
      state: { bag: bagState<number>() },
      timers: { later: processingTimer() },
      outputs,
      process([, value]: Pair, { state, timers }: Context) {
        if (state["bag"].isEmpty()) timers["later"].setAfter(golden.delay);
        state["bag"].add(value);
      },
      onTimer: { later: flush },
    },
  };
  return doFns[golden.program ?? "runningCount"] as never;
}

/** The contexts of the programs above, loosely: they are chosen at run time. */
// oxlint-disable-next-line typescript/no-explicit-any
type Context = any;

function flush({ state, output, key }: Context): void {
  output([key, sorted(state["bag"].read())]);
  state["bag"].clear();
}

/** Builds the pipeline of a scenario, its panes written to `sink`. */
export function buildScenario(p: Pipeline, scenario: Scenario, sink: Sink<unknown>): void {
  const { pipeline: golden } = scenario;
  const events = scenario.events.map((event) => eventOf(event));
  const strategy = (
    window: GoldenWindowFn,
    trigger?: GoldenTrigger,
  ): ((input: PCollection<Pair>) => PCollection<Pair>) =>
    windowInto(windowFnOf(window), {
      ...(trigger && { trigger: triggerOf(trigger) }),
      accumulation: golden.accumulation,
      allowedLateness: golden.allowedLateness,
      timestampCombiner: golden.timestampCombiner,
      ...(golden.closingBehavior && { closingBehavior: golden.closingBehavior }),
      ...(golden.onTimeBehavior && { onTimeBehavior: golden.onTimeBehavior }),
    });
  // Bounded: the language allows the global window with the default trigger, which an unbounded source would be refused.
  const input = p
    .readTestStream<Pair>(events, { bounded: true })
    .apply("Window", strategy(golden.window, golden.trigger));
  resultOf(input, golden, strategy).write("Collect", sink);
}

function resultOf(
  input: PCollection<Pair>,
  golden: GoldenPipeline,
  strategy: (window: GoldenWindowFn) => (input: PCollection<Pair>) => PCollection<Pair>,
): PCollection<unknown> {
  switch (golden.kind) {
    case "group":
      return input.groupByKey().map(([key, values]): Out => [key, sorted(values)]);
    case "combine":
      return input.combinePerKey(combineOf(golden));
    case "cascade":
    case "cascadeRewindow": {
      const counts = input.combinePerKey("First", combineOf(golden)).map(([, value]): Pair => ["all", value]);
      const again =
        golden.kind === "cascade" ? counts : counts.apply("Rewindow", strategy(golden.window2 as GoldenWindowFn));
      return again.combinePerKey("Second", sumFn());
    }
    case "stateful":
      return input.parDo("Stateful", programOf(golden) as never) as PCollection<unknown>;
  }
}

function eventOf(event: GoldenEvent): never {
  if ("elements" in event) {
    const elements = event.elements.map(({ key, value, ts }) => ({ value: [key, value], timestamp: ts }));
    return { kind: "elements", elements } as never;
  }
  if ("watermark" in event)
    return { kind: "watermark", to: event.watermark === "inf" ? MAX_TIMESTAMP : event.watermark } as never;
  return { kind: "processingTime", advanceBy: event.advanceProcessingTime } as never;
}

function showWindow(window: Window): ShownWindow {
  return window instanceof IntervalWindow ? [window.start, window.end] : "global";
}

function showInstant(timestamp: number): ShownInstant {
  return timestamp === END_OF_GLOBAL_WINDOW ? "globalMax" : timestamp;
}

/** Plays a scenario on the engine. Rejects when the pipeline is refused or fails. */
export async function runOnEngine(scenario: Scenario, options: PlayOptions = {}): Promise<GoldenPane[]> {
  const collected: Collected<unknown>[] = [];
  const program = pipeline({
    name: "golden",
    allowUnsafeTriggers: scenario.pipeline.allowUnsafeTriggers ?? false,
    build: (p) => buildScenario(p, scenario, collectSink("panes", collected)),
  });
  await playScript(program, options);
  return collected.map(showPane);
}

/** A pane as the language shows it. */
export function showPane({ value, timestamp, window, pane }: Collected<unknown>): GoldenPane {
  const [key, result] = value as Out;
  const { timing, index, nonSpeculativeIndex, isFirst, isLast } = pane;
  return {
    key,
    window: showWindow(window),
    value: result,
    timing,
    index,
    nonSpeculativeIndex,
    isFirst,
    isLast,
    timestamp: showInstant(timestamp),
  };
}
