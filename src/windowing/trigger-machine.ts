/**
 * What a trigger does: a state machine for each key and window, whose state is plain data.
 * Path: exec/general-lane -> HERE: elements and merges in, "fire now?" out.
 *
 * M1 `shouldFire` changes nothing; `onFire` is called only after it said yes; a finished trigger is asked no more.
 * M2 A state can be written down and read back as JSON: plain objects of finite numbers, booleans, null, and arrays of them.
 * M3 Where nothing counts elements, those after the first change no answer until it fires or merges, and need not be told.
 * M4 In merging windows every branch that a merge could bring back sees all elements.
 */
import { unreachable } from "../base/assert.ts";
import type { Timestamp } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";

/** The state of one trigger; `children` are those of its parts. */
export interface TriggerState {
  finished: boolean;
  /** Elements since the last firing, for a count. */
  count: number;
  /** When a processing-time delay ends; null before the first element. */
  dueMs: number | null;
  readonly children: TriggerState[];
}

/** What a trigger may look at. */
export interface TriggerContext {
  readonly watermark: Timestamp;
  readonly processingTime: number;
  /** The last instant of the window. */
  readonly maxTimestamp: Timestamp;
  /** Whether a processing-time timer asks: everything that came before its moment has been handled. */
  readonly atRest: boolean;
}

export interface TriggerMachine {
  /** Whether it counts elements (M3). */
  readonly counts: boolean;
  create(): TriggerState;
  onElement(state: TriggerState, context: TriggerContext): void;
  /** Sets `into`, freshly created, from the states of the windows that became one. */
  onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void;
  shouldFire(state: TriggerState, context: TriggerContext): boolean;
  onFire(state: TriggerState, context: TriggerContext): void;
  isFinished(state: TriggerState): boolean;
  /** The earliest processing time after `after` at which `shouldFire` may become true by itself. */
  nextProcessingTime(state: TriggerState, after: number): number | undefined;
}

/** @param merging whether windows merge, so that branches that are done may come back */
export function compileTrigger(trigger: Trigger, merging: boolean): TriggerMachine {
  switch (trigger.kind) {
    case "default":
      return new DefaultMachine([]);
    case "never":
      return new Machine([]);
    case "always":
      return new AlwaysMachine([]);
    case "afterWatermark":
      return new AfterWatermarkMachine(
        trigger.early && new RepeatedlyMachine([compileTrigger(trigger.early, merging) as Machine]),
        trigger.late && new RepeatedlyMachine([compileTrigger(trigger.late, merging) as Machine]),
        merging,
      );
    case "afterCount":
      return new CountMachine(trigger.count);
    case "afterProcessingTime":
      return new DelayMachine(trigger.delayMs);
    case "afterSynchronizedProcessingTime":
      return new SynchronizedMachine(0);
    case "repeatedly":
      return new RepeatedlyMachine([compileTrigger(trigger.of, merging) as Machine]);
    case "afterAny":
      return new AnyMachine(trigger.of.map((part) => compileTrigger(part, merging) as Machine));
    case "afterAll":
      return new AllMachine(trigger.of.map((part) => compileTrigger(part, merging) as Machine));
    case "afterEach":
      return new EachMachine(
        trigger.of.map((part) => compileTrigger(part, merging) as Machine),
        merging,
      );
    case "orFinally":
      return new OrFinallyMachine([
        compileTrigger(trigger.of, merging) as Machine,
        compileTrigger(trigger.until, merging) as Machine,
      ]);
    default:
      return unreachable(trigger);
  }
}

function endOfWindowReached(context: TriggerContext): boolean {
  return context.watermark > context.maxTimestamp;
}

/** There may be one state for each key and window, so the parts that have none share this. */
const NO_CHILDREN: TriggerState[] = [];

/** The base of all: never fires, has `parts`, and passes nothing on to them. */
class Machine implements TriggerMachine {
  readonly parts: readonly Machine[];
  readonly counts: boolean;

