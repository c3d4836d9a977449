/** Beam's ValidatesRunner scenarios on timers, by their names there: those that state-and-timers.test.ts does not have. */
import {
  type DoFn,
  eventTimer,
  eventTimerFamily,
  fixedWindows,
  IntervalWindow,
  type KV,
  type OutputTag,
  output,
  type PCollection,
  type Pipeline,
  processingTimer,
  processingTimerFamily,
  slidingWindows,
  valueState,
  windowInto,
} from "tidemark";
import { assertThat, at, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

type Pair = KV<string, number>;
type Script = ReturnType<typeof testStream<Pair>>;
const numbers: { readonly main: OutputTag<number> } = { main: output<number>() };
const strings: { readonly main: OutputTag<string> } = { main: output<string>() };

/** The elements of a script, which ends with its stream. */
function played(p: Pipeline, write: (script: Script) => Script): PCollection<Pair> {
  return p.apply(write(testStream<Pair>()).advanceWatermarkToInfinity());
}

/** `results` are exactly these, in this order. */
function inOrder<T>(results: PCollection<T>, expected: readonly T[]): void {
  assertThat(results).satisfies((values) => expect(values).toEqual(expected));
}

describe("Timers in event time", () => {
  eachMode("ParDoTest.testEventTimeTimerAbsolute, Unbounded: element output, then the timer's at its time", (p) => {
    const once: DoFn<Pair, never, {}, { t: ReturnType<typeof eventTimer> }, {}, typeof numbers> = {
      timers: { t: eventTimer() },
      outputs: numbers,
      process([, n], { timers, output: put, window }) {
        timers.t.set(window.maxTimestamp);
        put(n);
      },
      onTimer: { t: ({ output: put }) => put(42) },
    };
    const bounded = p
      .createTimestamped<Pair>("Bounded", [at(3, ["k", 3])])
      .apply("Windows", windowInto(fixedWindows(10)))
      .parDo("Of bounded", once);
    const unbounded = played(p, (script) => script.addElements(at(3, ["k", 3])))
      .apply("Windows of unbounded", windowInto(fixedWindows(10)))
      .parDo("Of unbounded", once);
    for (const results of [bounded, unbounded]) {
      assertThat(results).satisfies((_values, elements) => {
        expect(elements.map(({ value, timestamp, window }) => [value, timestamp, window.id])).toEqual([
          [3, 3, "0:10"],
          [42, 9, "0:10"],
        ]);
      });
    }
  });

  eachMode("ParDoTest.testEventTimeTimerMultipleKeys: each key has its own", (p) => {
    const keys = ["a", "b", "c", "d"];
    const results = p.createTimestamped<Pair>(keys.map((key, i) => at(i, [key, i]))).parDo({
      timers: { t: eventTimer() },
      state: { mine: valueState<number>() },
      outputs: strings,
      process([key, n], { state, timers, timestamp, output: put }) {
        state.mine.write(n);
        timers.t.set(timestamp + 100);
        put(`${key} came`);
      },
      onTimer: { t: ({ key, state, firedAt, output: put }) => put(`${key} ${state.mine.read()} at ${firedAt}`) },
    });
    assertThat(results).containsInAnyOrder(keys.flatMap((key, i) => [`${key} came`, `${key} ${i} at ${100 + i}`]));
  });

  eachMode("ParDoTest.testGbkFollowedByUserTimers: timers on the output of a grouping", (p) => {
    const results = p
      .createTimestamped<Pair>([at(0, ["k", 3]), at(0, ["k", 4])])
      .apply(windowInto(fixedWindows(10)))
      .groupByKey()
      .parDo({
        timers: { t: eventTimer() },
        outputs: numbers,
        process([, values], { timers, window, output: put }) {
          timers.t.set(window.maxTimestamp);
          put(values.length);
        },
        onTimer: { t: ({ output: put }) => put(42) },
      });
    assertThat(results).inWindow(new IntervalWindow(0, 10)).containsInAnyOrder([2, 42]);
  });

  eachMode("ParDoTest.testTwoTimersSettingEachOther: they alternate, in order, and end at the bound", (p) => {
    const pingPong = (name: string, input: PCollection<Pair>): void => {
      const results = input.apply(`${name} windows`, windowInto(fixedWindows(10))).parDo(name, {
        timers: { ping: eventTimer(), pong: eventTimer() },
        outputs: strings,
        process(_pair, { timers, timestamp }) {
          timers.ping.set(timestamp);
        },
        onTimer: {
          ping({ timers, firedAt, window, output: put }) {
            put(`ping ${firedAt}`);
            if (firedAt < window.maxTimestamp) timers.pong.set(firedAt + 1);
          },
          pong({ timers, firedAt, window, output: put }) {
            put(`pong ${firedAt}`);
            if (firedAt < window.maxTimestamp) timers.ping.set(firedAt + 1);
          },
        },
      });
      inOrder(
        results,
        Array.from({ length: 10 }, (_, i) => `${i % 2 === 0 ? "ping" : "pong"} ${i}`),
      );
    };
    pingPong("Bounded", p.createTimestamped<Pair>([at(0, ["k", 0])]));
    pingPong(
      "Unbounded",
      played(p, (script) => script.addElements(at(0, ["k", 0]))),
    );
  });

  eachMode("ParDoTest.testEventTimeTimerOrdering: in the order of their times, also between keys and bundles", (p) => {
    const fired = played(p, (script) =>
      script
        .advanceWatermarkTo(0)
        .addElements(at(1, ["a", 7]), at(1, ["b", 3]))
        .addElements(at(2, ["a", 1]), at(2, ["b", 9]))
        .advanceWatermarkTo(6)
        .addElements(at(6, ["a", 8]), at(6, ["b", 6])),
    ).parDo({
      timers: { at: eventTimerFamily() },
      outputs: numbers,
      process([, n], { timers }) {
        timers.at.set(String(n), n);
      },
      onTimer: { at: ({ firedAt, output: put }) => put(firedAt) },
    });
    inOrder(fired, [1, 3, 6, 7, 8, 9]);
  });

  eachMode("ParDoTest.testOutputTimestampDefault: the timer's own time, which holds the watermark until then", (p) => {
    const results = played(p, (script) =>
      script
        .advanceWatermarkTo(0)
        .addElements(at(3, ["k", 1]))
        .advanceWatermarkTo(20)
        .advanceProcessingTime(1),
    )
      .parDo("Set", {
        timers: { t: eventTimer() },
        outputs: { main: output<Pair>() },
        process(_pair, { timers, timestamp }) {
          timers.t.set(timestamp + 5);
        },
        onTimer: { t: ({ key, timestamp, output: put }) => put([key, timestamp]) },
      })
      .apply(windowInto(fixedWindows(10)))
      .groupByKey();
    assertThat(results)
      .inOnTimePane(new IntervalWindow(0, 10))
      .isSingleton(["k", [8]]);
  });

  eachMode("ParDoTest.testEventTimeTimerSetWithinAllowedLateness: set by late but allowed data, it fires", (p) => {
    const fired = played(p, (script) =>
      script
        .addElements(at(1, ["k", 1]))
        .advanceWatermarkTo(12)
        .addElements(at(2, ["k", 2]))
        .advanceWatermarkTo(14),
    )
      .apply(windowInto(fixedWindows(10), { allowedLateness: 10 }))
      .parDo({
        timers: { t: eventTimer() },
        outputs: strings,
        process([, n], { timers, window }) {
          if (n === 2) timers.t.set(window.maxTimestamp + 10);
        },
        onTimer: { t: ({ firedAt, window, output: put }) => put(`${window.id} at ${firedAt}`) },
      });
    assertThat(fired).isSingleton("0:10 at 19");
  });

  test("ParDoTest.testOnTimerTimestampSkew: beyond the skew an error that names it", async () => {
    const error = await failureOf((p) => {
      p.createTimestamped<Pair>([at(100, ["k", 1])]).parDo("Back", {
        allowedTimestampSkew: 2,
        timers: { t: eventTimer() },
        outputs: numbers,
        process(_pair, { timers, timestamp }) {
          timers.t.set(timestamp);
        },
        onTimer: { t: ({ output: put }) => put(1, 97) },
      });
    });
    expect(error).toMatchObject({ code: "TIMESTAMP_SKEW" });
    expect(String(error)).toContain("allowedTimestampSkew is 2 ms");
  });

  eachMode("ParDoTest.testTimestampSkewInOnTimer: within the skew it works", (p) => {
    const results = p.createTimestamped<Pair>([at(100, ["k", 1])]).parDo({
      allowedTimestampSkew: 3,
      timers: { t: eventTimer() },
      outputs: numbers,
      process(_pair, { timers, timestamp }) {
        timers.t.set(timestamp);
      },
      onTimer: { t: ({ output: put }) => put(1, 97) },
    });
    assertThat(results).satisfies((_values, elements) =>
      expect(elements.map(({ timestamp }) => timestamp)).toEqual([97]),
    );
  });

  eachMode("fn_runner.test_pardo_et_timer_with_no_firing, no_reset, dynamic_timer", (p) => {
    const results = p.createTimestamped<Pair>([at(0, ["k", 1]), at(0, ["k", 2]), at(0, ["k", 3])]).parDo({
      timers: { never: eventTimer(), once: eventTimer(), tagged: eventTimerFamily() },
      outputs: strings,
      process([, n], { timers }) {
        timers.once.set(5);
        timers.tagged.set(`tag ${n}`, 10 * n);
        if (n === 3) timers.tagged.clear("tag 2");
      },
      onTimer: {
        never: ({ output: put }) => put("never"),
        once: ({ firedAt, output: put }) => put(`once ${firedAt}`),
        tagged: ({ tag, firedAt, output: put }) => put(`${tag} ${firedAt}`),
      },
    });
    assertThat(results).containsInAnyOrder(["once 5", "tag 1 10", "tag 3 30"]);
  });

  eachMode("fn_runner.test_windowed_pardo_state_timers: apart by window", (p) => {
    const results = p
      .createTimestamped<Pair>([at(1, ["k", 1]), at(2, ["k", 2]), at(11, ["k", 5])])
      .apply(windowInto(fixedWindows(10)))
      .parDo({
        state: { sum: valueState<number>() },
        timers: { t: eventTimer() },
        outputs: strings,
        process([, n], { state, timers, window }) {
          state.sum.write((state.sum.read() ?? 0) + n);
          timers.t.set(window.maxTimestamp);
        },
        onTimer: { t: ({ state, firedAt, output: put }) => put(`${state.sum.read()} at ${firedAt}`) },
      });
    assertThat(results).inWindow(new IntervalWindow(0, 10)).isSingleton("3 at 9");
    assertThat(results).inWindow(new IntervalWindow(10, 20)).isSingleton("5 at 19");
  });

  eachMode("ParDoTest.testKeyInOnTimer(+Generic): the key in the callback, of any kind", (p) => {
    const results = p.createTimestamped<KV<{ id: number }, number>>([at(0, [{ id: 7 }, 1])]).parDo({
      timers: { t: eventTimer() },
      outputs: numbers,
      process(_pair, { timers }) {
        timers.t.set(1);
      },
      onTimer: { t: ({ key, output: put }) => put(key.id) },
    });
    assertThat(results).isSingleton(7);
  });

  test("ParDoTest.testKeyInOnTimerWithoutKV: refused while the pipeline is built", async () => {
    const doFn: DoFn<number> = { timers: { t: eventTimer() }, process: () => {} };
    expect(await failureOf((p) => p.create([1]).parDo("Keyless", doFn))).toMatchObject({
      code: "STATE_NEEDS_KEY",
      context: { step: "Keyless" },
    });
  });
});

describe("Timers in processing time", () => {
  eachMode("ParDoTest.testSimpleProcessingTimerTimer: not before its time", (p) => {
    const results = played(p, (script) =>
      script
        .addElements(at(0, ["k", 3]))
        .advanceProcessingTime(1000)
        .advanceProcessingTime(1000),
    ).parDo({
      timers: { t: processingTimer() },
      outputs: strings,
      process([, n], { timers, output: put, now }) {
        timers.t.setAfter(1001);
        put(`${n} at ${now()}`);
      },
      onTimer: { t: ({ firedAt, now, output: put }) => put(`timer of ${firedAt} at ${now()}`) },
    });
    assertThat(results).satisfies((values) => {
      expect(values[0]).toBe("3 at 0");
      expect(values).toHaveLength(2);
      expect(values[1]).toMatch(/^timer of 1001 at (1001|2000)$/);
    });
  });

  eachMode("Go TimersProcessingTime_Unbounded: a timer that sets itself, so many times", (p) => {
    const results = played(p, (script) =>
      script
        .addElements(at(0, ["k", 3]))
        .advanceProcessingTime(1000)
        .advanceProcessingTime(1000)
        .advanceProcessingTime(1000),
    ).parDo({
      state: { left: valueState<number>() },
      timers: { t: processingTimer() },
      outputs: numbers,
      process([, n], { state, timers }) {
        state.left.write(n);
        timers.t.setAfter(1000);
      },
      onTimer: {
        t({ state, timers, output: put }) {
          const left = state.left.read() ?? 0;
          put(left);
          if (left <= 1) return;
          state.left.write(left - 1);
          timers.t.setAfter(1000);
        },
      },
    });
    inOrder(results, [3, 2, 1]);
  });

  eachMode("Go TimersProcessingTime_Bounded, of a DoFn without state: the job waits for its timers", (p) => {
    const results = p.create<Pair>([["k", 3]]).parDo({
      timers: { left: processingTimerFamily() },
      outputs: strings,
      process([, n], { timers }) {
        timers.left.setAfter(String(n), 1000);
      },
      onTimer: {
        left({ tag, timers, output: put, now }) {
          put(`${tag} at ${now()}`);
          if (tag !== "1") timers.left.setAfter(String(Number(tag) - 1), 1000);
        },
      },
    });
    inOrder(results, ["3 at 1000", "2 at 2000", "1 at 3000"]);
  });
});

describe("Timers in processing time when the input is over", () => {
  eachMode("Go TimersProcessingTime_Bounded: state and expiry wait for timers that set themselves again", (p) => {
    const results = p.create<Pair>([["k", 3]]).parDo({
      state: { left: valueState<number>() },
      timers: { t: processingTimer() },
      outputs: strings,
      process([, n], { state, timers }) {
        state.left.write(n);
        timers.t.setAfter(1000);
      },
      onTimer: {
        t({ state, timers, output: put, now }) {
          const left = state.left.read() ?? 0;
          put(`${left} at ${now()}`);
          state.left.write(left - 1);
          if (left > 1) timers.t.setAfter(1000);
        },
      },
      onWindowExpiration: ({ state, output: put, now }) => put(`expired with ${state.left.read()} at ${now()}`),
    });
    inOrder(results, ["3 at 1000", "2 at 2000", "1 at 3000", "expired with 0 at 3000"]);
  });

  eachMode("Windows that expire while there is still input take their timers with them", (p) => {
    const results = played(p, (script) =>
      script
        .addElements(at(0, ["k", 3]))
        .advanceWatermarkTo(100)
        .advanceProcessingTime(5000),
    )
      .apply(windowInto(fixedWindows(10)))
      .parDo({
        state: { last: valueState<number>() },
        timers: { t: processingTimer() },
        outputs: strings,
        process([, n], { state, timers }) {
          state.last.write(n);
          timers.t.setAfter(1000);
        },
        onTimer: { t: ({ output: put }) => put("fired") },
        onWindowExpiration: ({ state, output: put }) => put(`expired with ${state.last.read()}`),
      });
    inOrder(results, ["expired with 3"]);
  });
});

describe("Timer families", () => {
  eachMode("ParDoTest.testTimerFamilyEventTimeBounded, Unbounded, testTimerWithMultipleTimerFamily", (p) => {
    const families: DoFn<
      Pair,
      never,
      {},
      { one: ReturnType<typeof eventTimerFamily>; two: ReturnType<typeof eventTimerFamily> },
      {},
      typeof strings
    > = {
      timers: { one: eventTimerFamily(), two: eventTimerFamily() },
      outputs: strings,
      process([, n], { timers, output: put }) {
        put(`process ${n}`);
        timers.one.set("a", 1);
        timers.one.set("b", 2);
        timers.two.set("a", 3);
      },
      onTimer: {
        one: ({ tag, output: put }) => put(`one ${tag}`),
        two: ({ tag, output: put }) => put(`two ${tag}`),
      },
    };
    const bounded = p.createTimestamped<Pair>("Bounded", [at(0, ["k", 3])]).parDo("Of bounded", families);
    const unbounded = played(p, (script) => script.addElements(at(0, ["k", 3]))).parDo("Of unbounded", families);
    for (const results of [bounded, unbounded]) inOrder(results, ["process 3", "one a", "one b", "two a"]);
  });

  eachMode("ParDoTest.testTimerFamilyAndEventTimeTimer: a family beside a plain timer", (p) => {
    const results = p.createTimestamped<Pair>([at(0, ["k", 3])]).parDo({
      timers: { plain: eventTimer(), family: eventTimerFamily() },
      outputs: strings,
      process(_pair, { timers }) {
        timers.plain.set(2);
        timers.family.set("plain", 1);
        timers.family.set("", 3);
      },
      onTimer: {
        plain: ({ tag, firedAt, output: put }) => put(`plain '${tag}' ${firedAt}`),
        family: ({ tag, firedAt, output: put }) => put(`family '${tag}' ${firedAt}`),
      },
    });
    inOrder(results, ["family 'plain' 1", "plain '' 2", "family '' 3"]);
  });

  eachMode("ParDoTest.testTimerFamilyProcessingTime", (p) => {
    const results = played(p, (script) =>
      script
        .addElements(at(0, ["k", 3]))
        .advanceProcessingTime(5)
        .advanceProcessingTime(5),
    ).parDo({
      timers: { family: processingTimerFamily() },
      outputs: strings,
      process(_pair, { timers }) {
        timers.family.setAfter("late", 9);
        timers.family.setAfter("early", 4);
        timers.family.setAfter("first", 2);
        timers.family.setAfter("cleared", 4);
        timers.family.clear("cleared");
      },
      onTimer: { family: ({ tag, output: put }) => put(tag) },
    });
    inOrder(results, ["first", "early", "late"]);
  });
});

describe("Window expiration", () => {
  eachMode("ParDoTest.testOnWindowExpirationSimpleUnbounded: once, at expiry, after the window's timers", (p) => {
    const results = played(p, (script) =>
      script
        .addElements(at(1, ["k", 1]))
        .advanceWatermarkTo(12)
        .advanceProcessingTime(1)
        .addElements(at(2, ["k", 2]))
        .advanceWatermarkTo(15)
        .advanceProcessingTime(1),
    )
      .apply(windowInto(fixedWindows(10), { allowedLateness: 5 }))
      .parDo({
        state: { sum: valueState<number>() },
        timers: { t: eventTimer() },
        outputs: strings,
        process([, n], { state, timers, window }) {
          state.sum.write((state.sum.read() ?? 0) + n);
          timers.t.set(window.maxTimestamp + 5);
        },
        onTimer: { t: ({ state, output: put }) => put(`timer ${state.sum.read()}`) },
        onWindowExpiration: ({ state, now, output: put }) => put(`expired ${state.sum.read()} at ${now()}`),
      });
    inOrder(results, ["timer 3", "expired 3 at 1"]);
  });

  eachMode("ParDoTest.testOnWindowExpiration with sliding windows: once for each of them", (p) => {
    const results = p
      .createTimestamped<Pair>([at(7, ["k", 1]), at(12, ["k", 2])])
      .apply(windowInto(slidingWindows({ size: 10, every: 5 })))
      .parDo({
        state: { sum: valueState<number>() },
        outputs: strings,
        process([, n], { state }) {
          state.sum.write((state.sum.read() ?? 0) + n);
        },
        onWindowExpiration: ({ state, window, output: put }) => put(`${window.id} ${state.sum.read()}`),
      });
    assertThat(results).containsInAnyOrder(["0:10 1", "5:15 3", "10:20 2"]);
  });
});
