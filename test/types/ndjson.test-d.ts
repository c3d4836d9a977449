import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { eventTime, ndjson, type PCollection, type Pipeline } from "tidemark";

declare const p: Pipeline;
type ElementOf<C> = C extends PCollection<infer T> ? T : never;

test("the elements follow from the declaration of fields", () => {
  const records = p.apply(
    ndjson.read("a.ndjson", {
      fields: {
        user: "string",
        amount: "number",
        eventTimeMs: "integer",
        paid: "boolean",
        any: "json",
        place: { lat: "number", names: ["string"] },
        note: ndjson.optional("string"),
        nick: ndjson.nullable("string"),
        both: ndjson.optional(ndjson.nullable([{ x: "number" }])),
      },
    }),
  );
  expectTypeOf<ElementOf<typeof records>>().toEqualTypeOf<{
    readonly user: string;
    readonly amount: number;
    readonly eventTimeMs: number;
    readonly paid: boolean;
    readonly any: unknown;
    readonly place: { readonly lat: number; readonly names: readonly string[] };
    readonly note: string | undefined;
    readonly nick: string | null;
    readonly both: readonly { readonly x: number }[] | null | undefined;
  }>();
});

test("a declaration may stand by itself", () => {
  const fields = { user: "string" } as const;
  expectTypeOf(p.apply(ndjson.read("a", { fields }))).toEqualTypeOf<PCollection<{ readonly user: string }>>();
  expectTypeOf<ndjson.RecordOf<typeof fields>>().toEqualTypeOf<{ readonly user: string }>();
});

test("a timestamp function takes the elements, or what they have", () => {
  const fields = { at: "integer", user: "string" } as const;
  ndjson.read("a", { fields, timestamps: eventTime((record: ndjson.RecordOf<typeof fields>) => record.at) });
  ndjson.read("a", { fields, timestamps: eventTime(({ at }: { at: number }) => at) });
  // @ts-expect-error -- there is no such field
  ndjson.read("a", { fields, timestamps: eventTime(({ time }: { time: number }) => time) });
});

test("what is no type of a field is refused", () => {
  // @ts-expect-error -- no such type
  ndjson.read("a", { fields: { user: "text" } });
  // @ts-expect-error -- an item of an array is never missing
  ndjson.read("a", { fields: { users: [ndjson.optional("string")] } });
  // @ts-expect-error -- an array has one type of items
  ndjson.read("a", { fields: { pair: ["string", "number"] } });
  // @ts-expect-error -- null may be missing, but what is missing is not null
  ndjson.read("a", { fields: { user: ndjson.nullable(ndjson.optional("string")) } });
});

test("a schema gives its output, and its input where it does not check", () => {
  const schema = z.object({ id: z.string(), at: z.string().transform((text) => new Date(text)) });
  const checked = p.apply(ndjson.read("a", { schema, timestamps: eventTime(({ at }: { at: Date }) => at.getTime()) }));
  expectTypeOf(checked).toEqualTypeOf<PCollection<{ id: string; at: Date }>>();
  const unchecked = p.apply(ndjson.read("a", { schema, validate: false }));
  expectTypeOf(unchecked).toEqualTypeOf<PCollection<{ id: string; at: string }>>();
});

test("one way of reading only", () => {
  // @ts-expect-error -- fields and a function that parses
  ndjson.read("a", { fields: { user: "string" }, parse: JSON.parse as (line: string) => unknown });
  // @ts-expect-error -- fields and a schema
  ndjson.read("a", { fields: { user: "string" }, schema: z.object({ user: z.string() }) });
});

test("without a declaration the type is believed", () => {
  expectTypeOf(p.apply(ndjson.read<{ user: string }>("a"))).toEqualTypeOf<PCollection<{ user: string }>>();
  expectTypeOf(p.apply(ndjson.read("a"))).toEqualTypeOf<PCollection<unknown>>();
  expectTypeOf(p.apply(ndjson.read("a", { parse: Number }))).toEqualTypeOf<PCollection<number>>();
});