  constructor(parts: readonly Machine[], counts: boolean = parts.some((part) => part.counts)) {
    this.parts = parts;
    this.counts = counts;
  }

  create(): TriggerState {
    const children = this.parts.length === 0 ? NO_CHILDREN : this.parts.map((part) => part.create());
    return { finished: false, count: 0, dueMs: null, children };
  }

  /** Part `i` with its state. */
  protected part(state: TriggerState, i: number): [Machine, TriggerState] {
    return [this.parts[i] as Machine, state.children[i] as TriggerState];
  }

  onElement(_state: TriggerState, _context: TriggerContext): void {}

  onMerge(_into: TriggerState, _from: readonly TriggerState[], _context: TriggerContext): void {}

  /** `onMerge` of part `i`. */
  protected mergePart(i: number, into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    const [part, state] = this.part(into, i);
    part.onMerge(
      state,
      from.map((one) => one.children[i] as TriggerState),
      context,
    );
  }

  shouldFire(_state: TriggerState, _context: TriggerContext): boolean {
    return false;
  }

  onFire(_state: TriggerState, _context: TriggerContext): void {}

  isFinished(state: TriggerState): boolean {
    return state.finished;
  }

  /** Forgets the pane that was being gathered; what has finished stays finished. */
  clear(state: TriggerState): void {
    state.count = 0;
    state.dueMs = null;
    this.parts.forEach((part, i) => part.clear(state.children[i] as TriggerState));
  }

  /** Begins anew. */
  reset(state: TriggerState): void {
    state.finished = false;
    state.count = 0;
    state.dueMs = null;
    this.parts.forEach((part, i) => part.reset(state.children[i] as TriggerState));
  }

  nextProcessingTime(state: TriggerState, after: number): number | undefined {
    if (state.finished) return undefined;
    let next: number | undefined;
    this.parts.forEach((part, i) => {
      const time = part.nextProcessingTime(state.children[i] as TriggerState, after);
      if (time !== undefined && (next === undefined || time < next)) next = time;
    });
    return next;
  }
}

class DefaultMachine extends Machine {
  override shouldFire(_state: TriggerState, context: TriggerContext): boolean {
    return endOfWindowReached(context);
  }
}

class AlwaysMachine extends Machine {
  override shouldFire(): boolean {
    return true;
  }
}

class CountMachine extends Machine {
  readonly #count: number;

  constructor(count: number) {
    super([], true);
    this.#count = count;
  }

  override onElement(state: TriggerState): void {
    state.count++;
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[]): void {
    // Enough elements once is enough for good.
    into.finished = from.some((state) => state.finished);
    into.count = into.finished ? 0 : from.reduce((sum, state) => sum + state.count, 0);
  }

  override shouldFire(state: TriggerState): boolean {
    return state.count >= this.#count;
  }

  override onFire(state: TriggerState): void {
    state.count = 0;
    state.finished = true;
  }
}

class DelayMachine extends Machine {
  readonly #delayMs: number;

  constructor(delayMs: number) {
    super([]);
    this.#delayMs = delayMs;
  }

  override onElement(state: TriggerState, context: TriggerContext): void {
    state.dueMs ??= context.processingTime + this.#delayMs;
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[]): void {
    // A delay that is over in one window is waited for again: the merged pane has elements that have not been seen.
    for (const { dueMs } of from) {
      if (dueMs !== null && (into.dueMs === null || dueMs < into.dueMs)) into.dueMs = dueMs;
    }
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    return state.dueMs !== null && context.processingTime >= state.dueMs;
  }

  override onFire(state: TriggerState): void {
    state.dueMs = null;
    state.finished = true;
  }

  override nextProcessingTime(state: TriggerState, after: number): number | undefined {
    return state.finished || state.dueMs === null || state.dueMs <= after ? undefined : state.dueMs;
  }
}

