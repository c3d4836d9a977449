/**
 * The checkpoints of one running job: when they are made, and what follows when one is complete.
 * Path: job.ts, after each turn -> HERE -> Engine.freeze -> a CheckpointStore -> sinks and sources are told.
 *
 * K1 One checkpoint at a time: the next one begins when the output of the last is where it belongs. So a sink is behind the newest
 *    checkpoint by one at most, and that one has what is missing.
 * K2 Nothing of a checkpoint is told to anybody before it is on the disk.
 */
import type { Clock } from "../../base/clock.ts";
import { isTidemarkError, TidemarkError } from "../../base/errors.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Freezing } from "../../engine/freezing.ts";
import { exponentialBackoff } from "../../fn/call-options.ts";
import type { Epoch } from "../../fn/sink.ts";
import type { StageRunner } from "../../host/stage-runner.ts";
import type { CheckpointKind, CheckpointStore, StoredCheckpoint } from "../../host/checkpoint-store.ts";

export interface CheckpointPlan {
  readonly store: CheckpointStore;
  /** Milliseconds from the beginning of one checkpoint to that of the next. */
  readonly everyMs: number;
  /** How many bytes of records may be in memory. */
  readonly stateMemory: number;
  /** Steps whose state may be lost where the program is another version than the checkpoint's. */
  readonly allowDroppedState?: readonly string[];
  /** A test mode: asked after each turn whether the job is to be stopped there, and started again. */
  readonly restartWhen?: () => boolean;
}

/** How long a slice of writing may hold up elements. */
const SLICE_MS = 2;
/** How often is looked how much is in memory. */
const MEASURE_EVERY_MS = 50;
/** How long is waited before a commit of a sink that has failed is tried again, by its attempt. */
const waitBefore = exponentialBackoff(100, 5000);
/** What may be better the next time. */
const PASSES: ReadonlySet<string> = new Set(["JOB_FAILED", "FILE_UNWRITABLE", "SQL_UNAVAILABLE"]);
/** For so long; then the job fails, and goes on when it is started again. */
const RETRY_FOR_MS = 60_000;

export class Checkpointing {
  readonly store: CheckpointStore;
  readonly #plan: CheckpointPlan;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #fail: (error: unknown) => void;
  #epoch: Epoch;
  #nextDue: number;
  #freezing: Freezing | undefined;
  /** The commit of what is written, until all who hear of it have. */
  #completing: Promise<void> | undefined;
  /** Whether anything has happened since the last one. */
  #dirty = true;
  /** Whether the store has been asked to fold, and at which epoch it was last. */
  #folding = false;
  #foldedAt: Epoch = 0;
  #measuredAt = -Infinity;

  /** @param wake called when the driver has something to do @param fail called when one could not be made */
  constructor(plan: CheckpointPlan, clock: Clock, wake: () => void, fail: (error: unknown) => void) {
    this.#plan = plan;
    this.store = plan.store;
    this.#clock = clock;
    this.#wake = wake;
    this.#fail = fail;
    this.#epoch = plan.store.newest()?.epoch ?? 0;
    this.#nextDue = this.#elapsed() + plan.everyMs;
  }

