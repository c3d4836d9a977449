/** Beam's ValidatesRunner scenarios on PAssert, by their names there. */
import {
  afterCount,
  afterWatermark,
  combineGlobally,
  fixedWindows,
  GLOBAL_WINDOW,
  globalWindows,
  IntervalWindow,
  type KV,
  type PCollection,
  type Pipeline,
  repeatedly,
  sumFn,
  windowInto,
} from "tidemark";
import { assertThat, at, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

describe("PAssert", () => {
  eachMode("PAssertTest.testContainsInAnyOrder, testIsEqualTo, testEmpty, testBasicMatcherSuccess", (p) => {
    assertThat(p.create([1, 2, 3, 2])).containsInAnyOrder([2, 1, 2, 3]);
    assertThat(p.create("Objects", [{ a: [1] }, { a: [2] }])).containsInAnyOrder([{ a: [2] }, { a: [1] }]);
    assertThat(p.create("One", [43])).isSingleton(43);
    assertThat(p.create<number>("None", [])).isEmpty();
    assertThat(p.create("Some", [43, 44])).satisfies((values) => expect(values).toContain(44));
  });

  eachMode(
    "PAssertTest.testGlobalWindowContainsInAnyOrder, testWindowedContainsInAnyOrder, testWindowedIsEqualTo",
    (p) => {
      assertThat(p.create("Global", [1, 2]))
        .inWindow(GLOBAL_WINDOW)
        .containsInAnyOrder([2, 1]);
      const windowed = p.createTimestamped([at(0, 1), at(99, 2), at(100, 3)]).apply(windowInto(fixedWindows(100)));
      assertThat(windowed).inWindow(new IntervalWindow(0, 100)).containsInAnyOrder([1, 2]);
      assertThat(windowed).inWindow(new IntervalWindow(100, 200)).isSingleton(3);
      assertThat(windowed).inWindow(new IntervalWindow(200, 300)).isEmpty();
    },
  );

  eachMode("PAssertTest: panes that are early, on time, late and final", (p) => {
    const window = new IntervalWindow(0, 10);
    const sums = p
      .apply(
        testStream<number>()
          .addElements(at(1, 1))
          .advanceWatermarkTo(12)
          .addElements(at(2, 2))
          .advanceWatermarkToInfinity(),
      )
      .apply(
        windowInto(fixedWindows(10), {
          trigger: afterWatermark({ early: repeatedly(afterCount(1)), late: repeatedly(afterCount(1)) }),
          accumulation: "accumulating",
          allowedLateness: 100,
          closingBehavior: "fireAlways",
        }),
      )
      .apply(combineGlobally(sumFn(), { withDefault: false }));
    assertThat(sums).inEarlyPanes().isSingleton(1);
    assertThat(sums).inOnTimePane(window).isSingleton(1);
    assertThat(sums).inLatePanes().containsInAnyOrder([3, 3]);
    assertThat(sums).inFinalPane(window).isSingleton(3);
  });

  const falseOnes: readonly (readonly [string, (input: PCollection<number>) => void, readonly string[]])[] = [
    ["testContainsInAnyOrderFalse", (c) => assertThat(c).containsInAnyOrder([2, 1, 4, 3, 7]), ["missing", "4", "7"]],
    ["testEmptyFalse", (c) => assertThat(c).isEmpty(), ["too many", "1"]],
    ["testPAssertEqualsSingletonFalse", (c) => assertThat(c).isSingleton(44), ["44"]],
    ["testGlobalWindowFalse", (c) => assertThat(c).inWindow(GLOBAL_WINDOW).isEmpty(), ["in window global"]],
    [
      "testAssertionSiteIsCaptured…",
      (c) =>
        assertThat(c).satisfies(() => {
          throw new Error("my own reason");
        }),
      ["my own reason"],
    ],
    [
      "windowed",
      (c) =>
        assertThat(c.apply(windowInto(fixedWindows(10))))
          .inWindow(new IntervalWindow(0, 10))
          .isEmpty(),
      ["1970-01-01T00:00:00.000Z"],
    ],
    ["early panes", (c) => assertThat(c).inEarlyPanes().isSingleton(1), ["in early panes"]],
    ["late panes", (c) => assertThat(c).inLatePanes().isSingleton(1), ["in late panes"]],
    ["on-time pane", (c) => assertThat(c).inOnTimePane(GLOBAL_WINDOW).isSingleton(1), ["in the on-time pane"]],
    ["final pane", (c) => assertThat(c).inFinalPane(GLOBAL_WINDOW).isSingleton(1), ["in the final pane"]],
  ];
  test.each(falseOnes)(
    "PAssertTest, a false assertion fails the run with its reason and place: %s",
    async (_, claim, said) => {
      for (const encoded of [false, true]) {
        const input = (p: Pipeline): PCollection<number> =>
          p.createTimestamped("Input", [at(0, 1), at(1, 2), at(2, 3)]);
        const error = await failureOf((p) => claim(input(p)), { encoded });
        expect(error).toMatchObject({ code: "ASSERTION_FAILED" });
        for (const text of said) expect(String(error)).toContain(text);
        expect(error.context.at).toContain("passert.test.ts:");
      }
    },
  );

  eachMode(
    "PAssertTest: in the global window with a trigger an assertion sees every pane, the empty one at the end too",
    (p) => {
      const grouped = p
        .apply(
          testStream<KV<string, number>>()
            .addElements(at(0, ["k", 1]))
            .addElements(at(0, ["k", 2]))
            .advanceWatermarkToInfinity(),
        )
        .apply(windowInto(globalWindows(), { trigger: repeatedly(afterCount(1)) }))
        .groupByKey();
      assertThat(grouped).containsInAnyOrder([
        ["k", [1]],
        ["k", [2]],
        ["k", []],
      ]);
      assertThat(grouped).inOnTimePane(GLOBAL_WINDOW).isSingleton(["k", []]);
    },
  );
});