/** Waits until everything that upstream fires at this moment has come, so that its panes are not passed on one by one. */
class SynchronizedMachine extends DelayMachine {
  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    return context.atRest && super.shouldFire(state, context);
  }
}

class RepeatedlyMachine extends Machine {
  override onElement(state: TriggerState, context: TriggerContext): void {
    const [part, inner] = this.part(state, 0);
    part.onElement(inner, context);
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    this.mergePart(0, into, from, context);
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    const [part, inner] = this.part(state, 0);
    return part.shouldFire(inner, context);
  }

  override onFire(state: TriggerState, context: TriggerContext): void {
    const [part, inner] = this.part(state, 0);
    part.onFire(inner, context);
    if (part.isFinished(inner)) part.reset(inner);
  }
}

/** Fires once, whatever its parts would do after that. */
class AnyMachine extends Machine {
  override onElement(state: TriggerState, context: TriggerContext): void {
    this.parts.forEach((part, i) => part.onElement(state.children[i] as TriggerState, context));
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    this.parts.forEach((_, i) => this.mergePart(i, into, from, context));
    into.finished = into.children.some((inner) => inner.finished);
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    return this.parts.some((part, i) => {
      const inner = state.children[i] as TriggerState;
      return inner.finished || part.shouldFire(inner, context);
    });
  }

  override onFire(state: TriggerState, context: TriggerContext): void {
    this.parts.forEach((part, i) => {
      const inner = state.children[i] as TriggerState;
      // A part that is not ready loses its pane all the same: the pane it was counting is gone.
      if (part.shouldFire(inner, context)) part.onFire(inner, context);
      else part.clear(inner);
    });
    state.finished = true;
  }
}

/** Fires once, whatever its parts would do after that. */
class AllMachine extends Machine {
  override onElement(state: TriggerState, context: TriggerContext): void {
    this.parts.forEach((part, i) => {
      const inner = state.children[i] as TriggerState;
      if (!inner.finished) part.onElement(inner, context);
    });
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    this.parts.forEach((_, i) => this.mergePart(i, into, from, context));
    into.finished = into.children.every((inner) => inner.finished);
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    return this.parts.every((part, i) => {
      const inner = state.children[i] as TriggerState;
      return inner.finished || part.shouldFire(inner, context);
    });
  }

  override onFire(state: TriggerState, context: TriggerContext): void {
    this.parts.forEach((part, i) => {
      const inner = state.children[i] as TriggerState;
      if (!inner.finished) part.onFire(inner, context);
    });
    state.finished = true;
  }
}

class EachMachine extends Machine {
  readonly #merging: boolean;

  constructor(parts: readonly Machine[], merging: boolean) {
    super(parts);
    this.#merging = merging;
  }

  #current(state: TriggerState): number {
    return state.children.findIndex((inner) => !inner.finished);
  }

  override onElement(state: TriggerState, context: TriggerContext): void {
    const current = this.#current(state);
    this.parts.forEach((part, i) => {
      if (this.#merging || i === current) part.onElement(state.children[i] as TriggerState, context);
    });
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    let priorFinished = true;
    this.parts.forEach((part, i) => {
      const inner = into.children[i] as TriggerState;
      if (priorFinished) {
        this.mergePart(i, into, from, context);
        priorFinished = inner.finished;
      } else part.clear(inner);
    });
    this.#update(into);
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    const current = this.#current(state);
    if (current < 0) return false;
    const [part, inner] = this.part(state, current);
    return part.shouldFire(inner, context);
  }

  override onFire(state: TriggerState, context: TriggerContext): void {
    const [part, inner] = this.part(state, this.#current(state));
    part.onFire(inner, context);
    // Those that ran along for the sake of merges have lost their pane with this firing.
    if (this.#merging) this.parts.forEach((other, i) => other.clear(state.children[i] as TriggerState));
    this.#update(state);
  }

  #update(state: TriggerState): void {
    state.finished = this.#current(state) < 0;
  }
}

class OrFinallyMachine extends Machine {
  override onElement(state: TriggerState, context: TriggerContext): void {
    this.parts.forEach((part, i) => part.onElement(state.children[i] as TriggerState, context));
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    this.parts.forEach((_, i) => this.mergePart(i, into, from, context));
    this.#update(into);
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    return this.parts.some((part, i) => part.shouldFire(state.children[i] as TriggerState, context));
  }

  override onFire(state: TriggerState, context: TriggerContext): void {
    const [actual, actualState] = this.part(state, 0);
    const [until, untilState] = this.part(state, 1);
    if (until.shouldFire(untilState, context)) {
      until.onFire(untilState, context);
      actual.clear(actualState);
    } else {
      // `until` counts on across firings.
      actual.onFire(actualState, context);
    }
    this.#update(state);
  }

  #update(state: TriggerState): void {
    state.finished = state.children.some((inner) => inner.finished);
  }
}

