/**
 * The calls of one stage: queued, limited, kept in order, timed, retried.
 *
 * V1 An element holds the input watermark from `submit` until its call has settled; a timer's call holds the output
 *    watermark, too, at the timestamp of its outputs.
 * V2 Calls of one key run one after the other, in the order of `submit`. A timer that is cleared or set anew while its call
 *    is queued is not called.
 * V3 With `ordered`, effects are applied in the order of `submit`, whatever the order in which calls end.
 */
import { TidemarkError } from "../base/errors.ts";
import { preview } from "../base/preview.ts";
import type { CallHost, Invocation, InvokedTimer } from "../host/host.ts";
import type { TimerEntry } from "../host/records.ts";
import type { CallPolicy } from "../host/stage.ts";
import type { CallEffects, StageRunner } from "../host/stage-runner.ts";
import type { Pane } from "../model/pane.ts";
import { NO_FIRING } from "../model/pane.ts";
import { MAX_TIMESTAMP, type Timestamp } from "../model/time.ts";
import { formatWindow, type Window } from "../model/window.ts";
import type { Hold, Holds } from "./holds.ts";

/** An invocation whose signal is made when somebody asks for it. */
class QueuedInvocation implements Invocation {
  readonly id: number;
  readonly value: unknown;
  readonly timestamp: Timestamp;
  readonly windows: readonly Window[];
  readonly pane: Pane;
  readonly timer: InvokedTimer | undefined;
  attempt = 0;
  #abort: AbortController | undefined;

  constructor(
    id: number,
    value: unknown,
    timestamp: Timestamp,
    windows: readonly Window[],
    pane: Pane,
    timer: InvokedTimer | undefined,
  ) {
    this.id = id;
    this.value = value;
    this.timestamp = timestamp;
    this.windows = windows;
    this.pane = pane;
    this.timer = timer;
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  /** Tells the attempt that is running that nobody waits for it; the next one has a signal of its own. */
  abandon(reason: unknown): void {
    this.#abort?.abort(reason);
    this.#abort = undefined;
  }
}

interface Call {
  readonly invocation: QueuedInvocation;
  readonly key: unknown;
  readonly hold: Hold;
  /** What it holds the output watermark at, for a timer. */
  readonly outputHold: Hold | undefined;
  /** Which attempt is running; a result of an earlier one is stale. */
  running: number;
  /** When it counts as failed; Infinity without a time-out. */
  deadline: number;
  /** When its next attempt begins; Infinity while one is running. */
  retryAt: number;
  /** When its running attempt began, of one that is async; Infinity before. */
  since: number;
  /** Set when it has ended; `WITHDRAWN` where there was nothing to call any more. */
  effects: CallEffects | undefined;
}

/** A call that has not settled, as explanations need it. */
export interface UnsettledCall {
  readonly invocation: Invocation;
  /** Of a keyed step: the key as the program has it. */
  readonly key: unknown;
  /** What it holds the stage's input watermark at, and its output watermark: Infinity where it does not. */
  readonly hold: Timestamp;
  readonly outputHold: number;
  /** When its running attempt began, and when its next one begins; Infinity where there is none. */
  readonly since: number;
  readonly retryAt: number;
  readonly timeoutMs: number | undefined;
}

function keyOf({ invocation }: Call): unknown {
  const { timer, value } = invocation;
  return timer === undefined ? (value as readonly [unknown, unknown])[0] : timer.record.key;
}

const WITHDRAWN: CallEffects = Object.freeze({});

/** What the queue needs of its engine. */
export interface CallEngine {
  now(): number;
  inputWatermark(): Timestamp;
  /** Brings an async result back through the engine's one door. */
  deliverResult(callId: number, attempt: number, effects: CallEffects): void;
  setFull(full: boolean): void;
  /** Ends the life of a timer whose call begins; false where it was cleared or set anew. */
  takeTimer(timer: TimerEntry): boolean;
  readonly step: string;
}

export class CallQueue implements CallHost {
  readonly #policy: CallPolicy;
  readonly #engine: CallEngine;
  readonly #holds: Holds;
  readonly #outputHolds: Holds;
  readonly #fullAt: number;
  #waiting: Call[] = [];
  #head = 0;
  readonly #flying = new Map<number, Call>();
  /** Calls waiting for an earlier one of their key. */
  readonly #behind = new Map<unknown, Call[]>();
  /** Those whose earlier call has settled, until there is room. */
  #next: Call[] = [];
  /** How many calls of a window have not settled, by its id; only where calls have keys. */
  readonly #windows = new Map<string, number>();
  /** With `ordered`: calls in order of submission whose effects are not applied yet. */
  #order: Call[] = [];
  #nextId = 1;
  #unapplied = 0;

  /**
   * @param holds what holds the stage's input watermark
   * @param outputHolds what holds its output watermark
   */
  constructor(policy: CallPolicy, engine: CallEngine, holds: Holds, outputHolds: Holds) {
    this.#policy = policy;
    this.#engine = engine;
    this.#holds = holds;
    this.#outputHolds = outputHolds;
    this.#fullAt = 4 * policy.concurrency + 64;
  }

