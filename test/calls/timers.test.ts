/** Timers and expiry of async DoFns come in the same order, and see the same state, as those of synchronous ones. */
import {
  countPerElement,
  eventTimer,
  fixedWindows,
  IntervalWindow,
  type KV,
  output,
  processingTimer,
  seconds,
  valueState,
  windowInto,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const ann = testStream<KV<string, number>>()
  .addElements(at(0, ["ann", 1]))
  .advanceWatermarkToInfinity();

describe("event-time timers whose callbacks are calls", () => {
  test("calls V1: a callback in flight holds the watermark at the timer's output timestamp", async () => {
    await runTest((p) => {
      const fired = p
        .apply(ann)
        .apply(windowInto(fixedWindows(seconds(10))))
        .parDo("Timer", {
          timers: { soon: eventTimer() },
          outputs: { main: output<string>() },
          async process(_pair, { timers }) {
            await turn();
            timers.soon.set(5000);
          },
          onTimer: {
            async soon({ key, output: put }) {
              await turn();
              put(`${key} fired`);
            },
          },
        });
      const counts = fired.apply(countPerElement());
      assertThat(counts).containsInAnyOrder([["ann fired", 1]]);
      assertThat(counts.late).isEmpty();
    });
  });

  test("a callback sees what the timer before it wrote, and the expiry sees both", async () => {
    await runTest((p) => {
      const log = p
        .apply(ann)
        .apply(windowInto(fixedWindows(seconds(10))))
        .parDo("Steps", {
          state: { path: valueState<string>() },
          timers: { first: eventTimer(), second: eventTimer() },
          outputs: { main: output<string>() },
          async process([key], { state, timers }) {
            await turn();
            state.path.write(key);
            timers.first.set(1000);
            timers.second.set(2000);
          },
          onTimer: {
            async first({ state }) {
              await turn();
              state.path.write(`${state.path.read()} first`);
            },
            async second({ state }) {
              await turn();
              state.path.write(`${state.path.read()} second`);
            },
          },
          async onWindowExpiration({ state, output: put }) {
            await turn();
            put(`${state.path.read()} expired`);
          },
        });
      assertThat(log).containsInAnyOrder(["ann first second expired"]);
    });
  });

  test("a timer that an earlier callback clears does not fire; one that it sets fires before the window expires", async () => {
    for (const wait of [turn, undefined]) {
      await runTest((p) => {
        const log = p
          .apply(ann)
          .apply(windowInto(fixedWindows(seconds(10))))
          .parDo("Loop", {
            state: { n: valueState<number>() },
            timers: { tick: eventTimer(), never: eventTimer() },
            outputs: { main: output<string>() },
            async process(_pair, { timers }) {
              timers.tick.set(1000);
              timers.never.set(2500);
            },
            onTimer: wait
              ? {
                  async tick({ state, timers, firedAt, output: put }) {
                    await wait();
                    const n = (state.n.read() ?? 0) + 1;
                    state.n.write(n);
                    put(`tick ${n} at ${firedAt}`);
                    if (n === 2) timers.never.clear();
                    if (n < 4) timers.tick.set(firedAt + 1000);
                  },
                  never: ({ output: put }) => put("never"),
                }
              : {
                  tick({ state, timers, firedAt, output: put }) {
                    const n = (state.n.read() ?? 0) + 1;
                    state.n.write(n);
                    put(`tick ${n} at ${firedAt}`);
                    if (n === 2) timers.never.clear();
                    if (n < 4) timers.tick.set(firedAt + 1000);
                  },
                  never: ({ output: put }) => put("never"),
                },
          });
        assertThat(log).containsInAnyOrder(["tick 1 at 1000", "tick 2 at 2000", "tick 3 at 3000", "tick 4 at 4000"]);
      });
    }
  });

  test("a timer that an earlier callback moves fires at its new time only", async () => {
    await runTest((p) => {
      const log = p
        .apply(ann)
        .apply(windowInto(fixedWindows(seconds(10))))
        .parDo("Move", {
          timers: { first: eventTimer(), moved: eventTimer() },
          outputs: { main: output<string>() },
          async process(_pair, { timers }) {
            timers.first.set(1000);
            timers.moved.set(2500);
          },
          onTimer: {
            async first({ timers }) {
              await turn();
              timers.moved.set(5000);
            },
            moved: ({ firedAt, output: put }) => put(`moved to ${firedAt}`),
          },
        });
      assertThat(log).containsInAnyOrder(["moved to 5000"]);
    });
  });

  test("a call that fails leaves no key behind: nothing of it expires", async () => {
    await runTest((p) => {
      const expired = p
        .apply(
          testStream<KV<string, number>>()
            .addElements(at(0, ["good", 1]), at(0, ["bad", 2]))
            .advanceWatermarkToInfinity(),
        )
        .apply(windowInto(fixedWindows(seconds(10))))
        .parDo("Keep", {
          state: { n: valueState<number>() },
          outputs: { main: output<string>() },
          async process([key, n], { state }) {
            state.n.write(n);
            await turn();
            if (key === "bad") throw new Error("bad");
          },
          async onWindowExpiration({ key, state, output: put }) {
            await turn();
            put(`${key} ${state.n.read()}`);
          },
        });
      assertThat(expired).containsInAnyOrder(["good 1"]);
      assertThat(expired.deadLetter().map(({ element: [key] }) => key)).containsInAnyOrder(["bad"]);
    });
  });
});

test("a processing-time timer that comes due while a call of its key clears it does not fire", async () => {
  await runTest((p) => {
    const log = p
      .apply(
        testStream<KV<string, string>>()
          .addElements(at(0, ["k", "set"]))
          .addElements(at(1, ["k", "clear"]))
          .advanceProcessingTime(100)
          .advanceWatermarkToInfinity(),
      )
      .parDo(
        "Alarm",
        {
          timers: { alarm: processingTimer() },
          outputs: { main: output<string>() },
          async process([, what], { timers, now, output: put }) {
            if (what === "set") timers.alarm.set(now() + 10);
            else {
              await turn();
              if (now() < 5) throw new Error("again, once the timer is due");
              timers.alarm.clear();
              put("cleared");
            }
          },
          onTimer: { alarm: ({ output: put }) => put("rang") },
        },
        { retry: { attempts: 2, backoff: 10 } },
      );
    assertThat(log).containsInAnyOrder(["cleared"]);
  });
});

test.each([false, true])(
  "setAfter in a callback counts from its firing, whatever its output timestamp (async: %s)",
  async (isAsync) => {
    await runTest((p) => {
      const ticks = p.apply(ann).parDo(
        {
          timers: { tick: eventTimer() },
          outputs: { main: output<number>() },
          process(_pair, { timers }) {
            timers.tick.setAfter(1000, { outputTimestamp: 0 });
          },
          onTimer: {
            tick({ firedAt, timestamp, timers, output: put }) {
              put(firedAt);
              if (firedAt < 3000) timers.tick.setAfter(1000, { outputTimestamp: timestamp });
            },
          },
        },
        isAsync ? { async: true } : {},
      );
      assertThat(ticks).containsInAnyOrder([1000, 2000, 3000]);
    });
  },
);

test.each(["event", "processing"] as const)(
  "an output timestamp further back than the skew is refused (%s time)",
  async (domain) => {
    const error = await failureOf((p) => {
      p.createTimestamped<KV<string, number>>([at(100, ["ann", 1])]).parDo("Back", {
        allowedTimestampSkew: 2,
        timers: { soon: domain === "event" ? eventTimer() : processingTimer() },
        process: (_pair, { timers }) => timers.soon.setAfter(10, { outputTimestamp: 97 }),
        onTimer: { soon: () => [] },
      });
    });
    expect(error).toMatchObject({ code: "TIMESTAMP_SKEW", context: { step: "Back" } });
    expect(error.what).toContain("from 100 to 97");
  },
);

test.each([false, true])(
  "what onWindowExpiration gives is in time downstream, after the lateness too (async: %s)",
  async (isAsync) => {
    const visits = testStream<KV<string, number>>()
      .addElements(at(1000, ["ann", 1]))
      .advanceWatermarkTo(seconds(15))
      .advanceWatermarkTo(seconds(25))
      .advanceWatermarkToInfinity();
    await runTest((p) => {
      const counts = p
        .apply(visits)
        .apply(windowInto(fixedWindows(seconds(10)), { allowedLateness: seconds(20), accumulation: "discarding" }))
        .parDo(
          {
            outputs: { main: output<string>() },
            process() {},
            onWindowExpiration: ({ key, output: put }) => put(`${key} left`),
          },
          isAsync ? { async: true } : {},
        )
        .apply(windowInto(fixedWindows(seconds(10)), { allowedLateness: 0, accumulation: "discarding" }))
        .apply(countPerElement());
      assertThat(counts)
        .inOnTimePane(new IntervalWindow(0, seconds(10)))
        .containsInAnyOrder([["ann left", 1]]);
      assertThat(counts.late).isEmpty();
    });
  },
);