const EARLY = 0;
const LATE = 1;

/** `children[EARLY]` is finished once the end-of-window firing has been; from then on `children[LATE]` decides. */
class AfterWatermarkMachine extends Machine {
  readonly #hasLate: boolean;
  readonly #merging: boolean;

  constructor(early: Machine | undefined, late: Machine | undefined, merging: boolean) {
    super([early ?? new Machine([]), late ?? new Machine([])]);
    this.#hasLate = late !== undefined;
    this.#merging = merging;
  }

  override onElement(state: TriggerState, context: TriggerContext): void {
    const current = state.children[EARLY]?.finished ? LATE : EARLY;
    this.parts.forEach((part, i) => {
      if (this.#merging || i === current) part.onElement(state.children[i] as TriggerState, context);
    });
  }

  override onMerge(into: TriggerState, from: readonly TriggerState[], context: TriggerContext): void {
    const early = into.children[EARLY] as TriggerState;
    // Finished everywhere is not enough: the merged window may end later than the watermark, and has its own on-time firing then.
    const finished = (state: TriggerState): boolean =>
      this.#hasLate ? state.children[EARLY]?.finished === true : state.finished;
    const done = endOfWindowReached(context) && from.every(finished);
    if (!this.#hasLate) {
      into.finished = done;
      if (!done) this.mergePart(EARLY, into, from, context);
      return;
    }
    if (done) {
      early.finished = true;
      this.mergePart(LATE, into, from, context);
    } else {
      // What a window saw after its own on-time firing does not count towards an early one.
      this.mergePart(
        EARLY,
        into,
        from.filter((state) => !finished(state)),
        context,
      );
      early.finished = false;
    }
  }

  override shouldFire(state: TriggerState, context: TriggerContext): boolean {
    const early = state.children[EARLY] as TriggerState;
    if (early.finished) {
      const [late, lateState] = this.part(state, LATE);
      return this.#hasLate && late.shouldFire(lateState, context);
    }
    return endOfWindowReached(context) || (this.parts[EARLY] as Machine).shouldFire(early, context);
  }

  override onFire(state: TriggerState, context: TriggerContext): void {
    const [early, earlyState] = this.part(state, EARLY);
    const [late, lateState] = this.part(state, LATE);
    if (earlyState.finished) late.onFire(lateState, context);
    else if (!endOfWindowReached(context)) early.onFire(earlyState, context);
    else if (this.#hasLate) {
      early.clear(earlyState);
      earlyState.finished = true;
      // It may have run along for the sake of merges.
      late.reset(lateState);
    } else state.finished = true;
  }

  override nextProcessingTime(state: TriggerState, after: number): number | undefined {
    if (state.finished) return undefined;
    const [part, inner] = this.part(state, state.children[EARLY]?.finished ? LATE : EARLY);
    return part.nextProcessingTime(inner, after);
  }
}
