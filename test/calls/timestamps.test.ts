/** Event times are whole milliseconds wherever they come in: the coder of timestamps has no place for fractions. */
import { eventTimer, GLOBAL_WINDOW, type KV, orderedListState, output, type Pipeline, processingTimer } from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const one: readonly KV<string, number>[] = [["k", 1]];

const PLACES: readonly (readonly [string, (p: Pipeline) => unknown])[] = [
  ["a source", (p) => p.create("Step", one, { timestamps: () => 0.5 })],
  ["a list with times", (p) => p.createTimestamped("Step", [at(0.5, "a")])],
  ["a test stream", (p) => p.apply("Step", testStream().addElements(at(0.5, "a")).advanceWatermarkToInfinity())],
  ["withTimestamps", (p) => p.create(one).withTimestamps("Step", () => 0.5)],
  [
    "an output",
    (p) =>
      p.createTimestamped([at(0, "a")]).parDo("Step", {
        outputs: { main: output<string>() },
        process: (word, context) => context.output(word, 0.5),
      }),
  ],
  [
    "an output of a bundle",
    (p) =>
      p.create(one).parDo("Step", {
        outputs: { main: output<string>() },
        process: () => {},
        finishBundle: (context) => context.output("end", 0.5, GLOBAL_WINDOW),
      }),
  ],
  [
    "an ordered list",
    (p) =>
      p.create(one).parDo("Step", {
        state: { list: orderedListState<number>() },
        process: ([, n], { state: { list } }) => list.add(n, 0.5),
      }),
  ],
  [
    "a timer in event time",
    (p) =>
      p.createTimestamped([at(0, one[0]!)]).parDo("Step", {
        timers: { due: eventTimer() },
        process: (_pair, { timers: { due } }) => due.set(0.5),
        onTimer: { due: () => [] },
      }),
  ],
];

test.each(PLACES)("%s: a fraction of a millisecond is refused", async (_name, build) => {
  const error = await failureOf((p) => void build(p));
  expect(error).toMatchObject({ code: "TIMESTAMP_INVALID", context: { step: "Step" } });
  expect(error.what).toMatch(/"Step" gave (the timestamp )?0\.5$/);
  expect(error.fix).toContain("Math.floor");
});

test("no number at all is shown as it is, also in a script", async () => {
  const error = await failureOf((p) => p.create([1]).withTimestamps("Step", () => Number.NaN));
  expect(error.what).toBe('step "Step" gave the timestamp NaN');
  const script = [{ kind: "elements" as const, elements: [at(Infinity, "a")] }];
  expect(await failureOf((p) => p.readTestStream("Script", script))).toMatchObject({
    code: "TIMESTAMP_INVALID",
    what: 'the script of "Script" gave the timestamp Infinity',
    why: error.why,
    fix: error.fix,
  });
});

test("a timer in processing time fires when the clock shows the next whole millisecond", async () => {
  await runTest((p) => {
    const clicks = testStream<KV<string, number>>()
      .addElements(at(0, ["k", 1]))
      .advanceProcessingTime(5);
    const fired = p.apply(clicks.advanceWatermarkToInfinity()).parDo({
      timers: { due: processingTimer() },
      outputs: { main: output<number>() },
      process: (_pair, { timers: { due } }) => due.setAfter(0.5),
      onTimer: { due: ({ firedAt, output: emit }) => emit(firedAt) },
    });
    assertThat(fired).containsInAnyOrder([1]);
  });
});