  /** Calls that have not settled, waiting ones included. */
  get size(): number {
    return this.#unapplied;
  }

  /** Whether an attempt is running. */
  get isCalling(): boolean {
    for (const call of this.#flying.values()) if (call.running > 0) return true;
    return false;
  }

  /** How many more timers may be queued for now. */
  get room(): number {
    return Math.max(0, this.#fullAt - this.#unapplied);
  }

  /** Whether calls of a window of keyed elements have not settled. */
  isBusy(window: Window): boolean {
    return this.#windows.has(window.id);
  }

  /** Whether a call of a key is under way. */
  isUnderWay(key: unknown): boolean {
    return this.#behind.has(key);
  }

  /** Says whether the stage takes more: all that has not settled counts, wherever it waits. */
  #updateFull(): void {
    if (this.#unapplied >= this.#fullAt) this.#engine.setFull(true);
    else if (this.#unapplied < this.#fullAt / 2) this.#engine.setFull(false);
  }

  submit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane, key: unknown): void {
    this.#submit(new QueuedInvocation(this.#nextId++, value, timestamp, windows, pane, undefined), key);
  }

  submitTimer(timer: InvokedTimer, timestamp: Timestamp, window: Window, key: unknown): void {
    this.#submit(new QueuedInvocation(this.#nextId++, undefined, timestamp, [window], NO_FIRING, timer), key);
  }

  #submit(invocation: QueuedInvocation, key: unknown): void {
    const { timestamp, timer } = invocation;
    const hold = this.#holds.add(Math.max(timestamp, this.#engine.inputWatermark()));
    const outputHold = timer !== undefined && timestamp <= MAX_TIMESTAMP ? this.#outputHolds.add(timestamp) : undefined;
    const call: Call = {
      invocation,
      key,
      hold,
      outputHold,
      running: 0,
      deadline: Infinity,
      retryAt: Infinity,
      since: Infinity,
      effects: undefined,
    };
    this.#waiting.push(call);
    if (this.#policy.perKey) this.#countWindows(invocation, 1);
    if (this.#policy.ordered) this.#order.push(call);
    this.#unapplied++;
    this.#updateFull();
  }

  #countWindows({ windows }: Invocation, by: number): void {
    for (const { id } of windows) {
      const count = (this.#windows.get(id) ?? 0) + by;
      if (count === 0) this.#windows.delete(id);
      else this.#windows.set(id, count);
    }
  }

  /** Begins calls while there is room. Synchronous ones settle at once. */
  begin(runner: StageRunner): void {
    this.#beginNext(runner);
    while (this.#head < this.#waiting.length && this.#flying.size < this.#policy.concurrency) {
      const call = this.#waiting[this.#head] as Call;
      this.#waiting[this.#head++] = undefined as unknown as Call;
      if (this.#policy.perKey) {
        const behind = this.#behind.get(call.key);
        if (behind !== undefined) {
          behind.push(call);
          continue;
        }
        this.#behind.set(call.key, []);
      }
      this.#attempt(call, runner);
      this.#beginNext(runner);
    }
    if (this.#head === this.#waiting.length || this.#head > 4096) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Begins those that waited for an earlier call of their key, which is over. */
  #beginNext(runner: StageRunner): void {
    for (let i = 0; this.#next.length > 0; i++) {
      if (i === this.#next.length || this.#flying.size >= this.#policy.concurrency) {
        this.#next = this.#next.slice(i);
        return;
      }
      this.#attempt(this.#next[i] as Call, runner);
    }
  }

  #attempt(call: Call, runner: StageRunner): void {
    const { invocation } = call;
    const entry = invocation.timer?.entry;
    if (invocation.attempt === 0 && entry !== undefined && !this.#engine.takeTimer(entry)) {
      this.#over(call, WITHDRAWN, runner);
      return;
    }
    const attempt = ++invocation.attempt;
    call.running = attempt;
    call.retryAt = Infinity;
    call.deadline = this.#policy.timeoutMs === undefined ? Infinity : this.#engine.now() + this.#policy.timeoutMs;
    this.#flying.set(invocation.id, call);
    const effects = runner.invoke(invocation);
    if (!(effects instanceof Promise)) {
      this.#ended(call, effects, runner);
      return;
    }
    call.since = this.#engine.now();
    effects.then(
      (settled) => this.#engine.deliverResult(invocation.id, attempt, settled),
      (error: unknown) => this.#engine.deliverResult(invocation.id, attempt, { error }),
    );
  }

  /** A result came back; one that nobody waits for any more is nothing. */
  result(callId: number, attempt: number, effects: CallEffects, runner: StageRunner): void {
    const call = this.#flying.get(callId);
    if (call === undefined || call.running !== attempt) return;
    this.#ended(call, effects, runner);
    this.#beginNext(runner);
  }

  #ended(call: Call, effects: CallEffects, runner: StageRunner): void {
    call.running = 0;
    call.deadline = Infinity;
    if (effects.error !== undefined && call.invocation.attempt < this.#policy.attempts) {
      call.retryAt = this.#engine.now() + this.#backoff(call.invocation.attempt + 1);
      return;
    }
    this.#flying.delete(call.invocation.id);
    this.#over(call, effects, runner);
  }

  #backoff(attempt: number): number {
    const wait = this.#policy.backoff(attempt);
    if (wait >= 0 && wait < Infinity) return wait;
    throw new TidemarkError("OPTION_INVALID", {
      what: `the backoff of step "${this.#engine.step}" gave ${String(wait)} for attempt ${attempt}`,
      why: "it says how many milliseconds to wait before the attempt",
      fix: "return a number from 0 up",
      step: this.#engine.step,
    });
  }

  /** All that have not settled. Changes nothing. Cost: a look at each. */
  *unsettled(): Generator<UnsettledCall> {
    const facts = (call: Call): UnsettledCall => ({
      invocation: call.invocation,
      key: this.#policy.perKey ? keyOf(call) : undefined,
      hold: call.hold.at,
      outputHold: call.outputHold?.at ?? Infinity,
      since: call.running > 0 ? call.since : Infinity,
      retryAt: call.retryAt,
      timeoutMs: this.#policy.timeoutMs,
    });
    // One that has ended and waits for its turn (V3) is not what anybody waits for: the one before it is.
    for (const call of this.#allCalls()) yield facts(call);
  }

  /**
   * What has not settled, in the order of `submit`. A timer's call that has not begun is not among them: its timer is still set,
   * and asks again.
   */
  saved(): readonly Invocation[] {
    const all = this.#policy.ordered ? this.#order : [...this.#allCalls()];
    return all
      .map(({ invocation }) => invocation)
      .filter(({ timer, attempt }) => timer?.entry === undefined || attempt > 0)
      .sort((a, b) => a.id - b.id);
  }

  *#allCalls(): Generator<Call> {
    yield* this.#flying.values();
    yield* this.#next;
    for (const calls of this.#behind.values()) yield* calls;
    yield* this.#waiting.slice(this.#head);
  }

  /** Tells the calls in flight that the job has ended. */
  abandon(reason: unknown): void {
    for (const { invocation } of this.#flying.values()) invocation.abandon(reason);
  }

  /** Applies what a call did, in its turn. */
  #over(call: Call, effects: CallEffects, runner: StageRunner): void {
    call.effects = effects;
    if (!this.#policy.ordered) {
      this.#apply(call, runner);
      return;
    }
    while (this.#order[0]?.effects !== undefined) this.#apply(this.#order.shift() as Call, runner);
  }

  #apply(call: Call, runner: StageRunner): void {
    if (call.effects !== WITHDRAWN) runner.settle(call.invocation, call.effects as CallEffects);
    this.#holds.release(call.hold);
    if (call.outputHold !== undefined) this.#outputHolds.release(call.outputHold);
    this.#unapplied--;
    this.#updateFull();
    if (!this.#policy.perKey) return;
    this.#countWindows(call.invocation, -1);
    const behind = this.#behind.get(call.key);
    const next = behind?.shift();
    if (next === undefined) this.#behind.delete(call.key);
    else this.#next.push(next);
  }

  /** Ends calls whose time is out and begins attempts that are due. @returns whether anything happened */
  tick(now: number, runner: StageRunner): boolean {
    let happened = false;
    for (const call of Array.from(this.#flying.values())) {
      if (call.deadline <= now) {
        happened = true;
        const error = this.#timedOut(call);
        call.invocation.abandon(error);
        this.#ended(call, { error }, runner);
      } else if (call.retryAt <= now) {
        happened = true;
        this.#attempt(call, runner);
      }
    }
    this.#beginNext(runner);
    return happened;
  }

  /** When `tick` has something to do; Infinity when there is nothing. */
  nextTick(): number {
    if (this.#policy.timeoutMs === undefined && this.#policy.attempts === 1) return Infinity;
    let next = Infinity;
    for (const call of this.#flying.values()) next = Math.min(next, call.deadline, call.retryAt);
    return next;
  }

  #timedOut({ invocation, key }: Call): TidemarkError {
    const { value, windows, timer } = invocation;
    return new TidemarkError("CALL_TIMEOUT", {
      what: `a call of step "${this.#engine.step}" did not end within ${this.#policy.timeoutMs} ms`,
      why: "its time-out option says how long a call may take",
      fix: "raise the timeout, add retries, or send such elements aside with .deadLetter()",
      step: this.#engine.step,
      domain: "external",
      window: windows.map(formatWindow).join(", "),
      ...(timer === undefined && { element: preview(value) }),
      ...(this.#policy.perKey && { key: preview(timer === undefined ? key : timer.record.key) }),
    });
  }
}
