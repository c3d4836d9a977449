/**
 * How records are read, made of their declared fields: what `record-reader` goes by.
 * Path: record-reader -> HERE -> fields.
 *
 * P1 Names come mostly in the order of the record before: each is followed by the one that followed it last.
 * P3 Elements of one declaration have one hidden class: they are copies of one object, then filled.
 */
import type { FieldNode, Kind, ObjectShape } from "./fields.ts";
import { type Words, wordsOf } from "./json-bytes.ts";

/** Kinds as numbers, for switching; `record-reader` has the same. */
const CODES: Readonly<Record<Kind, number>> = {
  string: 0,
  number: 1,
  integer: 2,
  boolean: 3,
  json: 4,
  object: 5,
  list: 6,
};

/** A name as it is spelled in the bytes, and what it stands for. */
export interface Name {
  /** With its quotes. */
  readonly bytes: Uint8Array;
  /** With its quotes and a colon. */
  readonly words: Words;
  /** Which field it is; −1 where it is none. */
  readonly slot: number;
  readonly plan: ValuePlan | undefined;
  /** The name that followed it last (P1). */
  next: Name;
}

/** How a value is read. */
export interface ValuePlan {
  /** A number, for switching. */
  readonly code: number;
  readonly nullable: boolean;
  readonly object: ObjectPlan | undefined;
  readonly item: ValuePlan | undefined;
}

/** How an object is read. */
export interface ObjectPlan {
  readonly optional: readonly boolean[];
  /** The values of the fields where none has been met. */
  readonly empty: readonly unknown[];
  readonly make: (values: unknown[]) => object;
  /** Names by the hash of their bytes. */
  readonly names: Map<number, Name[]>;
  readonly slots: ReadonlyMap<string, number>;
  readonly plans: readonly ValuePlan[];
  /** Stands before the first name. */
  readonly before: Name;
  namesKept: number;
}

const COLON_BYTE = Uint8Array.of(0x3a);
/** So many names of an object that are not declared are remembered; others are looked up each time. */
export const NAMES_KEPT = 1000;
export const NO_NAME: Uint8Array = Uint8Array.of(0);
/** What is never found. */
const NO_WORDS = wordsOf(Uint8Array.of(0, 0, 0, 0));

/** The plan of a record. */
export function recordPlan(shape: ObjectShape): ObjectPlan {
  return objectPlan(shape, makerOfRecords);
}

function objectPlan(shape: ObjectShape, maker: (names: readonly string[]) => ObjectPlan["make"]): ObjectPlan {
  const { names } = shape;
  const before = nameOf(NO_NAME, -1, undefined);
  const plan: ObjectPlan = {
    optional: shape.optional,
    empty: names.map(() => undefined),
    make: maker(names),
    names: new Map(),
    slots: new Map(names.map((name, i) => [name, i])),
    plans: shape.nodes.map(valuePlan),
    before,
    namesKept: 0,
  };
  // What is expected at first is the order of the declaration.
  let last = before;
  for (const [i, name] of names.entries()) {
    const own = nameOf(Buffer.from(JSON.stringify(name)), i, plan.plans[i]);
    addName(plan, own, hashOf(own.bytes, 0, own.bytes.length));
    last.next = own;
    last = own;
  }
  return plan;
}

function valuePlan(node: FieldNode): ValuePlan {
  return {
    code: CODES[node.kind],
    nullable: node.nullable,
    object: node.shape && objectPlan(node.shape, makerOfParts),
    item: node.item && valuePlan(node.item),
  };
}

export function nameOf(bytes: Uint8Array, slot: number, plan: ValuePlan | undefined): Name {
  // With the empty name and its quotes there are three bytes only: it is looked up each time.
  const words = bytes.length < 3 ? NO_WORDS : wordsOf(Buffer.concat([bytes, COLON_BYTE]));
  const name = { bytes, words, slot, plan, next: undefined as unknown as Name };
  name.next = name;
  return name;
}

export function addName(plan: ObjectPlan, name: Name, hash: number): void {
  const alike = plan.names.get(hash);
  if (alike === undefined) plan.names.set(hash, [name]);
  else alike.push(name);
  plan.namesKept++;
}

export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return hash;
}

export function equals(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

function emptyOf(names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/**
 * Makes records. Written out for the first fields: each line then sees one name, which V8 compiles to a plain store (40 ns for
 * three fields; by a loop 75).
 */
function makerOfRecords(names: readonly string[]): ObjectPlan["make"] {
  const empty = emptyOf(names);
  const count = names.length;
  const [a = "", b = "", c = "", d = "", e = "", f = "", g = "", h = ""] = names;
  return (values) => {
    const made = { ...empty };
    if (count > 0) made[a] = values[0];
    if (count > 1) made[b] = values[1];
    if (count > 2) made[c] = values[2];
    if (count > 3) made[d] = values[3];
    if (count > 4) made[e] = values[4];
    if (count > 5) made[f] = values[5];
    if (count > 6) made[g] = values[6];
    if (count > 7) made[h] = values[7];
    for (let i = 8; i < count; i++) made[names[i] as string] = values[i];
    return made;
  };
}

/** Makes the objects within records: as above, by a loop, so that the above stays with one declaration's names. */
function makerOfParts(names: readonly string[]): ObjectPlan["make"] {
  const empty = emptyOf(names);
  return (values) => {
    const made = { ...empty };
    for (let i = 0; i < names.length; i++) made[names[i] as string] = values[i];
    return made;
  };
}
