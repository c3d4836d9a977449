/**
 * Strict mode: what a step keeps can be encoded, and nobody changes what others hold too.
 *
 * K1 Plain data is frozen all the way down; a Map, Set or Date throws where it is changed. Typed arrays cannot be frozen, and
 *    instances of classes are left alone.
 * K2 What goes through a coder that the program gave is kept, and read, as a copy made by that coder.
 */
import { decodeFromBytes, encodeToBytes, type Coder } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import type { Emitter } from "../host/emitter.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { stepFailure } from "./errors.ts";

/** What has been frozen here. An object that the program froze may hold others that are not. */
const frozen = new WeakSet<object>();

/** See K1. Cost: that of walking the value, once. */
export function deepFreeze(value: unknown): void {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null || frozen.has(next)) continue;
    frozen.add(next);
    freezeOne(next, left);
  }
}

function freezeOne(value: object, left: unknown[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype || prototype === Object.prototype || prototype === null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) left.push(inner);
  } else if (value instanceof Map && prototype === Map.prototype) {
    for (const [key, inner] of value as ReadonlyMap<unknown, unknown>) left.push(key, inner);
    refuseChanges(value, "a Map", ["set", "delete", "clear"]);
  } else if (value instanceof Set && prototype === Set.prototype) {
    left.push(...(value as ReadonlySet<unknown>));
    refuseChanges(value, "a Set", ["add", "delete", "clear"]);
  } else if (prototype === Date.prototype) refuseChanges(value, "a Date", DATE_SETTERS);
}

const DATE_SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set"));

/** Freezing does not reach what is in a Map: its methods do, and they are found on the object itself first. */
function refuseChanges(value: object, kind: string, methods: readonly string[]): void {
  if (!Object.isExtensible(value)) return;
  const refuse = (): never => {
    throw new TypeError(`Cannot change ${kind} that others hold too: make a new one of it`);
  };
  for (const method of methods) Object.defineProperty(value, method, { value: refuse });
  Object.freeze(value);
}

/** Freezes the elements that go on to several users. */
export class FreezingEmitter implements Emitter {
  readonly #out: Emitter;
  readonly #users: number;

  /** @param users of each element, in each of its windows */
  constructor(out: Emitter, users: number) {
    this.#out = out;
    this.#users = users;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    if (this.#users * windows.length > 1) deepFreeze(value);
    this.#out.emit(value, timestamp, windows, pane);
  }
}

/** Refuses what `coder` (default: that of plain values) cannot write, as an error of the step. */
export function checkEncodable(step: string, coder: Coder<unknown> | undefined, value: unknown): void {
  try {
    encodeToBytes(coder ?? valueCoder, value);
  } catch (error) {
    throw stepFailure(error, { step });
  }
}

/** What stands between user code and what is kept. */
export interface Guard {
  /** What is kept for `value`. */
  take(value: unknown): unknown;
  /** What is read for what is kept. */
  give(kept: unknown): unknown;
}

/** See K1 and K2. */
export function guardFor(step: string, coder: Coder<unknown> | undefined): Guard {
  if (coder !== undefined) {
    const copy = (value: unknown): unknown => copyBy(step, coder, value);
    return { take: copy, give: copy };
  }
  return {
    take(value) {
      checkEncodable(step, undefined, value);
      deepFreeze(value);
      return value;
    },
    give: (kept) => kept,
  };
}

function copyBy(step: string, coder: Coder<unknown>, value: unknown): unknown {
  try {
    const copy = decodeFromBytes(coder, encodeToBytes(coder, value));
    deepFreeze(copy);
    return copy;
  } catch (error) {
    throw stepFailure(error, { step });
  }
}
