/** Declared fields against `JSON.parse`: what is read is equal, and what is refused is refused by both. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drain, Folder, readAll } from "../text/line-io.fixture.ts";
import type { Fields } from "./fields.ts";
import { anyFields, anyText, elementsOf, Picks, picksArbitrary, recordText } from "./json-texts.fixture.ts";
import { ndjsonSource } from "./ndjson.ts";

const SEED = 20261123;
const quiet = { onInvalid: "skip", invalid: "replace", onWarning: () => {} } as const;

const cutArbitrary = fc.record({
  chunkBytes: fc.integer({ min: 1, max: 300 }),
  splitBytes: fc.integer({ min: 1, max: 400 }),
});

function expectEqual(actual: readonly unknown[], expected: readonly unknown[]): void {
  // Tells −0 from 0, and a missing name from one that is undefined.
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected);
}

/** Decoded as a whole, as the file's text is; a mark at its beginning aside. */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes);
}

function linesOf(numbers: readonly number[]): { fields: Fields; text: string } {
  const picks = new Picks(numbers);
  const fields = anyFields(picks);
  const lines = Array.from({ length: 1 + picks.below(8) }, () =>
    picks.below(6) === 5 ? anyText(picks) : recordText(fields, picks),
  );
  return { fields, text: lines.join("\n") };
}

describe("J1, P2: declared fields are what JSON.parse gives, and all else is refused", () => {
  test("of any declaration, in texts of any spelling, however they are cut", async () => {
    using folder = new Folder();
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(picksArbitrary, cutArbitrary, async (numbers, sizes) => {
        const { fields, text } = linesOf(numbers);
        const expected = elementsOf(fields, text);
        accepted += expected.length;
        const source = ndjsonSource(folder.file("a.ndjson", text), { fields, ...quiet, ...sizes });
        expectEqual(await readAll(source, 2), expected);
      }),
      { seed: SEED, numRuns: 1500 },
    );
    // Or the texts would show little.
    expect(accepted).toBeGreaterThan(1500);
  });

  const BYTES = [
    ...Buffer.from('{}[]:,"\\/ \t\r\n0123456789-+.eEutrfalsn\0\x1f\x7f'),
    0x80,
    0xbf,
    0xc3,
    0xe2,
    0xed,
    0xf0,
    0xff,
    0xef,
    0xbb,
  ];
  const mutationArbitrary = fc.record({
    way: fc.constantFrom("delete", "insert", "replace", "cut" as const),
    at: fc.nat(0xffff),
    byte: fc.constantFrom(...BYTES),
  });
  type Mutation = typeof mutationArbitrary extends fc.Arbitrary<infer M> ? M : never;

  function mutated(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
    const list = [...bytes];
    for (const { way, at, byte } of mutations) {
      const i = at % (list.length + 1);
      if (way === "delete") list.splice(i, 1);
      else if (way === "insert") list.splice(i, 0, byte);
      else if (way === "replace") list.splice(i, 1, byte);
      else list.length = i;
    }
    return Buffer.from(list);
  }

  test("also when some bytes are deleted, put in, replaced or cut off", async () => {
    using folder = new Folder();
    await fc.assert(
      fc.asyncProperty(
        picksArbitrary,
        fc.array(mutationArbitrary, { minLength: 1, maxLength: 3 }),
        cutArbitrary,
        async (numbers, mutations, sizes) => {
          const { fields, text } = linesOf(numbers);
          const bytes = mutated(Buffer.from(text), mutations);
          const source = ndjsonSource(folder.file("a.ndjson", bytes), { fields, ...quiet, ...sizes });
          expectEqual(await readAll(source, 2), elementsOf(fields, decoded(bytes)));
        },
      ),
      { seed: SEED, numRuns: 3000 },
    );
  }, 60_000);

  test("a single byte more, less or other, at each place of a record", async () => {
    using folder = new Folder();
    const record = Buffer.from(
      '{"a":"x\\u00e9\\n","b":[-1.5e3,{"c":null}],"t":1700000000123,"s":"long enough for words é"}',
    );
    const fields = { a: "string", t: "integer" } as const;
    const lines: Buffer[] = [];
    for (let at = 0; at <= record.length; at++) {
      lines.push(mutated(record, [{ way: "delete", at, byte: 0 }]), mutated(record, [{ way: "cut", at, byte: 0 }]));
      for (const byte of BYTES)
        for (const way of ["insert", "replace"] as const) lines.push(mutated(record, [{ way, at, byte }]));
    }
    const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.of(0x0a)]));
    const elements = await readAll(ndjsonSource(folder.file("a.ndjson", bytes), { fields, ...quiet }), 1, 1000);
    expectEqual(elements, elementsOf(fields, decoded(bytes)));
    expect(elements.length).toBeGreaterThan(1000);
  });
});

test("T1: a reader opened at any position gives exactly the records that were left", async () => {
  using folder = new Folder();
  await fc.assert(
    fc.asyncProperty(picksArbitrary, cutArbitrary, fc.integer({ min: 1, max: 5 }), async (numbers, sizes, max) => {
      const { fields, text } = linesOf(numbers);
      const source = ndjsonSource(folder.file("a.ndjson", `\uFEFF${text}\n\n${text}`), { fields, ...quiet, ...sizes });
      for (const split of await source.splits(2)) {
        const all = await drain(await source.open(split, undefined));
        const reader = await source.open(split, undefined);
        let size = 0;
        const batch = { add: () => void size++, size: 0 };
        for (let over = false; !over; over = reader.poll(max, batch) === "end")
          expectEqual(await drain(await source.open(split, reader.position())), all.slice(size));
        expect(await drain(await source.open(split, reader.position()))).toEqual([]);
        await reader.close();
      }
    }),
    { seed: SEED, numRuns: 150 },
  );
});
