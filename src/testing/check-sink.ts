/**
 * Checks a sink against the contract of `SinkWriter` (fn/sink.ts): plays a job that is killed between any two calls, and started again
 * as the engine would start it.
 */
import { isDeepStrictEqual } from "node:util";
import { TidemarkError } from "../base/errors.ts";
import type { ElementMeta, Epoch, Sink, SinkWriter } from "../fn/sink.ts";
import { NO_FIRING } from "../model/pane.ts";
import { GLOBAL_WINDOWS } from "../model/window.ts";

/** What `checkSink` needs to know of a sink. */
export interface SinkCheck<T> {
  /** The sink. Asked for anew for each of the plays, with its number: each has to write to a place of its own. */
  sink(play: number): Sink<T>;
  /** Elements to be written, four or more, no two of them equal. */
  readonly values: readonly T[];
  /** What the outside sees at the place of a play: elements, in any order. Nothing where the place is not there yet. */
  visible(play: number): readonly T[] | Promise<readonly T[]>;
  /**
   * `exactly-once`, the default. `at-least-once`: an element may be visible early, and again after a crash. `idempotent`: it may be
   * visible early, and is there once.
   */
  readonly guarantee?: "exactly-once" | "at-least-once" | "idempotent";
  /** `each-epoch`, the default: what is committed is visible. `at-end`: once `finish` has resolved. */
  readonly appears?: "each-epoch" | "at-end";
}

/** Where the process of a play ends. Each is tried in each epoch. */
const CRASHES = ["before seal", "after seal", "in commit", "after commit", "committed twice"] as const;
type Crash = (typeof CRASHES)[number];
const EPOCHS = 3;

/**
 * Plays jobs against a sink, each killed at another point of another epoch and started again, and compares what the outside sees
 * with what it may see by the contract of `SinkWriter`. A kill drops the writer: nothing of it is called any more, and what it had begun
 * goes on by itself. Cost: 16 plays of three epochs.
 * @throws SINK_CONTRACT with the rule, the play and what was seen; what the sink itself throws
 *
 * @example
 * ```ts
 * await checkSink({
 *   sink: (play) => text.textSink(`log-${play}.txt`, { append: true }),
 *   values: ["a", "b", "c", "d"],
 *   visible: async (play) => (await readFile(`log-${play}.txt`, "utf8").catch(() => "")).split("\n").slice(0, -1),
 * });
 * await readFile("log-0.txt", "utf8"); // -> "a\nb\nc\nd\n"
 * ```
 */
export async function checkSink<T>(check: SinkCheck<T>): Promise<void> {
  let play = 0;
  await new Play(check, play++, undefined, 0).run();
  for (let epoch = 1; epoch <= EPOCHS; epoch++)
    for (const crash of CRASHES) await new Play(check, play++, crash, epoch).run();
}

