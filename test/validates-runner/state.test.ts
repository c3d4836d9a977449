/** Beam's ValidatesRunner scenarios on state, by their names there: those that state-and-timers.test.ts does not have. */
import {
  bagState,
  combiningState,
  eventTimer,
  fixedWindows,
  IntervalWindow,
  type KV,
  mapState,
  orderedListState,
  output,
  setState,
  sumFn,
  valueState,
  windowInto,
} from "tidemark";
import { assertThat, at } from "tidemark/testing";
import { describe, expect } from "vitest";
import { eachMode } from "./each-mode.ts";

type Pair = KV<string, number>;
const sorted = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);
const numbers = { main: output<number>() };

describe("Value state", () => {
  eachMode("ParDoTest.testValueStateFixedWindows, Go ValueStateWindowed: 0, 1 in one window, 0 in the other", (p) => {
    const counts = p
      .createTimestamped<Pair>([at(10, ["k", 1]), at(11, ["k", 2]), at(27, ["k", 3])])
      .apply(windowInto(fixedWindows(10)))
      .parDo({
        state: { n: valueState<number>() },
        outputs: numbers,
        process(_pair, { state, output: put }) {
          const n = state.n.read() ?? 0;
          put(n);
          state.n.write(n + 1);
        },
      });
    assertThat(counts).inWindow(new IntervalWindow(10, 20)).containsInAnyOrder([0, 1]);
    assertThat(counts).inWindow(new IntervalWindow(20, 30)).isSingleton(0);
  });

  eachMode("ParDoTest.testValueStateSameId: the same id in two DoFns, one after the other, is two cells", (p) => {
    const counting = (from: number) => ({
      state: { n: valueState<number>() },
      outputs: { main: output<Pair>() },
      process([key]: Pair, { state, output: put }: { state: { n: Cell }; output: (value: Pair) => void }) {
        const n = state.n.read() ?? from;
        put([key, n]);
        state.n.write(n + 1);
      },
    });
    interface Cell {
      read(): number | undefined;
      write(value: number): void;
    }
    const first = p
      .create<Pair>([
        ["k", 97],
        ["k", 42],
        ["k", 84],
      ])
      .parDo("First", counting(0));
    const second = first.parDo("Second", counting(13));
    assertThat(first.values("First values")).containsInAnyOrder([0, 1, 2]);
    assertThat(second.values("Second values")).containsInAnyOrder([13, 14, 15]);
  });

  eachMode("ParDoTest.testValueStateTaggedOutput: state decides the output", (p) => {
    const results = p
      .create<Pair>([
        ["k", 1],
        ["k", 2],
        ["k", 3],
        ["k", 4],
      ])
      .parDo({
        state: { n: valueState<number>() },
        outputs: { main: output<number>(), odd: output<number>() },
        process(_pair, { state, output: put, outputTo }) {
          const n = state.n.read() ?? 0;
          if (n % 2 === 0) put(n);
          else outputTo("odd", n);
          state.n.write(n + 1);
        },
      });
    assertThat(results).containsInAnyOrder([0, 2]);
    assertThat(results.outputs.odd).containsInAnyOrder([1, 3]);
  });

  eachMode("Go ValueStateClear: a cleared cell reads as never written", (p) => {
    const results = p
      .create<Pair>([
        ["k", 1],
        ["k", 1],
        ["k", 1],
      ])
      .parDo({
        state: { n: valueState<number>() },
        outputs: { main: output<number | null>() },
        process([, n], { state, output: put }) {
          const before = state.n.read();
          put(before ?? null);
          if (before === undefined) state.n.write(n);
          else state.n.clear();
        },
      });
    assertThat(results).containsInAnyOrder([null, 1, null]);
  });

  eachMode("fn_runner.test_pardo_state_only: index per key and its order within the key", (p) => {
    const results = p
      .create<Pair>([
        ["A", 1],
        ["B", 3],
        ["A", 5],
        ["A", 7],
        ["B", 9],
      ])
      .parDo({
        state: { n: combiningState(sumFn()) },
        outputs: { main: output<readonly [string, number, number]>() },
        process([key, value], { state, output: put }) {
          state.n.add(1);
          put([key, value, state.n.read()]);
        },
      });
    assertThat(results).containsInAnyOrder([
      ["A", 1, 1],
      ["A", 5, 2],
      ["A", 7, 3],
      ["B", 3, 1],
      ["B", 9, 2],
    ]);
  });
});

