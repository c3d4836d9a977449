/**
 * Changes that are to become rows, in the order of their keys: neighbours lie on one page of the database, and what is changed
 * several times is written once.
 *
 * B1 What follows from the changes is what follows from them in the order in which they came: those of one key stay in their order,
 *    and nothing is moved over the removal of its window.
 *
 * Kept are places in the chunks, as numbers: a view of each part would take ten times the memory.
 */
import { type ChangeTarget, type EntryTimes, NO_TIMES } from "../host/snapshot.ts";

type Bytes = Uint8Array;

const KIND = { put: 0, putSameTimes: 1, extend: 2, remove: 3 } as const;
/** Of each change: its kind, its chunk, and where window, key and body begin and how long they are. */
const NUMBERS = 8;
const [WINDOW, KEY, BODY] = [2, 4, 6] as const;
const NOTHING: Bytes = new Uint8Array(0);
/** Bytes of a key that make a number, exact as a double. */
const PREFIX_BYTES = 6;

export class ChangeBatch implements ChangeTarget {
  readonly #target: ChangeTarget;
  readonly #chunks: ArrayBufferLike[] = [];
  readonly #numbers: number[] = [];
  readonly #prefixes: number[] = [];
  /** Of those that have any. */
  readonly #times = new Map<number, EntryTimes>();

  constructor(target: ChangeTarget) {
    this.#target = target;
  }

  put(window: Bytes, key: Bytes, body: Bytes, times: EntryTimes, sameTimes: boolean): void {
    if (times !== NO_TIMES) this.#times.set(this.#prefixes.length, times);
    this.#add(sameTimes ? KIND.putSameTimes : KIND.put, window, key, body);
  }

  extend(window: Bytes, key: Bytes, body: Bytes): void {
    this.#add(KIND.extend, window, key, body);
  }

  remove(window: Bytes, key: Bytes): void {
    this.#add(KIND.remove, window, key, NOTHING);
  }

  removeWindow(window: Bytes): void {
    this.flush();
    this.#target.removeWindow(window);
  }

  #add(kind: number, window: Bytes, key: Bytes, body: Bytes): void {
    if (this.#chunks.at(-1) !== window.buffer) this.#chunks.push(window.buffer);
    const chunk = this.#chunks.length - 1;
    const { byteOffset: windowAt, length: windowBytes } = window;
    this.#numbers.push(kind, chunk, windowAt, windowBytes, key.byteOffset, key.length, body.byteOffset, body.length);
    this.#prefixes.push(prefixOf(key));
  }

  #part(change: number, part: number): Bytes {
    const numbers = this.#numbers;
    const at = change * NUMBERS;
    const buffer = this.#chunks[numbers[at + 1] as number] as ArrayBufferLike;
    return new Uint8Array(buffer, numbers[at + part], numbers[at + part + 1]);
  }

  /** Tells the target of all. */
  flush(): void {
    const order = this.#inOrder();
    // What is put or removed right after makes a change void; but its times are the row's no longer.
    let timesDiffer = false;
    for (let i = 0; i < order.length; i++) {
      const change = order[i] as number;
      const kind = this.#numbers[change * NUMBERS];
      timesDiffer ||= kind !== KIND.putSameTimes;
      const next = order[i + 1];
      if (next !== undefined && this.#numbers[next * NUMBERS] !== KIND.extend && this.#isSame(change, next)) continue;
      const window = this.#part(change, WINDOW);
      const key = this.#part(change, KEY);
      if (kind === KIND.remove) this.#target.remove(window, key);
      else if (kind === KIND.extend) this.#target.extend(window, key, this.#part(change, BODY));
      else {
        const times = this.#times.get(change) ?? NO_TIMES;
        this.#target.put(window, key, this.#part(change, BODY), times, !timesDiffer);
      }
      timesDiffer = false;
    }
    this.#chunks.length = 0;
    this.#numbers.length = 0;
    this.#prefixes.length = 0;
    this.#times.clear();
  }

  #isSame(a: number, b: number): boolean {
    return this.#prefixes[a] === this.#prefixes[b] && this.#compare(a, b) === 0;
  }

  #compare(a: number, b: number): number {
    return (
      Buffer.compare(this.#part(a, WINDOW), this.#part(b, WINDOW)) ||
      Buffer.compare(this.#part(a, KEY), this.#part(b, KEY))
    );
  }

  /** Changes by key, then window, then as they came. */
  #inOrder(): Uint32Array {
    const prefixes = Float64Array.from(this.#prefixes);
    const order = Uint32Array.from(prefixes, (_, i) => i);
    return order.sort((a, b) => (prefixes[a] as number) - (prefixes[b] as number) || this.#compare(a, b) || a - b);
  }
}

function prefixOf(key: Bytes): number {
  let prefix = 0;
  for (let i = 0; i < PREFIX_BYTES; i++) prefix = prefix * 256 + (key[i] ?? 0);
  return prefix;
}