class Play<T> {
  readonly #check: SinkCheck<T>;
  readonly #number: number;
  readonly #crash: Crash | undefined;
  readonly #crashAt: Epoch;
  readonly #job: { readonly jobId: string };
  #writer: SinkWriter<T> | undefined;
  readonly #opened: SinkWriter<T>[] = [];
  /** The newest checkpoint: what was sealed for it, and how many elements are in it and those before. */
  #saved: { readonly epoch: Epoch; readonly chunks: readonly Uint8Array[]; readonly elements: number } = {
    epoch: 0,
    chunks: [],
    elements: 0,
  };

  constructor(check: SinkCheck<T>, number: number, crash: Crash | undefined, crashAt: Epoch) {
    this.#check = check;
    this.#number = number;
    this.#crash = crash;
    this.#crashAt = crashAt;
    this.#job = { jobId: `check-${number}` };
  }

  async run(): Promise<void> {
    try {
      await this.#play();
    } finally {
      // Only now: what belongs to processes that are gone is not to be told of anything before.
      for (const writer of this.#opened) await Promise.resolve(writer.close()).catch(() => {});
    }
  }

  async #play(): Promise<void> {
    await this.#open();
    const last = await this.#current.lastCommitted();
    if (last !== 0) throw this.#broken("K3", `lastCommitted() of a new job is ${last}, not 0`);
    for (let epoch = 1; epoch <= EPOCHS; epoch++) {
      const crash = epoch === this.#crashAt ? this.#crash : undefined;
      if (crash !== undefined && (await this.#killedIn(epoch, crash))) await this.#recover();
      if (this.#saved.epoch < epoch) await this.#finishEpoch(epoch);
    }
    await this.#current.flush?.();
    await this.#current.finish?.();
    await this.#seen("K4", "after finish()", this.#saved.elements, true);
    // Killed before it was on record that the job has ended.
    await this.#recover();
    await this.#current.finish?.();
    await this.#current.close();
    this.#opened.pop();
    await this.#seen("K4", "after a second finish() and close()", this.#saved.elements, true);
  }

  get #current(): SinkWriter<T> {
    return this.#writer as SinkWriter<T>;
  }

  async #open(): Promise<void> {
    this.#writer = await this.#check.sink(this.#number).open(this.#job);
    this.#opened.push(this.#writer);
  }

  /** @returns whether the process is gone */
  async #killedIn(epoch: Epoch, crash: Crash): Promise<boolean> {
    await this.#write(epoch);
    if (crash === "before seal") return true;
    this.#seal(epoch);
    if (crash === "after seal") return true;
    const { chunks, elements } = this.#saved;
    if (crash === "in commit") {
      // What it has begun may come to its end, and does before the next process looks.
      await this.#current.commit(epoch, copies(chunks)).catch(() => {});
      return true;
    }
    await this.#current.commit(epoch, copies(chunks));
    if (crash === "committed twice") await this.#current.commit(epoch, copies(chunks));
    await this.#seen("K2", `after commit(${epoch})${crash === "committed twice" ? " twice" : ""}`, elements, false);
    return true;
  }

  /** As the engine does it: see runners/embedded/checkpointing.ts. */
  async #recover(): Promise<void> {
    await this.#open();
    const { epoch, chunks, elements } = this.#saved;
    const last = await this.#current.lastCommitted();
    if (last > epoch)
      throw this.#broken("K3", `lastCommitted() is ${last}, and epoch ${epoch} was the last to be sealed`);
    if (last < epoch) await this.#current.commit(epoch, copies(chunks));
    await this.#seen("K2", `after the start that follows, and commit(${epoch})`, elements, false);
  }

  async #finishEpoch(epoch: Epoch): Promise<void> {
    await this.#write(epoch);
    const before = this.#saved.elements;
    this.#seal(epoch);
    if (this.#guarantee === "exactly-once")
      await this.#seen("K2", `after seal(${epoch}), before commit`, before, false);
    await this.#current.commit(epoch, copies(this.#saved.chunks));
    await this.#seen("K2", `after commit(${epoch})`, this.#saved.elements, false);
    // What is handed over by epochs is there; the engine asks this when it is started again.
    const last = await this.#current.lastCommitted();
    if (this.#guarantee === "exactly-once" && last !== epoch)
      throw this.#broken("K3", `lastCommitted() is ${last} after commit(${epoch})`);
  }

  get #guarantee(): NonNullable<SinkCheck<T>["guarantee"]> {
    return this.#check.guarantee ?? "exactly-once";
  }

  async #write(epoch: Epoch): Promise<void> {
    const { values } = this.#check;
    const [from, to] = [(epoch - 1) / EPOCHS, epoch / EPOCHS].map((part) => Math.floor(part * values.length));
    for (const value of values.slice(from, to))
      if (this.#current.write(value, META) === false) await this.#current.flush?.();
  }

  #seal(epoch: Epoch): void {
    const chunks = copies(this.#current.seal(epoch));
    this.#saved = { epoch, chunks, elements: Math.floor((epoch / EPOCHS) * this.#check.values.length) };
  }

  /** Compares what the outside sees with the first `count` elements. */
  async #seen(rule: string, when: string, count: number, isOver: boolean): Promise<void> {
    if (this.#check.appears === "at-end" && !isOver) return;
    const left = [...(await this.#check.visible(this.#number))];
    const expected = this.#check.values.slice(0, count);
    for (const value of expected) {
      const at = left.findIndex((each) => isDeepStrictEqual(each, value));
      if (at === -1) throw this.#broken(rule, `${when}, ${JSON.stringify(value)} is not visible`);
      left.splice(at, 1);
    }
    const isRepeated = (value: T): boolean => expected.some((each) => isDeepStrictEqual(each, value));
    const allowed = (value: T): boolean =>
      this.#guarantee === "at-least-once" || (this.#guarantee === "idempotent" && !isRepeated(value));
    const extra = left.find((value) => !allowed(value));
    if (extra === undefined) return;
    const how = isRepeated(extra) ? "visible more than once" : "visible, and not committed";
    throw this.#broken(rule, `${when}, ${JSON.stringify(extra)} is ${how}`);
  }

  #broken(rule: string, what: string): TidemarkError {
    const killed = this.#crash === undefined ? "never killed" : `killed in epoch ${this.#crashAt}: ${this.#crash}`;
    return new TidemarkError("SINK_CONTRACT", {
      what: `${this.#check.sink(this.#number).name} breaks ${rule} of SinkWriter: ${what}`,
      why: `play ${this.#number}, ${killed}; jobs that are started again would lose output, or put it out twice`,
      fix: "see the rules at the head of fn/sink.ts; a sink that cannot do it says so by `guarantee`",
    });
  }
}

const META: ElementMeta = Object.freeze({ timestamp: 0, windows: GLOBAL_WINDOWS, pane: NO_FIRING });

/** As they come back from a checkpoint. */
function copies(chunks: readonly Uint8Array[]): Uint8Array[] {
  return chunks.map((chunk) => new Uint8Array(chunk));
}
