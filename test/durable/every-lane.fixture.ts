/**
 * A program that keeps something of every kind, and what it puts out. test/fixtures/checkpoints has a folder from the middle of it
 * for each format that checkpoints have had; later versions have to go on from all of them. That of the present one is written by
 *
 *   node --conditions=tidemark-source test/durable/every-lane.fixture.ts FOLDER
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  afterCount,
  afterWatermark,
  bagState,
  combinePerKey,
  combiningState,
  eventTime,
  eventTimer,
  fixedWindows,
  flatten,
  globalWindows,
  groupByKey,
  type KV,
  mapState,
  orderedListState,
  output,
  type PCollection,
  type Pipeline,
  pipeline,
  type Program,
  run,
  sessions,
  setState,
  slidingWindows,
  sumFn,
  text,
  valueState,
  varintCoder,
  withKeys,
} from "tidemark";
import { copyFolder } from "../../src/platform/checkpoint-folder.ts";
import { begun, pacedNumbers, type Progress } from "./paced-numbers.ts";

const TOTAL = 300;
const KEYS = 3;
/** All before it come at time 0: nothing fires before the job is stopped, and its output is still to come. */
const LATER = 180;
const timeOf = (n: number): number => (n < LATER ? 0 : n);

/** Of each kind of state, with timers, in a window that lasts to the end. */
function cells(keyed: PCollection<KV<number, number>>): PCollection<string> {
  return keyed.parDo("Cells", {
    state: {
      value: valueState<number>({ coder: varintCoder }),
      bag: bagState<number>({ ttl: 1e12 }),
      map: mapState<string, number>(),
      set: setState<string>(),
      list: orderedListState<number>(),
      sum: combiningState(sumFn()),
    },
    timers: { end: eventTimer() },
    outputs: { main: output<string>() },
    process([, n], { state, timers }) {
      state.value.write(n);
      state.bag.add(n);
      state.map.put(`k${n % 5}`, n);
      state.set.add(`s${n % 2}`);
      state.list.add(n, n);
      state.sum.add(n);
      timers.end.set(TOTAL - 1);
    },
    onTimer: {
      end({ key, state, output: put }) {
        const { value, bag, map, set, list, sum } = state;
        put(`cells ${key}: ${value.read()} ${bag.read().length} ${[...map.entries()].join()}`);
        put(`cells ${key}: ${[...set.read()].toSorted().join()} ${list.size} ${sum.read()}`);
      },
    },
  });
}

export function everyLane(progress: Progress, path: string): Program {
  return pipeline({
    name: "every lane",
    build(p: Pipeline) {
      const numbers = p.read("Numbers", pacedNumbers(TOTAL, progress, 10), { timestamps: eventTime(timeOf) });
      const keyed = numbers.apply(
        "ByKey",
        withKeys((n: number) => n % KEYS),
      );
      const whole = keyed.windowInto("Whole", fixedWindows(TOTAL));
      const size = whole
        .map("Sizes", ([, n]) => n)
        .windowInto("All", fixedWindows(TOTAL))
        .asList("List");
      const branches: readonly PCollection<string>[] = [
        cells(whole),
        whole.apply("Lists", groupByKey()).map("List text", ([key, list]) => `list ${key}: ${list.length}`),
        keyed
          .windowInto("Overlapping", slidingWindows({ size: 200, every: 50 }))
          .apply("Sliding", combinePerKey(sumFn()))
          .map("Sliding text", ([key, sum], { window }) => `sliding ${key} ${window.maxTimestamp}: ${sum}`),
        keyed
          .windowInto("Early", fixedWindows(TOTAL), {
            trigger: afterWatermark({ early: afterCount(60) }),
            accumulation: "accumulating",
          })
          .apply("Panes", combinePerKey(sumFn()))
          .map("Pane text", ([key, sum], { pane }) => `pane ${key} ${pane.index} ${pane.timing}: ${sum}`),
        keyed
          .windowInto("Gaps", sessions(50))
          .apply("Session", combinePerKey(sumFn()))
          .map("Session text", ([key, sum]) => `session ${key}: ${sum}`),
        p
          .createTimestamped("One", [{ value: "all", timestamp: 0 }])
          .windowInto("Waits", fixedWindows(TOTAL))
          .map("With list", (name, { sideInputs }) => `${name}: ${sideInputs.list.length}`, {
            sideInputs: { list: size },
          }),
      ];
      // Of one windowing at last: none of what they say depends on it.
      const told = branches.map((branch, i) => branch.windowInto(`Told ${i}`, globalWindows()));
      flatten("Told", told).apply(text.write(path));
    },
  }) as Program;
}

/** What it puts out, worked out from the numbers alone, in any order. */
export function everyLaneTruth(): readonly string[] {
  const all = Array.from({ length: TOTAL }, (_, n) => n);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const lines = [`all: ${TOTAL}`];
  for (let key = 0; key < KEYS; key++) {
    const own = all.filter((n) => n % KEYS === key);
    const map = new Map(own.map((n) => [`k${n % 5}`, n]));
    lines.push(
      `cells ${key}: ${own.at(-1)} ${own.length} ${[...map].join()}`,
      `cells ${key}: s0,s1 ${own.length} ${sum(own)}`,
      `list ${key}: ${own.length}`,
      `session ${key}: ${sum(own.filter((n) => n < LATER))}`,
      `session ${key}: ${sum(own.filter((n) => n >= LATER))}`,
      `pane ${key} 0 EARLY: ${sum(own.slice(0, 60))}`,
      `pane ${key} 1 ON_TIME: ${sum(own)}`,
    );
    for (let end = 50; end < TOTAL + 200; end += 50)
      lines.push(`sliding ${key} ${end - 1}: ${sum(own.filter((n) => timeOf(n) >= end - 200 && timeOf(n) < end))}`);
  }
  return lines.toSorted();
}

/** Runs the first half of it, with half of what it keeps as rows. @param folder gets its checkpoints */
async function writeHalf(folder: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "tidemark-format-"));
  const progress = begun();
  const dir = join(work, "state");
  const until = async (read: number): Promise<void> => {
    while (progress.read < read) await new Promise((resolve) => setImmediate(resolve));
  };
  for (const [stateMemory, read] of [
    [0, TOTAL / 4],
    [2 ** 29, TOTAL / 2],
  ] as const) {
    const job = run(everyLane(progress, join(work, "out.txt")), {}, { checkpoint: { dir, everyMs: 1, stateMemory } });
    await until(read);
    await job.stop();
  }
  copyFolder(dir, folder);
  rmSync(work, { recursive: true });
}

if (process.argv[1] === import.meta.filename) await writeHalf(process.argv[2] as string);
