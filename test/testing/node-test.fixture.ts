/** Run by testing.test.ts with `node --test`: the first test holds, the second one fails with a reason. */
import { test } from "node:test";
import { assertThat, runTest } from "tidemark/testing";

void test("holds", async () => {
  await runTest((p) => assertThat(p.create([1, 2]).map((n) => n + 1)).containsInAnyOrder([2, 3]));
});
// A test's body as such: node:test takes functions that return nothing, or a promise of it.
void test("holds too", () => runTest((p) => assertThat(p.create([1])).isSingleton(1)));
void test("does not", async () => {
  await runTest((p) => assertThat(p.create([1])).isEmpty());
});
