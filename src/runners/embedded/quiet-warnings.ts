/**
 * Warnings of sources that have gone quiet, or never say how far event time has come, while something waits for them.
 *
 * W1 One for each source and job, with what it holds back and the option that would change it.
 * W2 Looking takes no turn of the engine; only where a source is suspicious is the job asked what waits, and ever more seldom
 *    where nothing does.
 */
import type { Clock } from "../../base/clock.ts";
import type { Explanation, HoldCause, Waiting } from "../../explain/explanation.ts";
import { describeCause, headline, quietFix } from "../../explain/words.ts";

/** How long a source has nothing before that is worth a warning; how often it is looked for. */
const QUIET_MS = 30_000;
const LOOK_EVERY_MS = 10_000;
const ASK_SELDOM_MS = 3_600_000;

/** The job, as far as it is looked at. */
export interface Watched {
  quietSources(forMs: number): readonly string[];
  explain(): Explanation;
}

export class QuietWarnings {
  readonly #clock: Clock;
  readonly #job: Watched;
  readonly #warn: (message: string) => void;
  readonly #told = new Set<string>();
  #askEvery = LOOK_EVERY_MS;
  #askAt = -Infinity;
  #stop: (() => void) | undefined;

  constructor(clock: Clock, job: Watched, warn: (message: string) => void) {
    this.#clock = clock;
    this.#job = job;
    this.#warn = warn;
  }

  start(): void {
    this.#stop = this.#clock.watch?.(this.#clock.now() + LOOK_EVERY_MS, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #look(): void {
    const now = this.#clock.now();
    const quiet = this.#job.quietSources(QUIET_MS).filter((step) => !this.#told.has(step));
    if (quiet.length === 0 || now < this.#askAt) return;
    const { waiting } = this.#job.explain();
    const held = quiet.flatMap((step) => waiting.find(({ cause }) => isOf(step, cause)) ?? []);
    for (const one of held) {
      this.#told.add(one.cause.step);
      this.#warn(messageOf(one, waiting.filter(({ cause }) => isOf(one.cause.step, cause)).length - 1, now));
    }
    this.#askEvery = held.length > 0 ? LOOK_EVERY_MS : Math.min(this.#askEvery * 2, ASK_SELDOM_MS);
    this.#askAt = now + this.#askEvery;
  }
}

type Quiet = Extract<HoldCause, { readonly kind: "split" | "allIdle" }>;

function isOf(step: string, cause: HoldCause): cause is Quiet {
  return (cause.kind === "split" || cause.kind === "allIdle") && cause.step === step;
}

function messageOf(first: Waiting, others: number, now: number): string {
  const cause = first.cause as Quiet;
  const more = others === 0 ? "" : `, nor have ${others} more that wait for it`;
  return `${describeCause(cause, now)}; until then ${headline(first)}${more}; ${quietFix(cause)}`;
}
