/** Q1: only a stage's first step is special; what is fused behind it is plain. */
import { type KV, output, valueState } from "tidemark";
import { assertThat, runTest } from "tidemark/testing";
import { expect, test } from "vitest";

test("plain steps behind an async step, and behind its dead letters", async () => {
  await runTest((p) => {
    const halves = p.create([1, 2, 3]).map("Halve", async (n) => {
      if (n === 3) throw new RangeError("odd");
      return n / 2;
    });
    assertThat(halves.map("After", (n) => n + 1)).containsInAnyOrder([1.5, 2]);
    assertThat(
      halves.deadLetter().map("Failed", ({ element, error }) => `${element}: ${error.name}`),
    ).containsInAnyOrder(["3: RangeError"]);
  });
});

test("a plain DoFn behind a stateful one sees elements that are no pairs", async () => {
  const started: string[] = [];
  await runTest((p) => {
    const counts = p.create<KV<string, number>>([["a", 1]]).parDo("Count", {
      state: { n: valueState<number>() },
      outputs: { main: output<number>() },
      process(_pair, { state, output }) {
        state.n.write((state.n.read() ?? 0) + 1);
        output(state.n.read() ?? 0);
      },
    });
    const plain = counts.parDo<string>("Plain", {
      startBundle: () => void started.push("plain"),
      process: (n: number) => [`count ${n}`],
    });
    assertThat(plain).containsInAnyOrder(["count 1"]);
  });
  expect(started).toContain("plain");
});
