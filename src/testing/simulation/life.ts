/**
 * One life of a simulated process: from a start of the job to its end or its crash.
 *
 * L1 All that is not determined is drawn from one seed, in an order that the seed determines: what waits outside of the engine (a
 *    result of a call, the answer of a store, a timer) comes when it is drawn, and only after promises have had their turn.
 * L2 A dead process does nothing: what still runs of it is refused everything by which it could be seen.
 */
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";

/** What happens, how often: chances from 0 to 1 at each occasion. */
export interface Chances {
  readonly crash: number;
  /** A source has nothing for now, though it has; time stands still, or jumps. */
  readonly stall: number;
  /** A sink says that a commit has failed: before it has done it, or after. */
  readonly commitFailure: number;
}

/** What outlives a process. */
export class World {
  readonly random: Random;
  readonly chances: Chances;
  readonly trace: string[] = [];
  now = 0;
  crashes = 0;
  /** How many crashes there may be at most. */
  readonly #crashesMax: number;

  constructor(random: Random, chances: Chances, crashesMax: number) {
    this.random = random;
    this.chances = chances;
    this.#crashesMax = crashesMax;
  }

  note(what: string): void {
    this.trace.push(`${this.now} ${what}`);
  }

  happens(chance: number): boolean {
    return this.random.next() < chance;
  }

  crashesNow(): boolean {
    if (this.crashes >= this.#crashesMax || !this.happens(this.chances.crash)) return false;
    this.crashes++;
    return true;
  }
}

/** Ends what a dead process still has under way. Nobody sees it. */
export class Crash extends Error {
  constructor() {
    super("the simulated process has crashed");
  }
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** How far time goes by itself from one turn to the next, at most, and where it jumps. */
const TURN_MS = 3;
const JUMP_MS = 2_000;

export class Life {
  readonly world: World;
  isDead = false;
  #turns: (() => void)[] = [];
  #delayed: (() => void)[] = [];
  #timers: Timer[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** A point at which the process may die. @throws Crash */
  point(what: string): void {
    if (this.isDead) throw new Crash();
    this.world.note(what);
    if (!this.world.crashesNow()) return;
    this.world.note("crash");
    this.isDead = true;
    throw new Crash();
  }

  /** What comes from outside comes at some time, and after what came later. */
  delay(arrive: () => void): void {
    if (!this.isDead) this.#delayed.push(arrive);
  }

  /** Resolves at some time. @throws Crash */
  async later(): Promise<void> {
    await new Promise<void>((resolve) => this.delay(resolve));
    if (this.isDead) throw new Crash();
  }

  readonly clock: Clock = {
    now: () => this.world.now,
    immediate: (callback) => {
      if (!this.isDead) this.#turns.push(callback);
    },
    schedule: (at, callback) => {
      const timer = { at, callback };
      if (!this.isDead) this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      };
    },
    advanceBy: (ms) => {
      this.world.now += ms;
    },
  };

  /** Lets one thing happen. @returns whether there was one */
  step(): boolean {
    const { world } = this;
    const { random } = world;
    if (this.#delayed.length > 0 && (this.#turns.length === 0 || random.int(2) === 0)) {
      const [arrive] = this.#delayed.splice(random.int(this.#delayed.length), 1);
      arrive?.();
      return true;
    }
    const turn = this.#turns.shift();
    if (turn !== undefined) {
      world.now += world.happens(world.chances.stall) ? random.int(JUMP_MS) : random.int(TURN_MS);
      if (world.crashesNow()) {
        world.note("crash");
        this.isDead = true;
      } else turn();
      this.#fireDue();
      return true;
    }
    if (this.#timers.length === 0) return false;
    world.now = Math.max(world.now, Math.min(...this.#timers.map(({ at }) => at)));
    if (world.happens(world.chances.stall)) world.now += random.int(JUMP_MS);
    this.#fireDue();
    return true;
  }

  /** In any order. */
  #fireDue(): void {
    const due = this.#timers.filter(({ at }) => at <= this.world.now);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ at }) => at > this.world.now);
    while (due.length > 0) due.splice(this.world.random.int(due.length), 1)[0]?.callback();
  }
}
