/**
 * The timers of one stage, in both time domains.
 *
 * M1 A record has at most one live timer for a family and tag; setting it again replaces it.
 * M2 Event-time timers due at the same watermark fire in the order of their times, equal times in the order of setting.
 * M3 A live event-time timer holds the output watermark at its `holdAt`; it fires when the watermark is after `at`.
 * M4 In a stage with calls a record's timer that is due waits as a call in the queue of its key, still set, so that an
 *    earlier call can clear or move it; a window's timer waits until no call of its window is left.
 * M5 When the input is over, the expiry of windows waits until no processing-time timer is left that holds the watermark.
 *    A drain fires those that are set, once; what their callbacks set after that is refused and counted.
 *
 * Setting the same timer again with every element, to later, costs O(1): see `#postpone`.
 */
import { KeyedHeap } from "../base/keyed-heap.ts";
import type { TimeDomain } from "../fn/timer.ts";
import type { TimerHost } from "../host/host.ts";
import { type KeyedRecord, type TimerEntry, timersOf } from "../host/records.ts";
import type { TimeKind } from "../host/snapshot.ts";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { Hold, Holds } from "./holds.ts";

/** What all timers of a family have in common; one object for them. */
interface TimerKind {
  readonly family: string;
  readonly domain: TimeDomain;
  /** Whether it is of a whole window. */
  readonly isWindow: boolean;
  /** Whether it takes the state of its window with it. */
  readonly expires: boolean;
}

const WINDOW: TimerKind = { family: "", domain: "event", isWindow: true, expires: false };
const EXPIRY: TimerKind = { family: "", domain: "event", isWindow: true, expires: true };

/** Where an entry stands that is in no queue, and one that is over. */
const NO_PLACE = -1;
const DEAD = -2;
/** The hold of timers that hold nothing. */
const NONE: Hold = { at: Infinity, released: true };

/** A timer of a record, or of a whole window. There may be millions, so as few fields as will do. */
class Entry implements TimerEntry {
  readonly kind: TimerKind;
  /** Its record or its window. */
  readonly of: KeyedRecord | Window;
  readonly tag: string;
  at: Timestamp;
  /** The order of its last setting. */
  seq: number;
  /** The order of its mark in a queue, where it is in one: never behind where it belongs, which is `at`, then `seq`. */
  place = NO_PLACE;
  /** Where it holds the watermark, unless that is its own time. */
  hold: Hold | undefined;
  indexedAt = NaN;

  constructor(kind: TimerKind, of: KeyedRecord | Window, tag: string, at: Timestamp, seq: number) {
    this.kind = kind;
    this.of = of;
    this.tag = tag;
    this.at = at;
    this.seq = seq;
    this.hold = undefined;
  }

  get owner(): KeyedRecord {
    return this.of as KeyedRecord;
  }

  get window(): Window {
    return this.of as Window;
  }

  get family(): string {
    return this.kind.family;
  }

  get domain(): TimeDomain {
    return this.kind.domain;
  }

  get holdAt(): Timestamp {
    return this.hold === undefined ? this.at : this.hold.at;
  }

  get live(): boolean {
    return this.place !== DEAD;
  }
}

/**
 * Timers by `at` and `seq` as they were when they were marked in it. The mark of a timer that is dead, or marked anew, is a
 * ghost: it leaves when it comes to the top, or is swept.
 */
interface TimerQueue {
  readonly marks: KeyedHeap<Entry>;
  ghosts: number;
}

const newQueue = (): TimerQueue => ({ marks: new KeyedHeap(), ghosts: 0 });
const GHOSTS_MAX = 1024;

/** A window's timer, as a checkpoint keeps it. */
export interface SavedWindowTimer {
  readonly window: Window;
  readonly at: Timestamp;
  readonly holdAt: number;
  readonly expires: boolean;
  readonly seq: number;
}

/** The timers of whole windows, and what all timers of the stage have in common. */
export interface SavedTimers {
  readonly seq: number;
  readonly drained: boolean;
  readonly watermark: Timestamp;
  readonly windows: readonly SavedWindowTimer[];
}

/** A timer that is set, as explanations need it. */
export interface SetTimer {
  /** Absent for a timer of a whole window. */
  readonly record: KeyedRecord | undefined;
  readonly window: Window;
  readonly family: string;
  readonly tag: string;
  readonly domain: TimeDomain;
  readonly at: Timestamp;
  /** Infinity where it holds nothing. */
  readonly holdAt: number;
}

