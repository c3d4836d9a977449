/**
 * The state of one stage as the worker has it: read from the runner when a record is made, handed back when the bundle ends.
 *
 * T1 A record is read once in a bundle: ahead of it for the keys that came with it, else when user code meets the key.
 * T2 Writes are held back to the bundle's end and told as the difference: what was only added to is an append.
 */
import { Buffer } from "node:buffer";
import { type Coder, decodeFromBytes, encodeToBytes } from "../coders/coder.ts";
import { valueCoder } from "../coders/value.ts";
import { cellOf, keepsNothing, recordsOf, setCell, type StateRecord } from "../exec/state-record.ts";
import type { StateSpec, StateSpecs } from "../fn/state.ts";
import type { StateHost } from "../host/host.ts";
import type { KeyedRecord, MapKey, StateData } from "../host/records.ts";
import type { Window } from "../model/window.ts";
import type { StateKey } from "./messages.ts";
import { cellBytes, cellData } from "./state-bytes.ts";
import type { StateAsk, StateChannel } from "./state-channel.ts";
import { wireKey } from "./wire-coders.ts";

/** When the cells with a TTL were written: kept beside them, under a name that no cell has. */
const WRITTEN_AT = " written at";

interface Loaded {
  readonly window: Uint8Array;
  readonly key: Uint8Array;
  /** As the runner had it, cell by cell. */
  readonly before: readonly Uint8Array[];
  /** The record that stands for it now. */
  record: KeyedRecord & StateData;
}

export interface KeyAt {
  readonly key: Uint8Array;
  readonly window: Window;
}

export class KeyedState implements StateHost {
  readonly #stage: number;
  readonly #channel: StateChannel;
  readonly #names: readonly string[];
  readonly #specs: readonly StateSpec<unknown>[];
  readonly #fresh: ReturnType<typeof recordsOf>;
  readonly #keys: Coder<unknown>;
  readonly #windows: Coder<Window>;
  #loaded = new Map<string, Loaded>();
  #fetched = new Map<string, readonly Uint8Array[]>();

  constructor(stage: number, channel: StateChannel, specs: StateSpecs, keys: Coder<unknown>, windows: Coder<Window>) {
    this.#stage = stage;
    this.#channel = channel;
    this.#specs = Object.values(specs);
    this.#fresh = recordsOf(this.#specs.length);
    const hasTtl = this.#specs.some(({ ttl }) => ttl !== undefined);
    this.#names = hasTtl ? [...Object.keys(specs), WRITTEN_AT] : Object.keys(specs);
    this.#keys = keys;
    this.#windows = windows;
  }

  #asks(window: Uint8Array, key: Uint8Array): StateAsk[] {
    return this.#names.map((name) => ({ key: this.#stateKey(name, window, key), operation: { kind: "get" } }));
  }

  #stateKey(userState: string, window: Uint8Array, key: Uint8Array): StateKey {
    return { kind: "bagUserState", stage: this.#stage, userState, window, key };
  }

  /** Reads ahead. */
  async prefetch(keys: readonly KeyAt[]): Promise<void> {
    if (this.#names.length === 0) return;
    const wanted = new Map<string, StateAsk[]>();
    for (const { key, window } of keys) wanted.set(idOf(window, key), this.#asks(this.#windowBytes(window), key));
    const values = await this.#channel.ask([...wanted.values()].flat());
    const width = this.#names.length;
    [...wanted.keys()].forEach((id, i) => this.#fetched.set(id, values.slice(i * width, (i + 1) * width)));
  }

  #windowBytes(window: Window): Uint8Array {
    return encodeToBytes(this.#windows, window);
  }

  /** A record of the step, with what the runner keeps of it. */
  record(key: unknown, mapKey: MapKey, window: Window): StateRecord {
    const record = this.#fresh(key, mapKey, window);
    this.load(record);
    return record;
  }

  load(record: KeyedRecord & StateData): void {
    const key = wireKey(this.#keys, record.key);
    const id = idOf(record.window, key);
    const known = this.#loaded.get(id);
    if (known !== undefined) {
      record.first = known.record.first;
      record.others = known.record.others;
      record.writtenAt = known.record.writtenAt;
      known.record = record;
      return;
    }
    const window = this.#windowBytes(record.window);
    const before =
      this.#names.length === 0 ? [] : (this.#fetched.get(id) ?? this.#channel.askNow(this.#asks(window, key)));
    this.#specs.forEach((spec, i) => setCell(record, i, cellData(spec, before[i] as Uint8Array)));
    const written = before[this.#specs.length];
    if (written !== undefined && written.length > 0)
      record.writtenAt = decodeFromBytes(valueCoder, written) as number[];
    this.#loaded.set(id, { window, key, before, record });
  }

  /** The record of a key that stands outside the stage's own: of a timer whose window has expired, or that comes first. */
  find(window: Window, key: Uint8Array): StateRecord | undefined {
    return this.#loaded.get(idOf(window, key))?.record;
  }

  /** The records of this bundle for which the runner must remember the key, though nothing is kept. */
  *touched(): Generator<Loaded> {
    yield* this.#loaded.values();
  }

  /** Hands back what has changed; resolves when the runner has it. @param isGone whether a window took its state with it */
  async commit(isGone: (window: Window) => boolean): Promise<void> {
    const asks: StateAsk[] = [];
    for (const { window, key, before, record } of this.#loaded.values()) {
      if (isGone(record.window)) continue;
      this.#names.forEach((name, i) => {
        const after = this.#bytesOf(record, i);
        asks.push(...difference(this.#stateKey(name, window, key), before[i] as Uint8Array, after));
      });
    }
    this.forget();
    await this.#channel.ask(asks);
  }

  #bytesOf(record: StateData, index: number): Uint8Array {
    const spec = this.#specs[index];
    if (spec !== undefined) return cellBytes(spec, cellOf(record, index));
    if (keepsNothing(record) || record.writtenAt === undefined) return new Uint8Array(0);
    return encodeToBytes(valueCoder, Array.from(record.writtenAt));
  }

  forget(): void {
    this.#loaded = new Map();
    this.#fetched = new Map();
  }
}

function idOf(window: Window, key: Uint8Array): string {
  return `${window.id}\u0000${Buffer.from(key).toString("latin1")}`;
}

function difference(key: StateKey, before: Uint8Array, after: Uint8Array): StateAsk[] {
  const grown = after.length >= before.length && Buffer.compare(before, after.subarray(0, before.length)) === 0;
  if (grown && after.length === before.length) return [];
  const clear: StateAsk = { key, operation: { kind: "clear" } };
  const append = (bytes: Uint8Array): StateAsk => ({ key, operation: { kind: "append", bytes } });
  if (grown) return [append(after.slice(before.length))];
  return after.length === 0 ? [clear] : [clear, append(after)];
}
