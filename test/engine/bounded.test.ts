/** Bounded memory: a full stage stops the sources above it, and nothing else; what waits has a bound, whatever lies between. */
import {
  afterCount,
  eventTimer,
  fixedWindows,
  flatten,
  globalWindows,
  type KV,
  output,
  type PCollection,
  processingTimer,
  repeatedly,
  run,
  type Timer,
  type TimerSpec,
} from "tidemark";
import { describe, expect, test } from "vitest";
import { endless, Feed, feeds, Gate, program, settled, turns, until } from "./kit.ts";

/** The most that one poll hands out at once, and what may wait before a stage counts as full. */
const POLL = 16_384;
const WAITING = 10_000;
/** How many timers fire before the engine asks again whether there is room. */
const TIMERS = 1_000;

/**
 * Runs `build` against a sink that stands still, then takes ten steps, then stands still again.
 * @returns how many elements the source was ahead of the sink, at most, in elements of the source
 */
async function mostAhead(
  build: (numbers: PCollection<number>) => PCollection<unknown>,
  written: (seen: readonly unknown[]) => number,
): Promise<number> {
  const source = endless();
  const sink = new Gate<unknown>({ held: true });
  const job = run(program("bounded", (p) => build(p.read(source)).write(sink)));
  let most = 0;
  for (let step = 0; step < 10; step++) {
    await until(() => sink.waiting);
    const handedOut = source.handedOut;
    await turns(100);
    expect(source.handedOut).toBe(handedOut);
    most = Math.max(most, handedOut - written(sink.seen));
    // What was under way between the two comes first.
    while (source.handedOut === handedOut) {
      sink.step();
      await turns(1);
    }
  }
  await job.cancel();
  expect(job.state).toBe("cancelled");
  return most;
}

describe("while a sink is full its source is not polled, and goes on when the sink does", () => {
  test("next to each other", async () => {
    const most = await mostAhead(
      (numbers) => numbers,
      (seen) => seen.length,
    );
    expect(most).toBeLessThanOrEqual(POLL);
  });

  test("through a fan-out in one step: the polls become smaller as each costs more", async () => {
    const most = await mostAhead(
      (numbers) => numbers.flatMap((n) => Array.from({ length: 100 }, () => n)),
      (seen) => seen.length / 100,
    );
    expect(most).toBeLessThanOrEqual(POLL);
  });

  test("through GroupByKey: beside what is in open windows", async () => {
    const most = await mostAhead(
      (numbers) =>
        numbers
          .windowInto(fixedWindows(100))
          .map((n): KV<number, number> => [n % 10, n])
          .groupByKey(),
      (seen) => (seen as KV<number, readonly number[]>[]).reduce((sum, [, values]) => sum + values.length, 0),
    );
    expect(most).toBeLessThanOrEqual(POLL + 100);
  });

  test("through GroupByKey with a trigger", async () => {
    const most = await mostAhead(
      (numbers) =>
        numbers
          .windowInto(globalWindows(), { trigger: repeatedly(afterCount(10)) })
          .map((n): KV<number, number> => [n % 10, n])
          .groupByKey(),
      (seen) => (seen as KV<number, readonly number[]>[]).reduce((sum, [, values]) => sum + values.length, 0),
    );
    expect(most).toBeLessThanOrEqual(POLL + 100);
  });

  test("through async calls", async () => {
    const most = await mostAhead(
      (numbers) =>
        numbers.map(async (n) => {
          await turns(1);
          return n;
        }),
      (seen) => seen.length,
    );
    expect(most).toBeLessThanOrEqual(2 * POLL);
  });
});

/** Timers that fire for ever, each a step after the one before. @returns the job, and how many have fired */
function ticking(timer: TimerSpec<Timer>, afterMs: number, sink: Gate<number>) {
  const source = new Feed<KV<string, number>>();
  source.give(["a", 0], 0);
  source.advanceTo(1e12);
  const fired = { count: 0 };
  const job = run(
    program("ticking", (p) =>
      p
        .read(feeds([source]))
        .parDo("Tick", {
          timers: { tick: timer },
          outputs: { main: output<number>() },
          process(_, { timers }) {
            timers.tick.setAfter(0);
          },
          onTimer: {
            tick({ output, timers }) {
              output(fired.count++);
              timers.tick.setAfter(afterMs);
            },
          },
        })
        .write(sink),
    ),
  );
  return { job, fired };
}

