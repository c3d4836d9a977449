/** State cells, timers, views and outputs, method by method: good programs and bad ones. Nothing here runs. */
import {
  bagState,
  combiningState,
  doubleCoder,
  eventTimer,
  eventTimerFamily,
  mapState,
  meanFn,
  orderedListState,
  output,
  processingTimer,
  processingTimerFamily,
  setState,
  stringCoder,
  valueState,
  type BagCell,
  type CombiningCell,
  type DoFn,
  type KV,
  type Late,
  type MapCell,
  type OrderedListCell,
  type OutputTag,
  type PCollection,
  type PCollectionView,
  type SetCell,
  type StateSpec,
  type Timer,
  type TimerFamily,
  type TimerSpec,
  type TimestampedValue,
  type ValueCell,
} from "tidemark";
import { expectTypeOf } from "vitest";

declare const scores: PCollection<KV<string, number>>;
declare const words: PCollection<string>;
interface Visit {
  readonly page: string;
}

export function declarations(): void {
  expectTypeOf(valueState<Visit>()).toEqualTypeOf<StateSpec<ValueCell<Visit>>>();
  expectTypeOf(bagState<Visit>()).toEqualTypeOf<StateSpec<BagCell<Visit>>>();
  expectTypeOf(setState<Visit>()).toEqualTypeOf<StateSpec<SetCell<Visit>>>();
  expectTypeOf(mapState<string, Visit>()).toEqualTypeOf<StateSpec<MapCell<string, Visit>>>();
  expectTypeOf(orderedListState<Visit>()).toEqualTypeOf<StateSpec<OrderedListCell<Visit>>>();
  expectTypeOf(combiningState(meanFn())).toEqualTypeOf<StateSpec<CombiningCell<number, number>>>();
  // A coder says what is kept.
  expectTypeOf(bagState({ coder: stringCoder })).toEqualTypeOf<StateSpec<BagCell<string>>>();
  expectTypeOf(mapState({ keyCoder: stringCoder, coder: doubleCoder })).toEqualTypeOf<
    StateSpec<MapCell<string, number>>
  >();
  bagState<Visit>({ ttl: 5 });
  combiningState(meanFn(), { ttl: 5 });
  // @ts-expect-error a coder of strings cannot write visits
  bagState<Visit>({ coder: stringCoder });
  // @ts-expect-error a coder of strings cannot write numbers
  setState<number>({ coder: stringCoder });
  // @ts-expect-error a coder of numbers cannot write visits
  mapState<string, Visit>({ coder: doubleCoder });
  // @ts-expect-error keys are numbers
  mapState<number, Visit>({ keyCoder: stringCoder });
  // @ts-expect-error a coder of numbers cannot write visits
  orderedListState<Visit>({ coder: doubleCoder });
  // @ts-expect-error a time to live is a number of milliseconds
  bagState<Visit>({ ttl: "5s" });
  // @ts-expect-error there is no such option
  setState<Visit>({ expires: 5 });
  // @ts-expect-error the coder of accumulators is the CombineFn's
  combiningState(meanFn(), { coder: doubleCoder });
  // @ts-expect-error a CombineFn has all its functions
  combiningState({ createAccumulator: () => 0, addInput: (a: number, b: number) => a + b });
}

export function value(cell: ValueCell<Visit>): void {
  expectTypeOf(cell.read()).toEqualTypeOf<Visit | undefined>();
  cell.write({ page: "/" });
  cell.clear();
  // @ts-expect-error it keeps visits
  cell.write("/");
  // @ts-expect-error clear takes it away; undefined is no visit
  cell.write(undefined);
  // @ts-expect-error there may be none
  cell.read().page;
  // @ts-expect-error a value is written
  cell.add({ page: "/" });
}

export function bag(cell: BagCell<Visit>): void {
  expectTypeOf(cell.read()).toEqualTypeOf<readonly Visit[]>();
  expectTypeOf(cell.isEmpty()).toEqualTypeOf<boolean>();
  cell.add({ page: "/" });
  cell.clear();
  for (const { page } of cell.read()) expectTypeOf(page).toEqualTypeOf<string>();
  // @ts-expect-error it keeps visits
  cell.add("/");
  // @ts-expect-error something is added
  cell.add();
  // @ts-expect-error what is read is no way into the bag
  cell.read().push({ page: "/" });
  // @ts-expect-error a bag cannot take one away
  cell.remove({ page: "/" });
  // @ts-expect-error clear takes all away
  cell.clear({ page: "/" });
}

