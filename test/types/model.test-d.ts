import { expectTypeOf, test } from "vitest";
import { seconds, type Timestamp } from "tidemark";

test("a timestamp is a plain number of milliseconds", () => {
  expectTypeOf<Timestamp>().toEqualTypeOf<number>();
  expectTypeOf(seconds(1)).toEqualTypeOf<number>();
});

test("a duration is not given as text", () => {
  // @ts-expect-error -- "5s" would be read as NaN
  seconds("5s");
});