describe("Bag and combining state", () => {
  eachMode("Go BagStateBlindWrite, BagStateClear: written unread, read at last, empty after clear", (p) => {
    const results = p
      .create<Pair>([
        ["k", 1],
        ["k", 2],
        ["k", 0],
        ["k", 3],
        ["k", 0],
      ])
      .parDo({
        state: { bag: bagState<number>() },
        outputs: { main: output<readonly number[]>() },
        process([, n], { state, output: put }) {
          if (n > 0) {
            state.bag.add(n);
            return;
          }
          put(sorted(state.bag.read()));
          state.bag.clear();
        },
      });
    assertThat(results).containsInAnyOrder([[1, 2], [3]]);
  });

  eachMode("Go CombiningState(+Clear): empty, added, blindly added, cleared", (p) => {
    const results = p
      .create<Pair>([
        ["k", 3],
        ["k", 4],
        ["k", 0],
        ["k", 5],
      ])
      .parDo({
        state: { sum: combiningState(sumFn()) },
        outputs: { main: output<readonly [boolean, number]>() },
        process([, n], { state, output: put }) {
          if (n === 0) state.sum.clear();
          else state.sum.add(n);
          put([state.sum.isEmpty(), state.sum.read()]);
        },
      });
    assertThat(results).containsInAnyOrder([
      [false, 3],
      [false, 7],
      [true, 0],
      [false, 5],
    ]);
  });

  eachMode("ParDoTest.testStateSideInput: a bag flushed by a side input, per key", (p) => {
    const limit = p.create("Limit", [2]).asSingleton();
    const results = p
      .create<Pair>([
        ["a", 1],
        ["b", 10],
        ["a", 2],
        ["b", 20],
        ["a", 3],
      ])
      .parDo({
        state: { bag: bagState<number>() },
        sideInputs: { limit },
        outputs: { main: output<KV<string, number[]>>() },
        process([key, n], { state, sideInputs, output: put }) {
          state.bag.add(n);
          if (state.bag.read().length < sideInputs.limit) return;
          put([key, sorted(state.bag.read())]);
          state.bag.clear();
        },
      });
    assertThat(results).containsInAnyOrder([
      ["a", [1, 2]],
      ["b", [10, 20]],
    ]);
  });
});

describe("Set, map and ordered list state", () => {
  eachMode("Go SetState(+Clear): contains, remove, read, clear", (p) => {
    const results = p
      .create<KV<string, string>>([
        ["k", "+a"],
        ["k", "+b"],
        ["k", "+a"],
        ["k", "-a"],
        ["k", "!"],
        ["k", "+c"],
      ])
      .parDo({
        state: { set: setState<string>() },
        outputs: { main: output<string>() },
        process([, command], { state, output: put }) {
          const [action, value = ""] = command;
          if (action === "+") state.set.add(value);
          else if (action === "-") state.set.remove(value);
          else state.set.clear();
          put(`${command}: ${[...state.set.read()].toSorted().join("")} ${state.set.has("a")} ${state.set.isEmpty()}`);
        },
      });
    assertThat(results).satisfies((values) =>
      expect(values).toEqual([
        "+a: a true false",
        "+b: ab true false",
        "+a: ab true false",
        "-a: b false false",
        "!:  false true",
        "+c: c false false",
      ]),
    );
  });

  eachMode("Go MapState(+Clear): get, has, keys, values, isEmpty, clear, and again", (p) => {
    const results = p
      .create<KV<string, KV<string, number>>>([
        ["k", ["a", 1]],
        ["k", ["b", 2]],
        ["k", ["", 0]],
        ["k", ["a", 3]],
      ])
      .parDo({
        state: { map: mapState<string, number>() },
        outputs: { main: output<readonly unknown[]>() },
        process([, [key, value]], { state: { map }, output: put }) {
          if (key === "") map.clear();
          else map.put(key, value);
          put([[...map.keys()].toSorted(), sorted(map.values()), map.get("a") ?? null, map.has("b"), map.isEmpty()]);
        },
      });
    assertThat(results).satisfies((values) =>
      expect(values).toEqual([
        [["a"], [1], 1, false, false],
        [["a", "b"], [1, 2], 1, true, false],
        [[], [], null, false, true],
        [["a"], [3], 3, false, false],
      ]),
    );
  });

  eachMode("ParDoTest.testOrderedListStateBounded: read in a timer, sorted by timestamp", (p) => {
    const results = p
      .createTimestamped<KV<string, string>>([at(12, ["k", "c"]), at(0, ["k", "a"]), at(7, ["k", "b"])])
      .apply(windowInto(fixedWindows(100)))
      .parDo({
        state: { list: orderedListState<string>() },
        timers: { t: eventTimer() },
        outputs: { main: output<readonly (readonly [string, number])[]>() },
        process([, value], { state, timers, timestamp, window }) {
          state.list.add(value, timestamp);
          timers.t.set(window.maxTimestamp);
        },
        onTimer: {
          t: ({ state, output: put }) => put(state.list.read().map(({ value, timestamp }) => [value, timestamp])),
        },
      });
    assertThat(results).isSingleton([
      ["a", 0],
      ["b", 7],
      ["c", 12],
    ]);
  });
});
