/**
 * Reads the declared fields of records from the bytes of lines.
 * Path: typed-reader -> HERE -> scan-json.
 *
 * P1 Names come mostly in the order of the record before: the name that followed last time is compared first, byte by byte,
 *    and looked up only where it is another one.
 * P2 The last of equal names counts, however they are spelled: a wrong value is an error at the end of its object, not before.
 * P3 Elements of one declaration have one hidden class: they are copies of one object, then filled.
 */
import type { FieldNode, Kind, ObjectShape } from "./fields.ts";
import { beginsNumber, JsonScanner, type Words, wordsOf } from "./scan-json.ts";

// Not imported from one file of their own: V8 reads an imported constant from memory each time (measured: a sixth of all).
const FAILED = -1;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What `RecordReader` gives in the place of an element. */
export type NoRecord = typeof WRONG;
const TEXT = 0;
const NUMBER = 1;
const INTEGER = 2;
const BOOLEAN = 3;
const JSON_VALUE = 4;
const OBJECT = 5;
const LIST = 6;
const CODES: Readonly<Record<Kind, number>> = {
  string: TEXT,
  number: NUMBER,
  integer: INTEGER,
  boolean: BOOLEAN,
  json: JSON_VALUE,
  object: OBJECT,
  list: LIST,
};

/** In the place of a value: JSON, but not as declared. */
const WRONG: unique symbol = Symbol("wrong");

/** A name as it is spelled in the bytes, and what it stands for. */
interface Name {
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
interface ValuePlan {
  /** A number, for switching. */
  readonly code: number;
  readonly nullable: boolean;
  readonly object: ObjectPlan | undefined;
  readonly item: ValuePlan | undefined;
}

/** How an object is read. */
interface ObjectPlan {
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

const COLON_BYTE = Uint8Array.of(COLON);
/** So many names of an object that are not declared are remembered; others are looked up each time. */
const NAMES_KEPT = 1000;
const NO_NAME = Uint8Array.of(0);
/** What is never found. */
const NO_WORDS = wordsOf(Uint8Array.of(0, 0, 0, 0));

export class RecordReader {
  readonly scanner: JsonScanner = new JsonScanner();
  readonly #plan: ObjectPlan;

  constructor(shape: ObjectShape) {
    this.#plan = objectPlan(shape, makerOfRecords);
  }

  /**
   * Reads the record at `at`, where its brace stands.
   * @returns WRONG where it is not as declared; `scanner.at` is FAILED where it is no JSON
   */
  read(at: number): object | typeof WRONG {
    return this.#object(this.#plan, at + 1);
  }

  #object(plan: ObjectPlan, from: number): object | typeof WRONG {
    const { scanner } = this;
    const { bytes } = scanner;
    const values = plan.empty.slice();
    let last = plan.before;
    let at = from;
    if ((bytes[at] as number) <= SPACE) at = scanner.space(at);
    if (bytes[at] === CLOSE_OBJECT) {
      scanner.at = at + 1;
      return finish(plan, values);
    }
    for (;;) {
      let name = last.next;
      if (scanner.matches(name.words, at)) at += name.words.length;
      else {
        const found = this.#findName(plan, at);
        if (found === undefined) return this.#failed();
        last.next = found;
        name = found;
        at = scanner.at;
      }
      last = name;
      if ((bytes[at] as number) <= SPACE) at = scanner.space(at);
      if (name.plan === undefined)
        at = bytes[at] === QUOTE ? scanner.stringEnd(at + 1) + 1 || FAILED : scanner.skip(at);
      else {
        values[name.slot] = this.#value(name.plan, at);
        at = scanner.at;
      }
      if (at === FAILED) return this.#failed();
      let after = bytes[at] as number;
      if (after <= SPACE) {
        at = scanner.space(at);
        after = bytes[at] as number;
      }
      at++;
      if (after === COMMA) {
        if ((bytes[at] as number) <= SPACE) at = scanner.space(at);
      } else if (after === CLOSE_OBJECT) {
        scanner.at = at;
        return finish(plan, values);
      } else return this.#failed();
    }
  }

  #failed(): typeof WRONG {
    this.scanner.at = FAILED;
    return WRONG;
  }

