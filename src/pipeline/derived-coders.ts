/**
 * The coders of what steps give out, where they follow from the coders that the program gave.
 *
 * D1 Where only one part of a pair has a coder, the other is taken as plain data: as a key by its canonical bytes.
 */
import { type Coder, decodeIn, encodeIn } from "../coders/coder.ts";
import { iterableCoder, kvCoder } from "../coders/composites.ts";
import { canonicalCoder } from "../coders/key.ts";
import { varintCoder } from "../coders/primitives.ts";
import { valueCoder } from "../coders/value.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";

type AnyCoder = Coder<unknown>;

/** See D1. None where nothing is known of either part. */
export function pairCoder(key: AnyCoder | undefined, value: AnyCoder | undefined): AnyCoder | undefined {
  if (key === undefined && value === undefined) return undefined;
  return kvCoder(key ?? canonicalCoder, value ?? valueCoder);
}

/** That of pairs whose key is what `coder` is for; none where its bytes would not do for a key. */
export function pairCoderByElement(coder: AnyCoder | undefined, value: AnyCoder | undefined): AnyCoder | undefined {
  if (coder === valueCoder) return pairCoder(canonicalCoder, value);
  return coder?.deterministic === true ? pairCoder(coder, value) : undefined;
}

/** That of grouped pairs. */
export function groupedCoder(key: AnyCoder | undefined, value: AnyCoder | undefined): AnyCoder | undefined {
  return pairCoder(key, value && iterableCoder(value));
}

/** That of late elements: the element by its own coder, the window as its WindowFn writes it. */
export function lateCoder(element: AnyCoder | undefined, windowFn: WindowFn): AnyCoder {
  const coder = wrapperCoder("late", element ?? valueCoder);
  return {
    ...coder,
    encode: (late, out) => {
      const { window } = late as { readonly window: Window };
      coder.encode({ ...(late as object), window: windowFn.toData(window) }, out);
    },
    decode: (input) => {
      const late = coder.decode(input) as { readonly window: never };
      return { ...late, window: windowFn.fromData(late.window) };
    },
  };
}

/** That of dead letters. */
export function deadLetterCoder(element: AnyCoder | undefined): AnyCoder | undefined {
  return element && wrapperCoder("deadLetter", element);
}

/** That of objects with an `element` and plain data beside it. */
function wrapperCoder(name: string, element: AnyCoder): AnyCoder {
  return {
    name: `${name}(${element.name})`,
    components: [element],
    deterministic: false,
    encode: (wrapper, out) => {
      const { element: inner, ...rest } = wrapper as { readonly element: unknown };
      encodeIn("nested", element, inner, out);
      valueCoder.encode(rest, out);
    },
    decode: (input) => ({ element: decodeIn("nested", element, input), ...(valueCoder.decode(input) as object) }),
  };
}

/** That of values with the tag of the collection that they come from; none where none of them has a coder. */
export function taggedCoder(coders: Readonly<Record<string, AnyCoder | undefined>>): AnyCoder | undefined {
  const tags = Object.keys(coders);
  if (tags.every((tag) => coders[tag] === undefined)) return undefined;
  const parts = tags.map((tag) => coders[tag] ?? valueCoder);
  return {
    name: `tagged(${tags.map((tag, i) => `${tag}: ${parts[i]?.name}`).join(", ")})`,
    components: parts,
    deterministic: false,
    encode: (tagged, out) => {
      const { tag, value } = tagged as { readonly tag: string; readonly value: unknown };
      const index = tags.indexOf(tag);
      varintCoder.encode(index, out);
      encodeIn("nested", parts[index] as AnyCoder, value, out);
    },
    decode: (input) => {
      const index = varintCoder.decode(input);
      return { tag: tags[index], value: decodeIn("nested", parts[index] as AnyCoder, input) };
    },
  };
}

/** That of objects with an array of values by each tag; none where none of them has a coder. */
export function joinedCoder(coders: Readonly<Record<string, AnyCoder | undefined>>): AnyCoder | undefined {
  const tags = Object.keys(coders);
  const lists = Object.values(coders).map((coder) => coder && (iterableCoder(coder) as AnyCoder));
  return recordCoder("joined", tags, lists);
}

/** That of arrays of as many values; none where none of them has a coder. */
export function tupleCoder(
  name: string,
  coders: readonly (AnyCoder | undefined)[],
): Coder<readonly unknown[]> | undefined {
  if (coders.every((coder) => coder === undefined)) return undefined;
  const parts = coders.map((coder) => coder ?? valueCoder);
  return {
    name: `${name}(${parts.map((part) => part.name).join(", ")})`,
    components: parts,
    deterministic: false,
    encode: (values, out) => {
      for (const [i, part] of parts.entries()) encodeIn("nested", part, values[i], out);
    },
    decode: (input) => parts.map((part) => decodeIn("nested", part, input)),
  };
}

/** That of objects with these names; none where none of their values has a coder. */
export function recordCoder(
  name: string,
  names: readonly string[],
  coders: readonly (AnyCoder | undefined)[],
): AnyCoder | undefined {
  const values = tupleCoder(`${name}: ${names.join(", ")} `, coders);
  return (
    values && {
      ...values,
      encode: (record, out) => {
        const byName = record as Readonly<Record<string, unknown>>;
        values.encode(
          names.map((each) => byName[each]),
          out,
        );
      },
      decode: (input) => Object.fromEntries(values.decode(input).map((value, i) => [names[i], value])),
    }
  );
}

/** The coder that all share: the same one, or a standard one of the same parts. */
export function commonCoder(coders: readonly (AnyCoder | undefined)[]): AnyCoder | undefined {
  const [first] = coders;
  return coders.every((coder) => isSameCoder(first, coder)) ? first : undefined;
}

function isSameCoder(a: AnyCoder | undefined, b: AnyCoder | undefined): boolean {
  if (a === b) return true;
  if (a?.urn === undefined || a.urn !== b?.urn || a.payload !== b.payload) return false;
  const [left = [], right = []] = [a.components, b.components];
  return left.length > 0 && left.length === right.length && left.every((part, i) => isSameCoder(part, right[i]));
}
