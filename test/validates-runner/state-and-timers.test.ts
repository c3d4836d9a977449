/** Beam's ValidatesRunner scenarios on state and timers, by their names there. */
import {
  bagState,
  combiningState,
  eventTimer,
  eventTimerFamily,
  fixedWindows,
  isTidemarkError,
  type KV,
  mapState,
  meanFn,
  orderedListState,
  output,
  processingTimer,
  setState,
  slidingWindows,
  valueState,
  windowInto,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";

type Pair = KV<string, number>;
const outputs = { main: output<string>() };

describe("State", () => {
  eachMode("ParDoTest.testValueStateSimple, testValueStateSameId: the same id in two DoFns is two cells", (p) => {
    const input = p.create<Pair>([
      ["k", 1],
      ["k", 2],
      ["k", 3],
    ]);
    for (const name of ["First", "Second"]) {
      const counts = input.parDo(name, {
        state: { n: valueState<number>() },
        outputs: { main: output<number>() },
        process(_pair, { state, output: put }) {
          const n = state.n.read() ?? 0;
          put(n);
          state.n.write(n + 1);
        },
      });
      assertThat(counts).containsInAnyOrder([0, 1, 2]);
    }
  });

  eachMode("ParDoTest.testValueStateDedup: one output for each of 50 keys with 15 duplicates", (p) => {
    const pairs = Array.from({ length: 750 }, (_, i): Pair => [`k${i % 50}`, i % 50]);
    const once = p.create(pairs).parDo({
      state: { seen: valueState<boolean>() },
      outputs: { main: output<number>() },
      process([, n], { state, output: put }) {
        if (state.seen.read()) return;
        state.seen.write(true);
        put(n);
      },
    });
    assertThat(once).containsInAnyOrder(Array.from({ length: 50 }, (_, i) => i));
  });

  eachMode("ParDoTest.testBagState, Go BagState(+Clear, BlindWrite): add, read, clear", (p) => {
    const lists = p
      .create<Pair>([
        ["k", 97],
        ["k", 42],
        ["k", 84],
        ["k", 12],
      ])
      .parDo({
        state: { bag: bagState<number>() },
        outputs: { main: output<readonly number[]>() },
        process([, n], { state, output: put }) {
          state.bag.add(n);
          if (state.bag.read().length < 4) return;
          put(state.bag.read().toSorted((a, b) => a - b));
          state.bag.clear();
          put(state.bag.isEmpty() ? [] : [0]);
        },
      });
    assertThat(lists).containsInAnyOrder([[12, 42, 84, 97], []]);
  });

  eachMode("ParDoTest.testCombiningState: the mean reaches 0.5 once", (p) => {
    const results = p
      .create<Pair>([
        ["k", 0],
        ["k", 0],
        ["k", 1],
        ["k", 1],
      ])
      .parDo({
        state: { mean: combiningState(meanFn()) },
        outputs,
        process([, n], { state, output: put }) {
          state.mean.add(n);
          if (state.mean.read() === 0.5) put("right on");
        },
      });
    assertThat(results).isSingleton("right on");
  });

  eachMode("ParDoTest.testSetState: add if absent, contains, clear", (p) => {
    const sizes = p
      .create<KV<string, readonly number[]>>([
        ["k", [97]],
        ["k", [42]],
        ["k", [42]],
        ["k", [12]],
      ])
      .parDo({
        state: { set: setState<readonly number[]>() },
        outputs: { main: output<boolean>() },
        process([, n], { state, output: put }) {
          put(state.set.add(n));
          if (!state.set.has([...n])) throw new Error("equal by content");
        },
      });
    assertThat(sizes).containsInAnyOrder([true, true, false, true]);
  });

  eachMode("ParDoTest.testMapState: put, get, remove, iterate", (p) => {
    const entries = p
      .create<KV<string, KV<string, number>>>([
        ["k", ["a", 1]],
        ["k", ["b", 2]],
        ["k", ["b", 3]],
        ["k", ["c", 4]],
      ])
      .parDo({
        state: { map: mapState<string, number>(), n: valueState<number>() },
        outputs: { main: output<KV<string, number>>() },
        process([, [key, value]], { state, output: put }) {
          state.map.put(key, value);
          const n = (state.n.read() ?? 0) + 1;
          state.n.write(n);
          if (n < 4) return;
          state.map.remove("c");
          for (const entry of state.map.entries()) put(entry);
        },
      });
    assertThat(entries).containsInAnyOrder([
      ["a", 1],
      ["b", 3],
    ]);
  });

  eachMode("ParDoTest.testOrderedListState{RangeFetch,RangeDelete}: sorted, read and deleted by range", (p) => {
    const ranges = p.create<KV<string, number>>([["k", 0]]).parDo({
      state: { list: orderedListState<string>() },
      outputs: { main: output<readonly string[]>() },
      process(_pair, { state: { list }, output: put }) {
        for (const [value, time] of [
          ["c", 30],
          ["a", 10],
          ["b", 20],
          ["d", 40],
        ] as const)
          list.add(value, time);
        put(list.read().map(({ value }) => value));
        put(list.readRange(10, 30).map(({ value }) => value));
        list.clearRange(20, 40);
        put(list.read().map(({ value }) => value));
      },
    });
    assertThat(ranges).containsInAnyOrder([
      ["a", "b", "c", "d"],
      ["a", "b"],
      ["a", "d"],
    ]);
  });

  eachMode("ParDoTest.testBagStateSideInput: state with side inputs", (p) => {
    const list = p.create([50, 54, 58]).asList();
    const sums = p
      .create<Pair>([
        ["k", 1],
        ["k", 2],
      ])
      .parDo({
        state: { bag: bagState<number>() },
        sideInputs: { list },
        outputs: { main: output<number>() },
        process([, n], { state, sideInputs, output: put }) {
          state.bag.add(n);
          if (state.bag.read().length === 2) put([...state.bag.read(), ...sideInputs.list].reduce((a, b) => a + b));
        },
      });
    assertThat(sums).isSingleton(165);
  });
});

describe("Timers", () => {
  eachMode("ParDoTest.testEventTimeTimerBounded: element output, then timer output at the set time", (p) => {
    const results = p.createTimestamped<Pair>([at(0, ["k", 3])]).parDo({
      timers: { t: eventTimer() },
      outputs: { main: output<number>() },
      process([, n], { timers, output: put }) {
        timers.t.set(1000);
        put(n);
      },
      onTimer: { t: ({ output: put }) => put(42) },
    });
    assertThat(results).satisfies((_values, elements) => {
      expect(elements.map(({ value, timestamp }) => [value, timestamp])).toEqual([
        [3, 0],
        [42, 1000],
      ]);
    });
  });

  eachMode(
    "ParDoTest.testTimerReceivedInOriginalWindow: sliding windows: the timer fires in the window that set it",
    (p) => {
      const windows = p
        .createTimestamped<Pair>([at(10, ["k", 3])])
        .apply(windowInto(slidingWindows({ size: 9, every: 3 })))
        .parDo({
          timers: { t: eventTimer() },
          outputs,
          process(_pair, { timers, window }) {
            timers.t.set(window.maxTimestamp);
          },
          onTimer: { t: ({ output: put, window }) => put(window.id) },
        });
      assertThat(windows).satisfies((values, elements) => {
        expect([...values].toSorted()).toEqual(["3:12", "6:15", "9:18"]);
        for (const { value, window } of elements) expect(window.id).toBe(value);
      });
    },
  );

  eachMode("ParDoTest.testEventTimeTimerLoop: a timer that sets itself ends at the bound, in order", (p) => {
    const ticks = p.createTimestamped<Pair>([at(0, ["k", 0])]).parDo({
      state: { n: valueState<number>() },
      timers: { loop: eventTimer() },
      outputs: { main: output<number>() },
      process(_pair, { timers }) {
        timers.loop.set(1);
      },
      onTimer: {
        loop({ state, timers, output: put, firedAt }) {
          const n = state.n.read() ?? 0;
          put(n);
          if (n < 4) timers.loop.set(firedAt + 1);
          state.n.write(n + 1);
        },
      },
    });
    assertThat(ticks).satisfies((values) => expect(values).toEqual([0, 1, 2, 3, 4]));
  });

  eachMode("ParDoTest.testEventTimeTimerCanBeReset: only the last setting fires", (p) => {
    const fired = p
      .apply(
        testStream<Pair>()
          .advanceWatermarkTo(0)
          .addElements(at(0, ["k", 3]))
          .addElements(at(1, ["k", 8]))
          .advanceWatermarkTo(20)
          .advanceWatermarkToInfinity(),
      )
      .parDo({
        timers: { t: eventTimer() },
        outputs: { main: output<number>() },
        process([, n], { timers, timestamp }) {
          timers.t.set(timestamp + n);
        },
        onTimer: { t: ({ firedAt, output: put }) => put(firedAt) },
      });
    assertThat(fired).isSingleton(9);
  });

  eachMode("ParDoTest.testProcessingTimeTimerCanBeReset, testSimpleProcessingTimerTimer", (p) => {
    const fired = p
      .apply(
        testStream<Pair>()
          .addElements(at(0, ["k", 3]))
          .advanceProcessingTime(5)
          .addElements(at(1, ["k", 8]))
          .advanceProcessingTime(6)
          .advanceProcessingTime(10)
          .advanceWatermarkToInfinity(),
      )
      .parDo({
        timers: { t: processingTimer() },
        outputs: { main: output<number>() },
        process(_pair, { timers }) {
          timers.t.setAfter(10);
        },
        onTimer: { t: ({ now, output: put }) => put(now()) },
      });
    assertThat(fired).isSingleton(21);
  });

  eachMode("ParDoTest.testEventTimeTimerOrdering: timers fire in the order of their times", (p) => {
    const order = p
      .createTimestamped<Pair>([at(0, ["k", 5]), at(0, ["k", 2]), at(0, ["k", 9]), at(0, ["k", 1])])
      .parDo({
        timers: { t: eventTimerFamily() },
        outputs: { main: output<number>() },
        process([, n], { timers }) {
          timers.t.set(String(n), n);
        },
        onTimer: { t: ({ tag, output: put }) => put(Number(tag)) },
      });
    assertThat(order).satisfies((values) => expect(values).toEqual([1, 2, 5, 9]));
  });

  eachMode("ParDoTest.testOutputTimestamp: the timer's output timestamp holds the downstream watermark", (p) => {
    const times = p
      .createTimestamped<Pair>([at(3, ["k", 3])])
      .parDo("Set", {
        timers: { t: eventTimer() },
        outputs: { main: output<Pair>() },
        process([, n], { timers, timestamp }) {
          timers.t.set(timestamp + 10, { outputTimestamp: timestamp + 5 });
          void n;
        },
        onTimer: { t: ({ key, output: put }) => put([key, 100]) },
      })
      .parDo("Look", {
        timers: { t: eventTimer() },
        outputs: { main: output<KV<number, number>>() },
        process(_pair, { timers, timestamp, output: put }) {
          put([timestamp, 0]);
          timers.t.set(timestamp + 5);
        },
        onTimer: { t: ({ firedAt, output: put }) => put([firedAt, 1]) },
      });
    assertThat(times).containsInAnyOrder([
      [8, 0],
      [13, 1],
    ]);
  });

  eachMode("ParDoTest.testOnWindowExpirationSimple: once for each key and window, with state readable", (p) => {
    const sums = p
      .createTimestamped<Pair>([at(1, ["a", 1]), at(2, ["a", 2]), at(12, ["a", 5]), at(3, ["b", 7])])
      .apply(windowInto(fixedWindows(10)))
      .parDo({
        state: { bag: bagState<number>() },
        outputs,
        process([, n], { state }) {
          state.bag.add(n);
        },
        onWindowExpiration({ key, state, window, output: put }) {
          put(`${key} ${window.id} ${state.bag.read().reduce((a, b) => a + b)}`);
        },
      });
    assertThat(sums).containsInAnyOrder(["a 0:10 3", "a 10:20 5", "b 0:10 7"]);
  });

  test("ParDoTest.testOutOfBoundsEventTimeTimer: setting past window expiry is an error that says so", async () => {
    const error: unknown = await runTest((p) => {
      p.createTimestamped<Pair>([at(1, ["k", 1])])
        .apply(windowInto(fixedWindows(10)))
        .parDo({
          timers: { t: eventTimer() },
          process(_pair, { timers, window }) {
            timers.t.set(window.maxTimestamp + 1);
          },
          onTimer: { t() {} },
        });
    }).catch((reason: unknown) => reason);
    expect(isTidemarkError(error, "TIMER_PAST_EXPIRY")).toBe(true);
  });

  eachMode("fn_runner.test_pardo_timers_clear: a cleared timer does not fire", (p) => {
    const fired = p.createTimestamped<Pair>([at(0, ["a", 1]), at(1, ["a", -1]), at(0, ["b", 1])]).parDo({
      timers: { t: eventTimer() },
      outputs,
      process([, n], { timers }) {
        if (n > 0) timers.t.set(100);
        else timers.t.clear();
      },
      onTimer: { t: ({ key, output: put }) => put(key) },
    });
    assertThat(fired).isSingleton("b");
  });
});
