/** What the tests of the engine share: sources and sinks whose every step the test decides, and waiting without clocks. */
import {
  type Pipeline,
  pipeline,
  type Program,
  type QuietPolicy,
  type Sink,
  type Source,
  type Timestamp,
} from "tidemark";
import type { SimulatedClock } from "../simulated-clock.ts";

/** Lets the event loop go round `count` times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until `condition` holds; the test's own time-out ends what never comes true. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1);
}

/** Waits until `value` stays what it is through many turns. */
export async function settled(value: () => number): Promise<number> {
  for (let before = -1; before !== value();) {
    before = value();
    await turns(200);
  }
  return value();
}

/** Lets jobs on `clock`, which stands still, go on until they have nothing to do. @returns the turns that they took */
export async function settle(clock: SimulatedClock): Promise<number> {
  let taken = 0;
  // What a job waits for beside its clock, promises and files, comes within a few rounds of the event loop.
  for (let quiet = 0; quiet < 100;) {
    await turns(1);
    const ran = clock.runImmediates();
    taken += ran;
    if (taken > 10_000) throw new Error("the job takes turn after turn, and does not come to rest");
    quiet = ran === 0 ? quiet + 1 : 0;
  }
  return taken;
}

export function program(name: string, build: (p: Pipeline) => unknown): Program {
  return pipeline({ name, build }) as Program;
}

/** Counts up for ever, as fast as it is polled. `handedOut` says how far it is. */
export function endless(options: { readonly until?: number } = {}): Source<number> & { readonly handedOut: number } {
  const end = options.until ?? Infinity;
  let next = 0;
  return {
    name: "endless",
    bounded: end < Infinity,
    splits: () => [0],
    open: () => ({
      poll(max, into) {
        for (let i = 0; i < max && next < end; i++) {
          const n = next++;
          into.add(n, n);
        }
        return next < end ? "more" : "end";
      },
      ready: async () => {},
      position: () => next,
      watermark: () => next,
      close: () => {},
    }),
    get handedOut() {
      return next;
    },
  };
}

/** One split of a source whose elements come when the test says so. */
export class Feed<T> {
  readonly #elements: { readonly value: T; readonly timestamp: Timestamp | undefined }[] = [];
  #over = false;
  #resolve: (() => void) | undefined;
  /** How often it was polled. */
  polls = 0;
  closed = 0;
  watermark: Timestamp | undefined;

  give(value: T, timestamp?: Timestamp): void {
    this.#elements.push({ value, timestamp });
    this.#resolve?.();
  }

  /** Moves the reader's own watermark; `feeds` has to be told at the start that there is one. */
  advanceTo(watermark: Timestamp): void {
    this.watermark = watermark;
    this.#resolve?.();
  }

  end(): void {
    this.#over = true;
    this.#resolve?.();
  }

  open(): ReturnType<Source<T>["open"]> {
    return {
      poll: (max, into) => {
        this.polls++;
        for (const { value, timestamp } of this.#elements.splice(0, max)) into.add(value, timestamp);
        if (this.#elements.length > 0) return "more";
        return this.#over ? "end" : "idle";
      },
      ready: () =>
        new Promise((resolve) => {
          this.#resolve = resolve;
        }),
      position: () => 0,
      ...(this.watermark !== undefined && { watermark: () => this.watermark as Timestamp }),
      close: () => void this.closed++,
    };
  }
}

/** A source with a split for each feed. */
export function feeds<T>(splits: readonly Feed<T>[], quiet?: QuietPolicy): Source<T> {
  return {
    name: "feeds",
    bounded: false,
    splits: () => splits.map((_, i) => i),
    open: (split) => (splits[split as number] as Feed<T>).open(),
    ...(quiet && { quiet }),
  };
}

/** A sink that takes elements until `hold`; then every `flush` waits until `release`. Fails where it is written to meanwhile. */
export class Gate<T> implements Sink<T> {
  readonly name = "gate";
  readonly seen: T[] = [];
  /** Elements between two flushes. */
  readonly #every: number;
  #held = false;
  #flushed: (() => void) | undefined;
  /** Whether `write` has said `false` and `flush` has not ended since. */
  #full = false;

  constructor(options: { readonly every?: number; readonly held?: boolean } = {}) {
    this.#every = options.every ?? 1;
    this.#held = options.held ?? false;
  }

  /** Lets one flush end; later ones wait again where the gate is held. */
  step(): void {
    this.#flushed?.();
    this.#flushed = undefined;
  }

  /** Whether a flush is being waited for. */
  get waiting(): boolean {
    return this.#flushed !== undefined;
  }

  release(): void {
    this.#held = false;
    this.step();
  }

  open(): ReturnType<Sink<T>["open"]> {
    return {
      write: (value) => {
        if (this.#full) throw new Error("written to while it can take no more");
        this.seen.push(value);
        this.#full = this.seen.length % this.#every === 0;
        return !this.#full;
      },
      flush: async () => {
        if (this.#held) {
          await new Promise<void>((resolve) => {
            this.#flushed = resolve;
          });
        }
        this.#full = false;
      },
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => this.step(),
    };
  }
}

/** A sink that keeps what it gets. */
export function collector<T>(seen: T[]): Sink<T> {
  return {
    name: "collector",
    open: () => ({
      write: (value) => void seen.push(value),
      seal: () => [],
      commit: async () => {},
      lastCommitted: async () => 0,
      close: () => {},
    }),
  };
}
