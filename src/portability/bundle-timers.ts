/**
 * The timers of one bundle: those that came with it, and those that user code sets meanwhile.
 *
 * R1 What is set in a bundle and due in it fires in it, before what is due later; a newer setting or clearing wins over a timer
 *    that came with the bundle.
 * R2 Whatever was set or cleared is told when the bundle ends, as it stands then: a timer that fired in the bundle as cleared,
 *    lest the runner fire an older setting of it.
 */
import { ByteReader } from "../coders/byte-reader.ts";
import { ByteWriter } from "../coders/byte-writer.ts";
import type { Coder } from "../coders/coder.ts";
import { lengthPrefixCoder } from "../coders/composites.ts";
import { timerCoder, type TimerValue } from "../coders/windowed-value.ts";
import { Holds } from "../engine/holds.ts";
import { StageTimers, type TimerTarget } from "../engine/timers.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { TimerHost } from "../host/host.ts";
import { type KeyedRecord, type TimerEntry, timersOf } from "../host/records.ts";
import { NO_FIRING } from "../model/pane.ts";
import { MAX_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import { type Timers, WINDOW_EXPIRY } from "./messages.ts";

/** Encodes timers, family by family. */
export class TimerWriter {
  readonly #coder: Coder<TimerValue<unknown>>;
  readonly #families = new Map<string, { family: string; domain: TimeDomain; out: ByteWriter; count: number }>();

  constructor(key: Coder<unknown>, window: Coder<Window>) {
    this.#coder = timerCoder(key, window);
  }

  add(family: string, domain: TimeDomain, timer: TimerValue<unknown>): void {
    const name = `${domain} ${family}`;
    let found = this.#families.get(name);
    if (found === undefined) this.#families.set(name, (found = { family, domain, out: new ByteWriter(), count: 0 }));
    found.count++;
    this.#coder.encode(timer, found.out);
  }

  finish(): readonly Timers[] {
    return [...this.#families.values()].map(({ family, domain, out, count }) => ({
      family,
      domain,
      count,
      bytes: out.finish(),
    }));
  }
}

/** Decodes the timers of one family. */
export function readTimers(
  { bytes, count }: Timers,
  key: Coder<unknown>,
  window: Coder<Window>,
): TimerValue<unknown>[] {
  const input = new ByteReader(bytes);
  const coder = timerCoder(key, window);
  return Array.from({ length: count }, () => coder.decode(input));
}

/** A hold that holds nothing, as the wire has it. */
export function wireHold(holdAt: Timestamp): Timestamp {
  return Math.min(holdAt, MAX_TIMESTAMP);
}

export function holdOf(wire: Timestamp): Timestamp {
  return wire === MAX_TIMESTAMP ? Infinity : wire;
}

interface Touched {
  readonly record: KeyedRecord;
  readonly family: string;
  readonly tag: string;
  readonly domain: TimeDomain;
}

/** What the stage's runner sees as its timers. */
export class BundleTimers implements TimerHost {
  readonly #isBusy: ((window: Window) => boolean) | undefined;
  readonly #domainOf: (family: string) => TimeDomain;
  #inner: StageTimers;
  /** By record, then by family and tag. */
  #touched = new Map<KeyedRecord, Map<string, Touched>>();

  constructor(domainOf: (family: string) => TimeDomain, isBusy: ((window: Window) => boolean) | undefined) {
    this.#domainOf = domainOf;
    this.#isBusy = isBusy;
    this.#inner = this.#fresh();
  }

  #fresh(): StageTimers {
    // A timer is refused only in a drain, which is the runner's.
    return new StageTimers(
      new Holds(),
      () => {},
      () => {},
      this.#isBusy,
    );
  }

  begin(): void {
    this.#inner = this.#fresh();
    this.#touched = new Map();
  }

  /** A timer that came with the bundle. */
  came(record: KeyedRecord, family: string, tag: string, domain: TimeDomain, at: Timestamp, holdAt: Timestamp): void {
    this.#inner.set(record, family, tag, domain, at, holdAt);
  }

  // The runner expires windows: it knows every key.
  setWindowTimer(): void {}
  setExpiryTimer(): void {}

  set(record: KeyedRecord, family: string, tag: string, domain: TimeDomain, at: Timestamp, holdAt: Timestamp): void {
    this.#touch(record, family, tag, domain);
    this.#inner.set(record, family, tag, domain, at, holdAt);
  }

  clear(record: KeyedRecord, family: string, tag: string): void {
    this.#touch(record, family, tag, this.#domainOf(family));
    this.#inner.clear(record, family, tag);
  }

  clearAll(record: KeyedRecord): void {
    this.#inner.clearAll(record);
  }

  #touch(record: KeyedRecord, family: string, tag: string, domain: TimeDomain): void {
    let names = this.#touched.get(record);
    if (names === undefined) this.#touched.set(record, (names = new Map()));
    names.set(`${family}\u0000${tag}`, { record, family, tag, domain });
  }

  take(timer: TimerEntry): boolean {
    return this.#inner.take(timer);
  }

  isDue(watermark: Timestamp): boolean {
    return this.#inner.nextEventTime() < watermark;
  }

  fireEventTime(watermark: Timestamp, target: TimerTarget): void {
    this.#inner.fireEventTime(watermark, target, Infinity);
  }

  fireProcessingTime(now: number, target: TimerTarget): void {
    this.#inner.fireProcessingTime(now, target, Infinity);
  }

  /** See R2. @param isGone whether a window took its timers with it */
  writeTo(out: TimerWriter, isGone: (window: Window) => boolean): void {
    for (const names of this.#touched.values()) {
      for (const { record, family, tag, domain } of names.values()) {
        if (isGone(record.window) && domain === "event") continue;
        const live = liveTimer(record, family, tag);
        const set = live && { fireTimestamp: live.at, holdTimestamp: wireHold(live.holdAt), pane: NO_FIRING };
        out.add(family, domain, { key: record.key, tag, windows: [record.window], set });
      }
    }
    // Records that are met again in a later bundle have no timers of this one.
    for (const record of this.#touched.keys()) record.timers = undefined;
  }
}

function liveTimer(record: KeyedRecord, family: string, tag: string): TimerEntry | undefined {
  return timersOf(record).find((timer) => timer.family === family && timer.tag === tag);
}

/** Keys have their length before them, so that the runner can read the rest. */
export function timerKeyCoder(key: Coder<unknown>): Coder<unknown> {
  return lengthPrefixCoder(key);
}

/** Tells the runner to remember a key until its window expires. */
export function rememberKey(out: TimerWriter, record: KeyedRecord): void {
  const { key, window } = record;
  const set = { fireTimestamp: window.maxTimestamp, holdTimestamp: window.maxTimestamp, pane: NO_FIRING };
  out.add(WINDOW_EXPIRY, "event", { key, tag: "", windows: [window], set });
}