export function set(cell: SetCell<Visit>): void {
  expectTypeOf(cell.add({ page: "/" })).toEqualTypeOf<boolean>();
  expectTypeOf(cell.has({ page: "/" })).toEqualTypeOf<boolean>();
  expectTypeOf(cell.read()).toEqualTypeOf<IterableIterator<Visit>>();
  expectTypeOf(cell.isEmpty()).toEqualTypeOf<boolean>();
  cell.remove({ page: "/" });
  cell.clear();
  // @ts-expect-error it keeps visits
  cell.add("/");
  // @ts-expect-error it keeps visits
  cell.has("/");
  // @ts-expect-error it keeps visits
  cell.remove("/");
  // @ts-expect-error it is read by iterating
  cell.read()[0];
  // @ts-expect-error it has no keys
  cell.get("/");
}

export function map(cell: MapCell<string, Visit>): void {
  expectTypeOf(cell.get("a")).toEqualTypeOf<Visit | undefined>();
  expectTypeOf(cell.has("a")).toEqualTypeOf<boolean>();
  expectTypeOf(cell.keys()).toEqualTypeOf<IterableIterator<string>>();
  expectTypeOf(cell.values()).toEqualTypeOf<IterableIterator<Visit>>();
  expectTypeOf(cell.entries()).toEqualTypeOf<IterableIterator<[string, Visit]>>();
  expectTypeOf(cell.isEmpty()).toEqualTypeOf<boolean>();
  cell.put("a", { page: "/" });
  cell.remove("a");
  cell.clear();
  // @ts-expect-error keys are strings
  cell.get(1);
  // @ts-expect-error keys are strings
  cell.has(1);
  // @ts-expect-error keys are strings
  cell.put(1, { page: "/" });
  // @ts-expect-error values are visits
  cell.put("a", "/");
  // @ts-expect-error a key comes with its value
  cell.put("a");
  // @ts-expect-error keys are strings
  cell.remove(1);
  // @ts-expect-error there may be none
  cell.get("a").page;
  // @ts-expect-error it is put
  cell.set("a", { page: "/" });
}

export function orderedList(cell: OrderedListCell<Visit>): void {
  expectTypeOf(cell.size).toEqualTypeOf<number>();
  expectTypeOf(cell.read()).toEqualTypeOf<readonly TimestampedValue<Visit>[]>();
  expectTypeOf(cell.readRange(0, 10)).toEqualTypeOf<readonly TimestampedValue<Visit>[]>();
  expectTypeOf(cell.isEmpty()).toEqualTypeOf<boolean>();
  cell.add({ page: "/" }, 5);
  cell.clearRange(0, 10);
  cell.clear();
  // @ts-expect-error it keeps visits
  cell.add("/", 5);
  // @ts-expect-error a value has its instant
  cell.add({ page: "/" });
  // @ts-expect-error an instant is a number
  cell.add({ page: "/" }, "5");
  // @ts-expect-error an instant is a number, not a Date
  cell.add({ page: "/" }, new Date());
  // @ts-expect-error a range has two ends
  cell.readRange(0);
  // @ts-expect-error instants are numbers
  cell.readRange("0", "10");
  // @ts-expect-error a range has two ends
  cell.clearRange(10);
  // @ts-expect-error instants are numbers
  cell.clearRange(new Date(), new Date());
  // @ts-expect-error it is counted, not called
  cell.size();
  // @ts-expect-error it grows by add
  cell.size = 5;
  // @ts-expect-error what is read has values and instants
  cell.read()[0]?.page;
}

export function combining(cell: CombiningCell<number, string>): void {
  expectTypeOf(cell.read()).toEqualTypeOf<string>();
  expectTypeOf(cell.isEmpty()).toEqualTypeOf<boolean>();
  cell.add(5);
  cell.clear();
  // @ts-expect-error inputs are numbers
  cell.add("5");
  // @ts-expect-error it is read as the output
  cell.read().toFixed();
  // @ts-expect-error an output is not written
  cell.write("5");
}

