/**
 * State cells as the contents of bags, which every runner keeps: a cell is its items one after the other, so that what was
 * only added to is an append, and a bag of no bytes is an empty cell.
 */
import { ByteReader } from "../coders/byte-reader.ts";
import { type Coder, encodeToBytes } from "../coders/coder.ts";
import { lengthPrefixCoder } from "../coders/composites.ts";
import { dataOf, itemCoder, itemsOf } from "../exec/cell-items.ts";
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
