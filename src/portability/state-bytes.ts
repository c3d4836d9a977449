/**
 * State cells as the contents of bags, which every runner keeps: a cell is its items one after the other, so that what was
 * only added to is an append, and a bag of no bytes is an empty cell.
 */
import { ByteReader } from "../coders/byte-reader.ts";
import { type Coder, encodeToBytes } from "../coders/coder.ts";
import { kvCoder, lengthPrefixCoder } from "../coders/composites.ts";
import { timestampCoder } from "../coders/instant.ts";
import { valueCoder } from "../coders/value.ts";
import { endOf, headOf, insert, type TimeOrdered, timeOrdered } from "../exec/time-ordered.ts";
import { mapKeyBy } from "../exec/state-cells.ts";
import type { StateSpec } from "../fn/state.ts";

type Spec = StateSpec<unknown>;

const itemsCoder = (item: Coder<unknown>): Coder<Iterable<unknown>> => ({
  name: `items(${item.name})`,
  deterministic: item.deterministic,
  encode(items, out) {
    for (const each of items) item.encode(each, out);
  },
  decode(input) {
    const items: unknown[] = [];
    while (input.remaining > 0) items.push(item.decode(input));
    return items;
  },
});

function itemCoder({ kind, coder, keyCoder, combineFn }: Spec): Coder<unknown> {
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

function itemsOf({ kind }: Spec, data: unknown): Iterable<unknown> {
  switch (kind) {
    case "bag":
      return data as unknown[];
    case "map":
      return (data as Map<unknown, [unknown, unknown]>).values();
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

function dataOf({ kind, coder, keyCoder }: Spec, items: readonly unknown[]): unknown {
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

/** What a cell holds, as bytes; none where it is empty. */
export function cellBytes(spec: Spec, data: unknown): Uint8Array {
  if (data === undefined) return new Uint8Array(0);
  return encodeToBytes(itemsCoder(lengthPrefixCoder(itemCoder(spec))), itemsOf(spec, data));
}

/** The other way. */
export function cellData(spec: Spec, bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  return dataOf(spec, [...itemsCoder(lengthPrefixCoder(itemCoder(spec))).decode(new ByteReader(bytes))]);
}