  #value(plan: ValuePlan, at: number): unknown {
    const { scanner } = this;
    const c = scanner.bytes[at] as number;
    switch (plan.code) {
      case TEXT:
        if (c === QUOTE) return scanner.string(at + 1);
        break;
      case NUMBER:
        if (beginsNumber(c)) return scanner.number(at);
        break;
      case INTEGER:
        if (beginsNumber(c)) {
          const value = scanner.number(at);
          return Number.isSafeInteger(value) ? value : WRONG;
        }
        break;
      case BOOLEAN:
        if (c === 0x74 || c === 0x66) {
          scanner.at = scanner.literal(at);
          return c === 0x74;
        }
        break;
      case JSON_VALUE:
        return this.#any(at, c);
      case OBJECT:
        if (c === OPEN_OBJECT) return this.#object(plan.object as ObjectPlan, at + 1);
        break;
      case LIST:
        if (c === OPEN_LIST) return this.#list(plan.item as ValuePlan, at + 1);
        break;
    }
    scanner.at = scanner.skip(at);
    // Of what is JSON only null begins so.
    return c === 0x6e && plan.nullable ? null : WRONG;
  }

  #any(at: number, c: number): unknown {
    const { scanner } = this;
    if (c === QUOTE) return scanner.string(at + 1);
    if (beginsNumber(c)) return scanner.number(at);
    const end = scanner.skip(at);
    scanner.at = end;
    return end === FAILED ? undefined : (JSON.parse(scanner.decode(at, end)) as unknown);
  }

  #list(item: ValuePlan, from: number): unknown {
    const { scanner } = this;
    const { bytes } = scanner;
    const items: unknown[] = [];
    let wrong = false;
    let at = scanner.space(from);
    if (bytes[at] === CLOSE_LIST) {
      scanner.at = at + 1;
      return items;
    }
    for (;;) {
      const value = this.#value(item, at);
      if (scanner.at === FAILED) return WRONG;
      if (value === WRONG) wrong = true;
      items.push(value);
      at = scanner.space(scanner.at);
      const after = bytes[at];
      if (after === CLOSE_LIST) {
        scanner.at = at + 1;
        return wrong ? WRONG : items;
      }
      if (after !== COMMA) return this.#failed();
      at = scanner.space(at + 1);
    }
  }

  /** The name at `at`; `scanner.at` is then behind its colon. @returns undefined where there is none */
  #findName(plan: ObjectPlan, at: number): Name | undefined {
    const { scanner } = this;
    const { bytes } = scanner;
    if (bytes[at] !== QUOTE) return undefined;
    const end = scanner.stringEnd(at + 1);
    if (end === FAILED) return undefined;
    const { plain } = scanner;
    const hash = hashOf(bytes, at, end + 1);
    const colon = scanner.space(end + 1);
    if (bytes[colon] !== COLON) return undefined;
    scanner.at = colon + 1;
    const alike = plan.names.get(hash);
    if (alike !== undefined) for (const name of alike) if (equals(name.bytes, bytes, at, end + 1)) return name;
    // A declared name in its plain spelling would have been found.
    const slot = plain ? -1 : (plan.slots.get(JSON.parse(scanner.decode(at, end + 1)) as string) ?? -1);
    const keep = plan.namesKept < NAMES_KEPT;
    const name = nameOf(keep ? Uint8Array.from(bytes.subarray(at, end + 1)) : NO_NAME, slot, plan.plans[slot]);
    if (keep) addName(plan, name, hash);
    return name;
  }
}

/** The object of the values that have been met. */
function finish(plan: ObjectPlan, values: unknown[]): object | typeof WRONG {
  const { optional } = plan;
  let wrong = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === WRONG || (value === undefined && optional[i] !== true)) wrong = true;
  }
  return wrong ? WRONG : plan.make(values);
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

function nameOf(bytes: Uint8Array, slot: number, plan: ValuePlan | undefined): Name {
  // With the empty name and its quotes there are three bytes only: it is looked up each time.
  const words = bytes.length < 3 ? NO_WORDS : wordsOf(Buffer.concat([bytes, COLON_BYTE]));
  const name = { bytes, words, slot, plan, next: undefined as unknown as Name };
  name.next = name;
  return name;
}

function addName(plan: ObjectPlan, name: Name, hash: number): void {
  const alike = plan.names.get(hash);
  if (alike === undefined) plan.names.set(hash, [name]);
  else alike.push(name);
  plan.namesKept++;
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return hash;
}

function equals(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
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