function factsOf({ kind, of, tag, at, hold }: Entry): SetTimer {
  const { family, domain, isWindow } = kind;
  const record = isWindow ? undefined : (of as KeyedRecord);
  return { record, window: record?.window ?? (of as Window), family, tag, domain, at, holdAt: hold?.at ?? at };
}

/** Timers of records that are not in memory. */
export interface ColdTimers {
  /** The least time of a kind among them; Infinity where there is none. */
  earliest(kind: TimeKind): number;
  /** Brings the first of a kind into memory, and with it some of those after it: their timers are set after that. */
  loadFirst(kind: TimeKind): void;
}

/** A record's timer, as a checkpoint keeps it. */
export type SavedTimer = Omit<TimerEntry, "owner" | "indexedAt">;

/** What fires. */
export interface TimerTarget {
  fireWindow(window: Window, at: Timestamp): void;
  fireTimer(timer: TimerEntry): void;
}

export class StageTimers implements TimerHost {
  readonly #holds: Holds;
  /** Event time, holding the watermark at their own time: nearly all of them. */
  readonly #holding = newQueue();
  /** Event time, holding it elsewhere or not at all. */
  readonly #free = newQueue();
  readonly #processing = newQueue();
  /** Those of whole windows. */
  readonly #windows = newQueue();
  readonly #kinds: Readonly<Record<TimerKind["domain"], Map<string, TimerKind>>> = {
    event: new Map(),
    processing: new Map(),
  };
  /** Windows' timers that are due and wait for calls. */
  #expiring: Entry[] = [];
  readonly #isBusy: ((window: Window) => boolean) | undefined;
  readonly #refused: () => void;
  readonly #willChange: (record: KeyedRecord) => void;
  #cold: ColdTimers | undefined;
  #seq = 0;
  #live = 0;
  /** Processing-time timers that hold the watermark: the program's own, not those of triggers and TTLs. */
  #promised = 0;
  #drained = false;
  #watermark: Timestamp = MIN_TIMESTAMP;

  /**
   * @param refused called for a timer that was set too late in a drain
   * @param willChange told of a record before its timers change
   * @param isBusy in a stage with calls: whether calls of a window have not settled
   */
  constructor(
    holds: Holds,
    refused: () => void,
    willChange: (record: KeyedRecord) => void,
    isBusy?: (window: Window) => boolean,
  ) {
    this.#holds = holds;
    this.#refused = refused;
    this.#willChange = willChange;
    this.#isBusy = isBusy;
  }

  /** Timers that are set, of records in memory. */
  get size(): number {
    return this.#live;
  }

  /** There may be timers that are not in memory. */
  setCold(cold: ColdTimers): void {
    this.#cold = cold;
  }

  setWindowTimer(window: Window, at: Timestamp, holdAt: Timestamp = Infinity): void {
    this.#setWindow(WINDOW, window, at, holdAt);
  }

  setExpiryTimer(window: Window, at: Timestamp, holdAt: Timestamp = Infinity): void {
    this.#setWindow(EXPIRY, window, at, holdAt);
  }

  #setWindow(kind: TimerKind, window: Window, at: Timestamp, holdAt: Timestamp): void {
    this.#add(new Entry(kind, window, "", at, this.#seq++), holdAt);
  }

  set(owner: KeyedRecord, family: string, tag: string, domain: TimeDomain, at: Timestamp, holdAt: Timestamp): void {
    if (this.#drained && domain === "processing" && holdAt <= MAX_TIMESTAMP) {
      this.#refused();
      return;
    }
    this.#willChange(owner);
    const found = this.#find(owner, family, tag);
    if (found !== undefined) {
      if (isMarked(found) && at >= found.at && holdsAlike(found, domain, at, holdAt)) {
        this.#postpone(found, at);
        return;
      }
      this.#kill(found);
    }
    this.#put(owner, new Entry(this.#kind(family, domain), owner, tag, at, this.#seq++), holdAt);
  }

  #put(owner: KeyedRecord, entry: Entry, holdAt: Timestamp): void {
    this.#add(entry, holdAt);
    const { timers } = owner;
    const { family, tag } = entry;
    if (timers === undefined) owner.timers = entry;
    else if (timers instanceof Map) timers.set(nameOf(family, tag), entry);
    else
      owner.timers = new Map([
        [nameOf(timers.family, timers.tag), timers],
        [nameOf(family, tag), entry],
      ]);
  }

  #kind(family: string, domain: TimeDomain): TimerKind {
    const kinds = this.#kinds[domain];
    let kind = kinds.get(family);
    if (kind === undefined) kinds.set(family, (kind = { family, domain, isWindow: false, expires: false }));
    return kind;
  }

  #add(entry: Entry, holdAt: Timestamp): void {
    const { kind, at } = entry;
    if (kind.isWindow || kind.domain === "processing" || holdAt !== at)
      entry.hold = holdAt <= MAX_TIMESTAMP ? this.#holds.add(holdAt) : NONE;
    this.#live++;
    if (isPromised(entry)) this.#promised++;
    mark(this.#queueOf(entry), entry);
  }

  #queueOf({ kind, hold }: Entry): TimerQueue {
    if (kind.isWindow) return this.#windows;
    if (kind.domain === "processing") return this.#processing;
    return hold === undefined ? this.#holding : this.#free;
  }

  /** Moves a timer to a later time: marked there at once where it is the last of all, else when its old mark comes to the top. */
  #postpone(entry: Entry, at: Timestamp): void {
    entry.at = at;
    entry.seq = this.#seq++;
    const queue = this.#queueOf(entry);
    if (at < queue.marks.lastKey) return;
    mark(queue, entry);
    haunt(queue);
  }

  #find(owner: KeyedRecord, family: string, tag: string): Entry | undefined {
    const { timers } = owner;
    if (timers === undefined) return undefined;
    if (timers instanceof Map) return timers.get(nameOf(family, tag)) as Entry | undefined;
    return timers.family === family && timers.tag === tag ? (timers as Entry) : undefined;
  }

  clear(owner: KeyedRecord, family: string, tag: string): void {
    const found = this.#find(owner, family, tag);
    if (found !== undefined) this.#kill(found);
  }

  clearAll(owner: KeyedRecord): void {
    for (const timer of timersOf(owner)) this.#kill(timer as Entry);
  }

  /** Takes an entry off its record and lets go of its hold; its heap forgets it when it comes to the top. */
  #kill(entry: Entry): void {
    if (!entry.live) return;
    if (!entry.kind.isWindow) this.#willChange(entry.owner);
    this.#end(entry);
    if (entry.kind.isWindow) return;
    const { owner } = entry;
    if (owner.timers instanceof Map) {
      owner.timers.delete(nameOf(entry.family, entry.tag));
      if (owner.timers.size === 0) owner.timers = undefined;
    } else owner.timers = undefined;
  }

  #end(entry: Entry): void {
    if (isPromised(entry)) this.#promised--;
    this.#live--;
    const wasMarked = isMarked(entry);
    entry.place = DEAD;
    if (wasMarked) haunt(this.#queueOf(entry));
    if (entry.hold !== undefined) this.#holds.release(entry.hold);
  }

  /** Whether all timers of a record are marked in queues: none of them waits as a call. */
  areMarked(owner: KeyedRecord): boolean {
    return timersOf(owner).every((timer) => isMarked(timer as Entry));
  }

  /** Forgets the timers of a record that leaves the memory. */
  evict(owner: KeyedRecord): void {
    for (const timer of timersOf(owner)) this.#end(timer as Entry);
  }

  /** The first entry of a queue, where it is marked. */
  #first(queue: TimerQueue): Entry | undefined {
    const { marks } = queue;
    for (let first = marks.peek(); first !== undefined; first = marks.peek()) {
      if (first.place === marks.firstOrder) return first;
      marks.pop();
      queue.ghosts--;
    }
    return undefined;
  }

  /** The next entry of a queue, marked where it belongs. */
  #next(queue: TimerQueue): Entry | undefined {
    for (let first = this.#first(queue); first !== undefined; first = this.#first(queue)) {
      if (first.place === first.seq) return first;
      queue.marks.pop();
      mark(queue, first);
    }
    return undefined;
  }

  /** Takes out what `#next` gave. */
  #take(entry: Entry): void {
    this.#queueOf(entry).marks.pop();
    entry.place = NO_PLACE;
  }

  /** The least time at which timers hold the output watermark by their own time, and those that are not in memory by any. */
  earliestHold(): number {
    // One that was moved to later is marked too early, which never matters: below the input watermark no mark is left.
    const inMemory = this.#first(this.#holding) === undefined ? Infinity : this.#holding.marks.firstKey;
    return this.#cold === undefined ? inMemory : Math.min(inMemory, this.#cold.earliest("hold"));
  }

  /** Every timer that is set, but those that wait as calls. Changes nothing. Cost: a look at each. */
  *all(): Generator<SetTimer> {
    for (const { marks } of [this.#holding, this.#free, this.#processing, this.#windows])
      for (const [entry, order] of marks.entries()) if (entry.place === order) yield factsOf(entry);
    for (const entry of this.#expiring) yield factsOf(entry);
  }

  /** What a checkpoint keeps beside the timers of records, which lie with them. */
  save(): SavedTimers {
    const windows: SavedWindowTimer[] = [];
    const add = ({ of, kind: { expires }, at, hold, seq }: Entry): void => {
      windows.push({ window: of as Window, at, holdAt: hold?.at ?? Infinity, expires, seq });
    };
    for (const [entry, order] of this.#windows.marks.entries()) if (entry.place === order) add(entry);
    this.#expiring.forEach(add);
    return { seq: this.#seq, drained: this.#drained, watermark: this.#watermark, windows };
  }

  restore({ seq, drained, watermark, windows }: SavedTimers): void {
    this.#seq = seq;
    this.#drained = drained;
    this.#watermark = watermark;
    for (const { window, at, holdAt, expires, seq: order } of windows)
      this.#add(new Entry(expires ? EXPIRY : WINDOW, window, "", at, order), holdAt);
  }

  /** Sets a timer as it was when the checkpoint was made. */
  restoreTimer(owner: KeyedRecord, { family, tag, domain, at, holdAt, seq }: SavedTimer): void {
    this.#put(owner, new Entry(this.#kind(family, domain), owner, tag, at, seq), holdAt);
  }

  /** When the next processing-time timer is due; Infinity when there is none. */
  nextProcessingTime(): number {
    const inMemory = this.#next(this.#processing)?.at ?? Infinity;
    return this.#cold === undefined ? inMemory : Math.min(inMemory, this.#cold.earliest("processing"));
  }

  /** The event time of the earliest timer; Infinity when there is none. */
  nextEventTime(): number {
    this.#resume();
    const inMemory = this.#nextEvent()?.at ?? Infinity;
    return this.#cold === undefined ? inMemory : Math.min(inMemory, this.#cold.earliest("event"));
  }

  /** A window's timer comes after the records' own of the same time: a window that expires takes their state with it. */
  #nextEvent(): Entry | undefined {
    const holding = this.#next(this.#holding);
    const free = this.#next(this.#free);
    const own = holding === undefined || (free !== undefined && isBefore(free, holding)) ? free : holding;
    const window = this.#next(this.#windows);
    return own === undefined || (window !== undefined && window.at < own.at) ? window : own;
  }

  /**
   * Fires the event-time timers that the watermark is after, those set meanwhile included.
   * @returns how many fired; `most` when there may be more
   */
  fireEventTime(watermark: Timestamp, target: TimerTarget, most: number): number {
    this.#watermark = watermark;
    this.#resume();
    let fired = 0;
    while (fired < most) {
      let next = this.#nextEvent();
      while (
        this.#cold !== undefined &&
        this.#cold.earliest("event") < Math.min(watermark, (next?.at ?? Infinity) + 1)
      ) {
        this.#cold.loadFirst("event");
        next = this.#nextEvent();
      }
      if (next === undefined || next.at >= watermark) break;
      this.#take(next);
      if (next.kind.isWindow && this.#mustWait(next)) {
        this.#expiring.push(next);
        continue;
      }
      this.#fire(next, target);
      fired++;
    }
    return fired;
  }

  #mustWait(entry: Entry): boolean {
    if (entry.kind.expires && this.#watermark === MAX_TIMESTAMP && this.#hasPromised()) return true;
    return this.#isBusy?.(entry.window) === true;
  }

  /** Asked once the input is over. */
  #hasPromised(): boolean {
    while (this.#cold !== undefined && this.#cold.earliest("hold") < Infinity) this.#cold.loadFirst("hold");
    return this.#promised > 0;
  }

  /** Puts back what was suspended and need not wait any more. */
  #resume(): void {
    if (this.#expiring.length === 0) return;
    const waiting: Entry[] = [];
    for (const entry of this.#expiring) {
      if (this.#mustWait(entry)) waiting.push(entry);
      else mark(this.#windows, entry);
    }
    this.#expiring = waiting;
  }

  /**
   * Ends the life of a timer whose call begins.
   * @returns false where it was cleared or set anew while it waited, or goes back because an earlier one has been set
   */
  take(timer: TimerEntry): boolean {
    const entry = timer as Entry;
    if (!entry.live) return false;
    if (entry.domain === "event" && this.#isOvertaken(entry)) {
      mark(this.#queueOf(entry), entry);
      return false;
    }
    this.#kill(entry);
    return true;
  }

  #isOvertaken(entry: Entry): boolean {
    // One that is set still has not been called: it is marked, or its call is queued behind this one.
    const { timers } = entry.owner;
    if (!(timers instanceof Map)) return false;
    for (const other of timers.values()) if (other.domain === "event" && isBefore(other as Entry, entry)) return true;
    return false;
  }

  /**
   * Fires the processing-time timers that are due at `now`, at most so many. Those that a callback sets to be due again wait for
   * the next call.
   */
  fireProcessingTime(now: number, target: TimerTarget, most: number): number {
    while (this.#cold !== undefined && this.#cold.earliest("processing") <= now) this.#cold.loadFirst("processing");
    const due: Entry[] = [];
    for (let next = this.#next(this.#processing); next !== undefined && next.at <= now && due.length < most;) {
      this.#take(next);
      due.push(next);
      next = this.#next(this.#processing);
    }
    let fired = 0;
    for (const entry of due) {
      // One of those before it may have cleared it, or set it anew, which is another entry.
      if (!entry.live) continue;
      this.#fire(entry, target);
      fired++;
    }
    return fired;
  }

  /** Whether a drain still has something to fire: what the program set in processing time, once nothing else is due. */
  get mustDrain(): boolean {
    return (
      !this.#drained &&
      this.#watermark === MAX_TIMESTAMP &&
      this.nextEventTime() >= MAX_TIMESTAMP &&
      this.#hasPromised()
    );
  }

  /** Fires the processing-time timers that hold the watermark, due or not, in their order. From then on none can be set. */
  drain(target: TimerTarget): void {
    this.#drained = true;
    const left: Entry[] = [];
    for (let next = this.#next(this.#processing); next !== undefined; next = this.#next(this.#processing)) {
      this.#take(next);
      if (isPromised(next)) this.#fire(next, target);
      else left.push(next);
    }
    for (const entry of left) if (entry.live) mark(this.#processing, entry);
  }

  #fire(entry: Entry, target: TimerTarget): void {
    // In a stage with calls a record's timer stays set until its call begins.
    const { isWindow } = entry.kind;
    if (isWindow || this.#isBusy === undefined) this.#kill(entry);
    if (isWindow) target.fireWindow(entry.window, entry.at);
    else target.fireTimer(entry);
  }
}

function isMarked(entry: Entry): boolean {
  return entry.place >= 0;
}

/** Marks an entry where it belongs. */
function mark(queue: TimerQueue, entry: Entry): void {
  entry.place = entry.seq;
  queue.marks.push(entry.at, entry.seq, entry);
}

/** A mark has become a ghost. While ghosts outnumber the rest, they are swept out bit by bit. */
function haunt(queue: TimerQueue): void {
  queue.ghosts++;
  if (queue.ghosts <= GHOSTS_MAX || queue.ghosts * 2 < queue.marks.size) return;
  queue.ghosts -= queue.marks.sweep(isNoGhost);
}

function isNoGhost(entry: Entry, order: number): boolean {
  return entry.place === order;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq);
}

function isPromised({ domain, holdAt }: Entry): boolean {
  return domain === "processing" && holdAt <= MAX_TIMESTAMP;
}

/** Whether a timer, set to `at`, would hold the watermark as it does now: by its own time, or not at all. */
function holdsAlike({ kind, hold }: Entry, domain: TimeDomain, at: Timestamp, holdAt: Timestamp): boolean {
  if (kind.domain !== domain) return false;
  return hold === undefined ? holdAt === at : hold === NONE && holdAt > MAX_TIMESTAMP;
}

function nameOf(family: string, tag: string): string {
  return `${family}\u0000${tag}`;
}