export function timers(timer: Timer, family: TimerFamily): void {
  timer.set(1000);
  timer.set(1000, { outputTimestamp: 500 });
  timer.setAfter(1000);
  timer.setAfter(1000, { outputTimestamp: 500 });
  timer.clear();
  family.set("tag", 1000);
  family.set("tag", 1000, { outputTimestamp: 500 });
  family.setAfter("tag", 1000, { outputTimestamp: 500 });
  family.clear("tag");
  // @ts-expect-error an instant is a number
  timer.set("1000");
  // @ts-expect-error an instant is a number, not a Date
  timer.set(new Date());
  // @ts-expect-error a plain timer has no tag
  timer.set("tag", 1000);
  // @ts-expect-error a plain timer has no tag
  timer.clear("tag");
  // @ts-expect-error there is no such option
  timer.set(1000, { timestamp: 500 });
  // @ts-expect-error milliseconds are a number
  timer.setAfter("5s");
  // @ts-expect-error a timer of a family has a tag
  family.set(1000);
  // @ts-expect-error a timer of a family has a tag
  family.setAfter(1000);
  // @ts-expect-error a timer of a family has a tag
  family.clear();
  // @ts-expect-error tags are text
  family.set(1, 1000);
  // @ts-expect-error tags are text
  family.clear(1);
  // @ts-expect-error an output timestamp is a number
  family.set("tag", 1000, { outputTimestamp: new Date() });
  expectTypeOf(eventTimer()).toEqualTypeOf<TimerSpec<Timer>>();
  expectTypeOf(processingTimer()).toEqualTypeOf<TimerSpec<Timer>>();
  expectTypeOf(eventTimerFamily()).toEqualTypeOf<TimerSpec<TimerFamily>>();
  expectTypeOf(processingTimerFamily()).toEqualTypeOf<TimerSpec<TimerFamily>>();
  scores.parDo({
    timers: { plain: processingTimer(), family: eventTimerFamily() },
    process(_pair, { timers: { plain, family } }) {
      expectTypeOf(plain).toEqualTypeOf<Timer>();
      expectTypeOf(family).toEqualTypeOf<TimerFamily>();
    },
    onTimer: {
      plain({ key, firedAt, tag, timestamp }) {
        expectTypeOf(key).toEqualTypeOf<string>();
        expectTypeOf(firedAt).toEqualTypeOf<number>();
        expectTypeOf(tag).toEqualTypeOf<string>();
        expectTypeOf(timestamp).toEqualTypeOf<number>();
      },
      family: () => undefined,
    },
  });
  // What callbacks return goes to the main output, also where `process` returns nothing.
  const byTimer = scores.parDo({
    timers: { plain: processingTimer() },
    process: (_pair, { timers }) => timers.plain.setAfter(1),
    onTimer: { plain: ({ key }) => [key] },
  });
  expectTypeOf(byTimer).toExtend<PCollection<string>>();
  scores.parDo({
    timers: { plain: processingTimer(), other: eventTimer() },
    process: () => [],
    // @ts-expect-error nobody is called when `other` fires
    onTimer: { plain: () => [] },
  });
  scores.parDo({
    timers: { plain: processingTimer() },
    process: () => [1],
    // @ts-expect-error the step's elements are numbers
    onTimer: { plain: () => ["a"] },
  });
  scores.parDo({
    timers: { plain: processingTimer() },
    process: () => [],
    // @ts-expect-error there is no such timer
    onTimer: { other: () => [] },
  });
}

export function atExpiration(): void {
  const expired = scores.parDo({
    process() {},
    onWindowExpiration({ key, window }) {
      expectTypeOf(key).toEqualTypeOf<string>();
      return [`${key} ${window.id}`];
    },
  });
  expectTypeOf(expired).toExtend<PCollection<string>>();
  expectTypeOf(expired.late).toEqualTypeOf<PCollection<Late<KV<string, number>>>>();
  class Last implements DoFn<KV<string, number>, string> {
    process(): void {}
    onWindowExpiration({ key }: { readonly key: string }): readonly string[] {
      return [key];
    }
  }
  expectTypeOf(scores.parDo("Last", new Last()).late).toEqualTypeOf<PCollection<Late<KV<string, number>>>>();
  // @ts-expect-error windows expire for each key
  words.parDo({ process() {}, onWindowExpiration: () => ["over"] });
  // @ts-expect-error a DoFn that is called for elements alone drops nothing
  scores.parDo({ process() {} }).late;
  // A DoFn behind its bare interface may have any of its members, and so is taken anywhere.
  words.parDo({} as DoFn<string, string>);
}

export function inDoFns(): void {
  scores.parDo({
    state: { bag: bagState<string>(), map: mapState<string, number>(), mean: combiningState(meanFn()) },
    process([, n], { key, state }) {
      state.bag.add(key);
      state.map.put(key, n);
      state.mean.add(n);
      // @ts-expect-error the bag has strings
      state.bag.add(n);
      // @ts-expect-error a cell is not replaced
      state.bag = bagState<string>();
      return [state.mean.read()];
    },
    onWindowExpiration({ state }) {
      expectTypeOf(state.bag.read()).toEqualTypeOf<readonly string[]>();
      return [state.map.get("a") ?? 0];
    },
  });
}

