/**
 * Reads the declared fields of records from the bytes of lines.
 * Path: typed-reader -> HERE -> record-plan, scan-json.
 *
 * P1 Names come mostly in the order of the record before: the name that followed last time is compared first, and looked up
 *    only where it is another one.
 * P2 The last of equal names counts, however they are spelled: a wrong value is an error at the end of its object, not before.
 */
import type { ObjectShape } from "./fields.ts";
import {
  addName,
  equals,
  hashOf,
  type Name,
  nameOf,
  NAMES_KEPT,
  NO_NAME,
  type ObjectPlan,
  recordPlan,
  type ValuePlan,
} from "./record-plan.ts";
import { beginsNumber, JsonScanner } from "./scan-json.ts";

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

/** The kinds of values, as `record-plan` numbers them. */
const TEXT = 0;
const NUMBER = 1;
const INTEGER = 2;
const BOOLEAN = 3;
const JSON_VALUE = 4;
const OBJECT = 5;
const LIST = 6;

/** In the place of a value: JSON, but not as declared. */
const WRONG: unique symbol = Symbol("wrong");

export class RecordReader {
  readonly scanner: JsonScanner = new JsonScanner();
  readonly #plan: ObjectPlan;

  constructor(shape: ObjectShape) {
    this.#plan = recordPlan(shape);
  }

  /**
   * Reads the record at `at`, where its brace stands.
   * @returns undefined where it is not as declared, or no JSON
   */
  read(at: number): object | undefined {
    const record = this.#object(this.#plan, at + 1);
    return record === WRONG || this.scanner.at === FAILED ? undefined : record;
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
      if (name.plan === undefined) at = scanner.skip(at);
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
