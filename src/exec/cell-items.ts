/** State cells as items one after the other: a bag's items, a map's entries, a single value. Empty cells have none. */
import { type Coder } from "../coders/coder.ts";
import { kvCoder } from "../coders/composites.ts";
import { timestampCoder } from "../coders/instant.ts";
import { valueCoder } from "../coders/value.ts";
import type { StateSpec } from "../fn/state.ts";
import { mapKeyBy } from "./state-cells.ts";
import { endOf, headOf, insert, type TimeOrdered, timeOrdered } from "./time-ordered.ts";

type Spec = StateSpec<unknown>;

/** How an item is written. */
export function itemCoder({ kind, coder, keyCoder, combineFn }: Spec): Coder<unknown> {
  switch (kind) {
    case "combining":
      return combineFn?.accumulatorCoder ?? valueCoder;
    case "map":
      return kvCoder(keyCoder ?? valueCoder, coder ?? valueCoder);
    case "orderedList":
      return kvCoder(timestampCoder as Coder<unknown>, coder ?? valueCoder);
    default:
      return coder ?? valueCoder;
  }
}

/** The items of a cell that holds something. */
export function itemsOf({ kind }: Spec, data: unknown): readonly unknown[] {
  switch (kind) {
    case "bag":
      return data as unknown[];
    case "map":
      return [...(data as Map<unknown, [unknown, unknown]>).values()];
    case "set":
      return [...(data as Map<unknown, [unknown, unknown]>).values()].map(([value]) => value);
    case "orderedList": {
      const list = data as TimeOrdered;
      const pairs: unknown[] = [];
      for (let i = headOf(list); i < endOf(list); i += 2) pairs.push([list[i], list[i + 1]]);
      return pairs;
    }
    default:
      return [data];
  }
}

/** The data of a cell with these items, of which there is one at least. */
export function dataOf({ kind, coder, keyCoder }: Spec, items: readonly unknown[]): unknown {
  switch (kind) {
    case "bag":
      return [...items];
    case "map": {
      const mapKey = mapKeyBy(keyCoder);
      return new Map(items.map((item) => [mapKey((item as [unknown, unknown])[0]), item]));
    }
    case "set": {
      const mapKey = mapKeyBy(coder);
      return new Map(items.map((item) => [mapKey(item), [item, item]]));
    }
    case "orderedList": {
      const [[time, value], ...rest] = items as unknown as [[number, unknown], ...[number, unknown][]];
      let list = timeOrdered(time, value);
      for (const [at, each] of rest) list = insert(list, at, each);
      return list;
    }
    default:
      return items[0];
  }
}
