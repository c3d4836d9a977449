/** A DoFn that is called at expiration is a keyed step, also without cells and timers: once for each key and window. */
import { fixedWindows, type KV, seconds } from "tidemark";
import { assertThat, at, testStream } from "tidemark/testing";
import { expect, test } from "vitest";
import { eachMode } from "../validates-runner/each-mode.ts";
import { failureOf } from "../validates-runner/failure.ts";

const clicks = testStream<KV<string, number>>()
  .addElements(at(1000, ["a", 1]), at(2000, ["a", 2]), at(3000, ["b", 3]), at(11_000, ["a", 4]))
  .advanceWatermarkTo(20_000)
  .addElements(at(4000, ["a", 5]))
  .advanceWatermarkToInfinity();

for (const kind of ["sync", "async"] as const) {
  eachMode(`once for each key and window, ${kind}`, (p) => {
    const over = ({ key, timestamp }: { readonly key: string; readonly timestamp: number }): string[] => [
      `${key} until ${timestamp}`,
    ];
    const input = p.apply(clicks).windowInto(fixedWindows(seconds(10)));
    const expired =
      kind === "sync"
        ? input.parDo({ process() {}, onWindowExpiration: over })
        : input.parDo({ process() {}, onWindowExpiration: async (context) => over(context) });
    assertThat(expired).containsInAnyOrder(["a until 9999", "b until 9999", "a until 19999"]);
    assertThat(expired.late.map(({ element }) => element)).containsInAnyOrder([["a", 5]]);
  });
}

test("STATE_NEEDS_KEY where the types were cast away", async () => {
  const error = await failureOf((p) => {
    p.create([1]).parDo("Last", { process() {}, onWindowExpiration: () => [1] } as never);
  });
  expect(error.code).toBe("STATE_NEEDS_KEY");
});
