/**
 * The sources of a job, and whose turn it is to be read.
 *
 * T1 A source is read while everything below it can take more (engine N4); where sources share what is full, each gets its turn.
 * T2 Scripted sources play their next event when nothing else could be read and the job has come to rest.
 */
import type { Source, TimestampPolicy } from "../fn/source.ts";
import type { TestStreamEvent } from "../graph/graph.ts";
import { MIN_TIMESTAMP } from "../model/time.ts";
import { CountingEntry, NOWHERE } from "./edges.ts";
import { Script } from "./script.ts";
import { type SourceEngine, SourceReading, type SplitFacts } from "./source.ts";
import type { StageState } from "./stage-state.ts";

/** How a source stage gets its elements. */
export type SourceInput =
  | { readonly kind: "impulse" }
  | { readonly kind: "read"; readonly source: Source<unknown>; readonly timestamps: TimestampPolicy<unknown> }
  | { readonly kind: "testStream"; readonly events: readonly TestStreamEvent[] };

/** The stages that stop a source while they are busy, and those that do while too much waits in them. */
export interface SourceStops {
  readonly busy: readonly StageState[];
  readonly waiting: readonly StageState[];
}

/** What sources need of their engine. */
export interface SourcesEngine extends SourceEngine {
  readonly advanceClock: ((byMs: number) => void) | undefined;
  readonly stopwatch: (() => number) | undefined;
  /** Whether nothing is under way that a scripted source would have to wait for. */
  isQuiescent(): boolean;
}

interface SourceDriver {
  readonly state: StageState;
  readonly stops: SourceStops;
  readonly reading: SourceReading | undefined;
  readonly script: Script | undefined;
  /** How many elements to ask for in one poll. */
  max: number;
}

const READ_FIRST = 256;
const READ_MOST = 16_384;

export class Sources {
  readonly #engine: SourcesEngine;
  readonly #drivers: SourceDriver[] = [];
  /** Whose turn it is to read first: where a source fills what it shares with others, they come before it the next time. */
  #first = 0;

  constructor(engine: SourcesEngine) {
    this.#engine = engine;
  }

  async open(state: StageState, input: SourceInput, stops: SourceStops): Promise<void> {
    // What it reads into is the output of its first step.
    const output = state.stage.sourceOutput;
    const entry = new CountingEntry(state, output === undefined ? NOWHERE : state.runner.entry(output));
    if (input.kind !== "read") {
      const events: readonly TestStreamEvent[] =
        input.kind === "testStream"
          ? input.events
          : [{ kind: "elements", elements: [{ value: new Uint8Array(0), timestamp: MIN_TIMESTAMP }] }];
      const script = new Script(events, entry, this.#engine.advanceClock, input.kind === "impulse");
      if (state.readingBefore !== undefined) script.restore(state.readingBefore as ReturnType<Script["save"]>);
      state.reading = script;
      this.#drivers.push({ state, stops, script, reading: undefined, max: 0 });
      return;
    }
    const reading = new SourceReading(state.stage.name, input.source, input.timestamps, this.#engine);
    if (state.readingBefore !== undefined) reading.restore(state.readingBefore as ReturnType<SourceReading["save"]>);
    state.reading = reading;
    // Known before it is open: where opening fails halfway, what is open has to be closed.
    this.#drivers.push({ state, stops, script: undefined, reading, max: READ_FIRST });
    await reading.open(entry);
  }

  /** Reads a little from each. @returns how much; coming to an end counts */
  read(): number {
    let read = 0;
    const drivers = this.#drivers;
    const first = this.#first;
    for (let i = 0; i < drivers.length; i++) {
      const at = (first + i) % drivers.length;
      const driver = drivers[at] as SourceDriver;
      if (!mayPoll(driver)) continue;
      read += this.#poll(driver, driver.reading);
      this.#first = (at + 1) % drivers.length;
    }
    if (read === 0)
      for (const { script } of drivers) if (script !== undefined && this.#engine.isQuiescent()) read += script.next();
    return read;
  }

  #poll(driver: SourceDriver, reading: SourceReading): number {
    const { stopwatch } = this.#engine;
    const start = stopwatch?.() ?? 0;
    const before = reading.ended;
    const count = reading.poll(driver.max);
    if (stopwatch !== undefined && count > 0) {
      const took = stopwatch() - start;
      driver.state.busyMs += took;
      if (took < 1 && count >= driver.max) driver.max = Math.min(READ_MOST, driver.max * 2);
      else if (took > 4) driver.max = Math.max(16, driver.max >> 1);
    }
    // Coming to the end is progress too, without an element.
    return count > 0 || reading.ended !== before ? Math.max(1, count) : 0;
  }

  /** The stage that keeps the source from being read, where it has something. */
  stoppedBy(state: StageState): StageState | undefined {
    const driver = this.#drivers.find((one) => one.state === state);
    if (driver?.reading?.pollable !== true) return undefined;
    const { busy, waiting } = driver.stops;
    return busy.find(({ isBusy }) => isBusy) ?? waiting.find(({ keepsWaiting }) => keepsWaiting);
  }

  /** The names of sources that have been quiet for so long, or say nothing of event time. Cost: a look at each split. */
  quiet(forMs: number): readonly string[] {
    const now = this.#engine.now();
    const isQuiet = ({ ended, tellsNoTime, quietSince = Infinity }: SplitFacts): boolean =>
      !ended && (tellsNoTime || now - quietSince >= forMs);
    return this.#drivers
      .filter(({ reading }) => reading?.facts().splits.some(isQuiet) === true)
      .map(({ state }) => state.stage.name);
  }

  /** Whether one may have something, and everything below it can take it. */
  get mayRead(): boolean {
    return this.#drivers.some(mayPoll);
  }

  /** Whether a script has an event left to play. */
  get hasScripted(): boolean {
    return this.#drivers.some(({ script }) => script?.hasNext === true);
  }

  /** Reads no more; watermarks go to the end of time. */
  stop(): void {
    for (const { reading, script } of this.#drivers) (reading ?? script)?.stop();
  }

  /** What closes each that was opened. */
  closers(): readonly (() => void | Promise<void>)[] {
    return this.#drivers.map(
      ({ reading }) =>
        () =>
          reading?.close(),
    );
  }
}

/** Whether a source may have something, and everything below it can take it. */
function mayPoll(source: SourceDriver): source is SourceDriver & { readonly reading: SourceReading } {
  if (source.reading === undefined || !source.reading.pollable) return false;
  const { busy, waiting } = source.stops;
  return !busy.some((state) => state.isBusy) && !waiting.some((state) => state.keepsWaiting);
}