export function views(): void {
  const one = words.asSingleton();
  const iterable = words.asIterable();
  const list = words.asList();
  const map = scores.asMap();
  const multimap = scores.asMultimap();
  expectTypeOf(one).toEqualTypeOf<PCollectionView<string>>();
  expectTypeOf(words.asSingleton({ default: 0 })).toEqualTypeOf<PCollectionView<string | number>>();
  expectTypeOf(iterable).toEqualTypeOf<PCollectionView<Iterable<string>>>();
  expectTypeOf(list).toEqualTypeOf<PCollectionView<readonly string[]>>();
  expectTypeOf(map).toEqualTypeOf<PCollectionView<ReadonlyMap<string, number>>>();
  expectTypeOf(multimap).toEqualTypeOf<PCollectionView<ReadonlyMap<string, readonly number[]>>>();
  words.map(
    (word, { sideInputs }) => {
      expectTypeOf(sideInputs.one).toEqualTypeOf<string>();
      expectTypeOf(sideInputs.iterable).toEqualTypeOf<Iterable<string>>();
      expectTypeOf(sideInputs.list).toEqualTypeOf<readonly string[]>();
      expectTypeOf(sideInputs.map.get(word)).toEqualTypeOf<number | undefined>();
      expectTypeOf(sideInputs.multimap.get(word)).toEqualTypeOf<readonly number[] | undefined>();
      // @ts-expect-error a view is not changed
      sideInputs.list.push(word);
      // @ts-expect-error a view is not changed
      sideInputs.map.set(word, 1);
      // @ts-expect-error a view is not changed
      sideInputs.multimap.get(word)?.push(1);
      // @ts-expect-error a view is not replaced
      sideInputs.one = word;
      // @ts-expect-error an iterable has no length
      sideInputs.iterable.length;
      // @ts-expect-error keys are strings
      sideInputs.multimap.get(1);
      // @ts-expect-error a singleton is its value
      sideInputs.one.get();
      return word;
    },
    { sideInputs: { one, iterable, list, map, multimap } },
  );
  // @ts-expect-error words are no pairs
  words.asMap();
  // @ts-expect-error words are no pairs
  words.asMultimap();
  // @ts-expect-error only a singleton has a default
  words.asList({ default: [] });
  // @ts-expect-error a collection is no view
  words.filter((word, { sideInputs }) => sideInputs.words === word, { sideInputs: { words } });
  // @ts-expect-error a collection is no view
  words.parDo({ sideInputs: { words }, process: (word) => [word] });
}

export function outputs(): void {
  expectTypeOf(output<number>()).toEqualTypeOf<OutputTag<number>>();
  expectTypeOf(output({ coder: stringCoder })).toEqualTypeOf<OutputTag<string>>();
  // @ts-expect-error a coder of strings cannot write numbers
  output<number>({ coder: stringCoder });
  const split = words.parDo({
    outputs: { main: output<string>(), long: output<KV<string, number>>(), empty: output<null>() },
    process(word, { output: emit, outputTo }) {
      emit(word);
      emit(word, 5);
      outputTo("main", word);
      outputTo("long", [word, word.length]);
      outputTo("long", [word, word.length], 5);
      outputTo("empty", null);
      // @ts-expect-error the main output has strings
      emit(1);
      // @ts-expect-error a timestamp is a number
      emit(word, new Date());
      // @ts-expect-error the output has pairs
      outputTo("long", word);
      // @ts-expect-error its values are numbers
      outputTo("long", [word, word]);
      // @ts-expect-error the output has nulls
      outputTo("empty", word);
      // @ts-expect-error there is no such output
      outputTo("short", word);
      // @ts-expect-error a timestamp is a number
      outputTo("empty", null, "5");
    },
    finishBundle({ output: emit, outputTo }) {
      // @ts-expect-error in a bundle an output names its timestamp and window
      emit("end");
      // @ts-expect-error in a bundle an output names its timestamp and window
      outputTo("empty", null);
    },
  });
  expectTypeOf(split).toExtend<PCollection<string>>();
  expectTypeOf(split.outputs.long).toEqualTypeOf<PCollection<KV<string, number>>>();
  expectTypeOf(split.outputs.long.groupByKey()).toExtend<PCollection<KV<string, readonly number[]>>>();
  expectTypeOf(split.outputs.empty).toEqualTypeOf<PCollection<null>>();
  // @ts-expect-error there is no such output
  split.outputs.short;
  // @ts-expect-error the main output is the result itself
  split.outputs.main;
  // @ts-expect-error strings are no pairs
  split.groupByKey();
}
