/** The late elements of ready-made transforms are those that the program gave them, by their own coder. */
import { countPerElement, fixedWindows, seconds, sumGlobally, topPerWindow } from "tidemark";
import { assertThat, at, testStream } from "tidemark/testing";
import { eachMode } from "../validates-runner/each-mode.ts";

const words = testStream<string>()
  .addElements(at(1000, "in time"))
  .advanceWatermarkTo(60_000)
  .addElements(at(2000, "late"))
  .advanceWatermarkToInfinity();

eachMode("countPerElement, sumGlobally, topPerWindow", (p) => {
  const input = p.apply(words).windowInto(fixedWindows(seconds(10)));
  const lengths = input.map((word) => word.length);
  const counts = input.apply("Count", countPerElement());
  assertThat(counts.late.map(({ element, lateBy, reason }) => ({ element, lateBy, reason }))).containsInAnyOrder([
    { element: "late", lateBy: 50_001, reason: "expired" },
  ]);
  const sums = lengths.apply("Sum", sumGlobally({ withDefault: false }));
  assertThat(sums.late.map(({ element, timestamp }) => [element, timestamp])).containsInAnyOrder([[4, 2000]]);
  const top = lengths.apply(
    "Top",
    topPerWindow(1, (a: number, b: number) => a - b),
  );
  assertThat(top.late.map(({ element }) => element)).containsInAnyOrder([4]);
});
