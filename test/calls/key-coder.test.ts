/** A key coder that the program gives says which keys are equal. */
import {
  type ByteReader,
  type ByteWriter,
  type DeterministicCoder,
  type KV,
  output,
  stringCoder,
  valueState,
} from "tidemark";
import { assertThat, runTest } from "tidemark/testing";
import { test } from "vitest";

/** Keys that differ only in case have the same bytes. */
const anyCase: DeterministicCoder<string> = {
  name: "any case",
  deterministic: true,
  encode: (key: string, out: ByteWriter) => stringCoder.encode(key.toLowerCase(), out),
  decode: (input: ByteReader) => stringCoder.decode(input),
};
const pairs: readonly KV<string, number>[] = [
  ["Ann", 1],
  ["ann", 2],
  ["joon", 3],
];

test("groups and combines by it", async () => {
  await runTest((p) => {
    const input = p.create(pairs);
    const sizes = input.groupByKey({ keyCoder: anyCase }).map(([, values]) => values.length);
    assertThat(sizes).containsInAnyOrder([2, 1]);
    const sums = input
      .combinePerKey("Sum", (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0), { keyCoder: anyCase })
      .values();
    assertThat(sums).containsInAnyOrder([3, 3]);
  });
});

test.each([false, true])("keeps state by it (async %s)", async (async) => {
  await runTest((p) => {
    const counts = p.create(pairs).parDo(
      {
        state: { n: valueState<number>() },
        outputs: { main: output<number>() },
        process(_pair, { state, output: put }) {
          state.n.write((state.n.read() ?? 0) + 1);
          put(state.n.read() ?? 0);
        },
      },
      { keyCoder: anyCase, async },
    );
    assertThat(counts).containsInAnyOrder([1, 2, 1]);
  });
});