describe("while a sink is full, timers that are due wait for it, and explain says so", () => {
  test.each([
    ["in event time", eventTimer(), 1],
    ["in processing time", processingTimer(), 0],
  ] as const)("%s", async (_name, timer, afterMs) => {
    const sink = new Gate<number>({ held: true });
    const { job, fired } = ticking(timer, afterMs, sink);
    for (let step = 0; step < 5; step++) {
      await until(() => sink.waiting);
      const before = await settled(() => fired.count);
      expect(before - sink.seen.length).toBeLessThanOrEqual(TIMERS);
      while (fired.count === before) {
        sink.step();
        await turns(1);
      }
    }
    await until(() => sink.waiting);
    expect(job.explain({ step: "Tick" }).waiting.map(({ cause }) => cause.kind)).toContain("full");
    expect(sink.seen.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    await job.cancel();
  });

  test("the panes of a window go to the sink one by one, all of them", async () => {
    const keys = 5_000;
    const sink = new Gate<KV<number, readonly number[]>>({ held: true });
    const job = run(
      program("panes", (p) =>
        p
          .read(endless({ until: keys }))
          .map((n): KV<number, number> => [n, n])
          .windowInto(fixedWindows(keys))
          .groupByKey()
          .write(sink),
      ),
    );
    await until(() => sink.waiting);
    await turns(100);
    expect(sink.seen.length).toBe(1);
    sink.release();
    await job.wait();
    expect(sink.seen).toEqual(Array.from({ length: keys }, (_, n) => [n, [n]]));
  });
});

test("two branches: the slower sink sets the pace of both", async () => {
  const source = endless();
  const [fast, slow] = [new Gate<number>(), new Gate<number>({ held: true })];
  const job = run(
    program("branches", (p) => {
      const numbers = p.read(source);
      numbers.write("Fast", fast);
      numbers.write("Slow", slow);
    }),
  );
  await until(() => slow.waiting);
  const handedOut = source.handedOut;
  await until(() => fast.seen.length === handedOut);
  await turns(100);
  expect(source.handedOut).toBe(handedOut);
  expect(fast.seen.length).toBe(handedOut);
  expect(slow.seen.length).toBe(1);
  slow.release();
  await until(() => source.handedOut > handedOut);
  await job.cancel();
});

test("a source that has nothing to do with the full sink is not stopped", async () => {
  const [stopped, free] = [endless(), endless()];
  const sink = new Gate<number>({ held: true });
  const job = run(
    program("apart", (p) => {
      p.read("Stopped", stopped).write(sink);
      p.read("Free", free).map((n) => n);
    }),
  );
  await until(() => sink.waiting);
  const [a, b] = [stopped.handedOut, free.handedOut];
  await until(() => free.handedOut > b + 100_000);
  expect(stopped.handedOut).toBe(a);
  await job.cancel();
});

test("Flatten of a fast and a stalled source: the fast one goes through, and stops with the sink", async () => {
  const fast = endless();
  const stalled = new Feed<number>();
  const sink = new Gate<number>({ held: true });
  const job = run(
    program("flatten", (p) => {
      flatten([p.read("Fast", fast), p.read("Stalled", feeds([stalled]))]).write(sink);
    }),
  );
  for (let step = 0; step < 5; step++) {
    await until(() => sink.waiting);
    const handedOut = fast.handedOut;
    await turns(100);
    expect(fast.handedOut).toBe(handedOut);
    expect(handedOut - sink.seen.length).toBeLessThanOrEqual(POLL);
    while (fast.handedOut === handedOut) {
      sink.step();
      await turns(1);
    }
  }
  // What the stalled one brings at last is written too.
  stalled.give(-1);
  const before = sink.seen.length;
  while (!sink.seen.includes(-1, before)) {
    sink.step();
    await turns(1);
  }
  expect(sink.seen.length - before).toBeLessThanOrEqual(3 * POLL);
  await job.cancel();
});

test("a side input that is not ready: a bounded number waits for it, and all go on when it is", async () => {
  const source = endless({ until: 100_000 });
  const settings = new Feed<number>();
  const seen = new Gate<number>();
  const job = run(
    program("side", (p) => {
      const factor = p.read("Settings", feeds([settings])).windowInto(globalWindows(), {
        trigger: repeatedly(afterCount(1)),
      });
      p.read("Numbers", source)
        .map((n, { sideInputs }) => n * sideInputs.factor, { sideInputs: { factor: factor.asSingleton() } })
        .write(seen);
    }),
  );
  await until(() => source.handedOut > 0);
  expect(await settled(() => source.handedOut)).toBeLessThanOrEqual(WAITING + POLL);
  expect(seen.seen).toEqual([]);
  settings.give(2);
  await until(() => seen.seen.length === 100_000);
  expect(new Set(seen.seen).size).toBe(100_000);
  expect(seen.seen.every((n) => n % 2 === 0)).toBe(true);
  await job.cancel();
});

test("views crosswise, each source waiting for the other's view: both go on", async () => {
  const count = 60_000;
  const [left, right] = [endless({ until: count }), endless({ until: count })];
  const seen: Gate<string>[] = [new Gate(), new Gate()];
  const job = run(
    program("crosswise", (p) => {
      const a = p.read("Left", left).windowInto("LeftWindows", fixedWindows(40_000));
      const b = p.read("Right", right).windowInto("RightWindows", fixedWindows(40_000));
      const [ofA, ofB] = [a.asList("OfLeft"), b.asList("OfRight")];
      a.map("L", (n, { sideInputs }) => `${n}:${sideInputs.view.length}`, { sideInputs: { view: ofB } }).write(
        "WriteL",
        seen[0] as Gate<string>,
      );
      b.map("R", (n, { sideInputs }) => `${n}:${sideInputs.view.length}`, { sideInputs: { view: ofA } }).write(
        "WriteR",
        seen[1] as Gate<string>,
      );
    }),
  );
  await job.wait();
  for (const { seen: lines } of seen) {
    expect(lines.length).toBe(count);
    expect(lines[0]).toBe("0:40000");
    expect(lines[count - 1]).toBe(`${count - 1}:20000`);
  }
});