  /** Milliseconds that pass however the clock is set, from some beginning. */
  #elapsed(): number {
    return this.#clock.stopwatch?.() ?? this.#clock.now();
  }

  /** Goes on with an engine that has just been made. */
  attach(engine: Engine): void {
    this.store.folded = (epoch) => {
      this.#folding = false;
      engine.eviction.folded(epoch);
      this.#wake();
    };
  }

  /** Brings sinks to where the checkpoint is that the job goes on from. After the engine was opened. */
  async recover(engine: Engine, { epoch, snapshot }: StoredCheckpoint): Promise<void> {
    for (const [step, sink] of engine.sinks()) {
      const last = (await sink.lastCommitted?.()) ?? 0;
      if (last > epoch) throw sinkAhead(step, last, epoch);
      if (last < epoch) await this.#commitTo(sink, epoch, [...snapshot.chunks("sealed", step)]);
    }
  }

  /** Whether there is something to do at once. */
  isBusy(engine: Engine): boolean {
    return (this.#freezing !== undefined && this.#completing === undefined) || engine.eviction.isSweeping;
  }

  /** In how many milliseconds the next one is due; Infinity where nothing has happened since the last. */
  get dueIn(): number {
    return this.#dirty && this.#freezing === undefined ? Math.max(0, this.#nextDue - this.#elapsed()) : Infinity;
  }

  /** Called after each turn. */
  afterTurn(engine: Engine, didSomething: boolean): void {
    if (didSomething) this.#dirty = true;
    this.#makeRoom(engine);
    if (this.#freezing !== undefined) {
      if (this.#completing === undefined && this.#freezing.encode(SLICE_MS, this.#clock)) void this.#complete(engine);
      return;
    }
    if (!this.#dirty || this.#elapsed() < this.#nextDue) return;
    engine.rest();
    if (!engine.isAtRest) return;
    this.#begin(engine);
  }

  /** Where too much is in memory: what has changed is written down, folded, and then taken out. */
  #makeRoom(engine: Engine): void {
    const { eviction } = engine;
    const now = this.#elapsed();
    if (eviction.isSweeping && engine.isAtRest) {
      eviction.sweep(SLICE_MS, this.#clock);
      if (!eviction.isSweeping) eviction.measure();
    }
    if (now - this.#measuredAt >= MEASURE_EVERY_MS || eviction.isOverfull) {
      eviction.measure();
      this.#measuredAt = now;
    }
    if (eviction.isOverfull) {
      // What has changed last can be folded once it is not in the newest checkpoints any more.
      this.#dirty = true;
      this.#nextDue = Math.min(this.#nextDue, now);
    }
    if (!eviction.isPressed || this.#folding || eviction.isSweeping || this.#epoch <= this.#foldedAt) return;
    this.#folding = true;
    this.#foldedAt = this.#epoch;
    this.store.fold();
  }

  #begin(engine: Engine): Freezing {
    this.#epoch++;
    this.#nextDue = this.#elapsed() + this.#plan.everyMs;
    this.#dirty = false;
    this.#freezing = engine.freeze(this.#epoch, this.store.begin(this.#epoch));
    return this.#freezing;
  }

  #complete(engine: Engine): Promise<void> {
    const completing = this.#finish(engine, this.#freezing as Freezing, "checkpoint").then(() => {
      this.#completing = undefined;
      this.#freezing = undefined;
      this.#wake();
    });
    completing.catch((error: unknown) => this.#fail(error));
    this.#completing = completing;
    return completing;
  }

  async #finish(engine: Engine, freezing: Freezing, kind: CheckpointKind): Promise<void> {
    await this.store.commit(freezing.epoch, kind, this.#clock.now());
    const sinks = engine.sinks();
    for (const [step, chunks] of freezing.sealed) {
      const sink = sinks.get(step);
      if (sink !== undefined) await this.#commitTo(sink, freezing.epoch, chunks);
    }
    await engine.committed(freezing);
  }

  /** The one under way, if any, to its end. */
  async #settle(engine: Engine): Promise<void> {
    if (this.#freezing === undefined) return;
    if (this.#completing === undefined) this.#freezing.encode(Infinity, this.#clock);
    await (this.#completing ?? this.#complete(engine));
  }

  /** A last checkpoint, to its end. */
  async last(engine: Engine, kind: CheckpointKind): Promise<void> {
    await this.#settle(engine);
    const freezing = this.#begin(engine);
    freezing.encode(Infinity, this.#clock);
    await this.#finish(engine, freezing, kind);
    this.#freezing = undefined;
  }

  async #commitTo(sink: StageRunner, epoch: Epoch, chunks: readonly Uint8Array[]): Promise<void> {
    const since = this.#elapsed();
    for (let attempt = 1; ; attempt++) {
      try {
        await sink.commit?.(epoch, chunks);
        return;
      } catch (error) {
        // What is damaged does not mend by itself.
        const isLost = isTidemarkError(error) && !PASSES.has(error.code);
        if (isLost || this.#elapsed() - since > RETRY_FOR_MS) throw error;
        await new Promise<void>((resolve) => wakeIn(this.#clock, waitBefore(attempt + 1), resolve));
      }
    }
  }
}

/** Calls back after so long, however the clock is set meanwhile, where the clock can do that. */
export function wakeIn(clock: Clock, ms: number, wake: () => void): () => void {
  return clock.scheduleIn?.(ms, wake) ?? clock.schedule(clock.now() + ms, wake);
}

function sinkAhead(step: string, last: Epoch, epoch: Epoch): TidemarkError {
  return new TidemarkError("SINK_AHEAD", {
    what: `the output of step "${step}" has been committed up to epoch ${last}, and the newest checkpoint is epoch ${epoch}`,
    why: "going on would write what is there already a second time",
    fix: "use the newest copy of the checkpoint folder, or start anew with empty output and an empty folder",
    step,
    domain: "external",
  });
}
