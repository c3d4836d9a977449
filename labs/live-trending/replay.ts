/**
 * A source that replays a file of tweets at the pace at which they arrived, faster or slower.
 *
 * P1 A tweet is handed out when its turn has come, never before; the position is its line.
 */
import { readFileSync } from "node:fs";
import type { PollResult, Source, SourceReader } from "tidemark";
import type { Tweet } from "./generator.ts";

export interface ReplayOptions {
  /** How many times as fast as they arrived. */
  readonly speed: number;
  /** Milliseconds; the machine's clock by default. */
  readonly now?: () => number;
}

/** Replays `path`. Ends with the file. */
export function replay(path: string, options: ReplayOptions): Source<Tweet, string, number> {
  const now = options.now ?? Date.now;
  return {
    name: `replay(${path}, ${options.speed} times as fast)`,
    bounded: false,
    splits: () => [path],
    open: (file, position) => new ReplayReader(file, position ?? 0, options.speed, now),
  };
}

class ReplayReader implements SourceReader<Tweet, number> {
  readonly #lines: readonly string[];
  readonly #speed: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #firstArrival: number;
  #next: number;
  #tweet: Tweet | undefined;

  constructor(file: string, position: number, speed: number, now: () => number) {
    this.#lines = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    this.#speed = speed;
    this.#now = now;
    this.#next = position;
    this.#take();
    this.#firstArrival = this.#tweet?.arrivalMs ?? 0;
    this.#startedAt = now();
  }

  /** Reads ahead by one tweet: its arrival says when to go on. */
  #take(): void {
    const line = this.#lines[this.#next];
    this.#tweet = line === undefined ? undefined : parse(line, this.#next + 1);
  }

  #dueAt(tweet: Tweet): number {
    return this.#startedAt + (tweet.arrivalMs - this.#firstArrival) / this.#speed;
  }

  poll(max: number, into: { add(tweet: Tweet): void }): PollResult {
    const now = this.#now();
    for (let i = 0; i < max; i++) {
      const tweet = this.#tweet;
      if (tweet === undefined) return "end";
      if (this.#dueAt(tweet) > now) return "idle";
      this.#next++;
      this.#take();
      into.add(tweet);
    }
    return "more";
  }

  ready(): Promise<void> {
    const wait = this.#tweet === undefined ? 0 : this.#dueAt(this.#tweet) - this.#now();
    return new Promise((resolve) => setTimeout(resolve, Math.max(1, wait)));
  }

  position(): number {
    return this.#next;
  }

  close(): void {}
}

/** @throws Error that says which line is no tweet */
function parse(line: string, number: number): Tweet {
  let tweet: Partial<Tweet> | null;
  try {
    tweet = JSON.parse(line) as Partial<Tweet> | null;
  } catch (error) {
    throw new Error(`line ${number} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof tweet?.text !== "string" || !Number.isFinite(tweet.eventTimeMs) || !Number.isFinite(tweet.arrivalMs)) {
    throw new Error(`line ${number} lacks a text, or numbers eventTimeMs and arrivalMs: ${line.slice(0, 100)}`);
  }
  return tweet as Tweet;
}
