/** Side inputs of a running stream: slowly changing, windowed, several, empty, and made from the main input's own source. */
import {
  afterCount,
  combineGlobally,
  countPerElement,
  customWindows,
  eventTime,
  fixedWindows,
  globalWindows,
  IntervalWindow,
  isTidemarkError,
  type JobHandle,
  type KV,
  type PCollection,
  type PCollectionView,
  type Pipeline,
  repeatedly,
  run,
  type TimestampedValue,
  type WindowFn,
} from "tidemark";
import { testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { collector, endless, Feed, feeds, program, settled, turns, until } from "./kit.ts";

const byTime = { timestamps: eventTime(([at]: KV<number, string>) => at) };
const eachChange = { trigger: repeatedly(afterCount(1)) };

const at = <T>(time: number, value: T): TimestampedValue<T> => ({ value, timestamp: time });

/** A stream of `[event time, text]`. */
function stream(p: Pipeline, name: string, feed: Feed<KV<number, string>>): PCollection<KV<number, string>> {
  return p.read(name, feeds([feed]), byTime);
}

/** Starts a job with a main and a side stream. */
function start(
  build: (main: PCollection<KV<number, string>>, side: PCollection<KV<number, string>>) => PCollection<string>,
): { job: JobHandle; main: Feed<KV<number, string>>; side: Feed<KV<number, string>>; seen: string[] } {
  const [main, side] = [new Feed<KV<number, string>>(), new Feed<KV<number, string>>()];
  const seen: string[] = [];
  const job = run(
    program("side inputs", (p) => {
      build(stream(p, "Main", main), stream(p, "Side", side)).write(collector(seen));
    }),
  );
  return { job, main, side, seen };
}

describe("a slowly changing view", () => {
  test("elements wait for its first value, and then see the newest", async () => {
    const { job, main, side, seen } = start((m, s) => {
      const rate = s.windowInto(globalWindows(), eachChange).values().asSingleton();
      return m.map(([, text], { sideInputs }) => `${text}${sideInputs.rate}`, { sideInputs: { rate } });
    });
    main.give([1, "a"]);
    main.give([2, "b"]);
    await turns(20);
    expect(seen).toEqual([]);
    side.give([1, "1"]);
    await until(() => seen.length === 2);
    side.give([2, "2"]);
    await until(() => job.metrics().elementsRead === 4);
    await turns(5);
    main.give([3, "c"]);
    await until(() => seen.length === 3);
    expect(seen).toEqual(["a1", "b1", "c2"]);
    await job.cancel();
  });

  test("accumulating, it is a growing list", async () => {
    const { job, main, side, seen } = start((m, s) => {
      const all = s
        .windowInto(globalWindows(), { ...eachChange, accumulation: "accumulating" })
        .values()
        .asList();
      return m.map(([, text], { sideInputs }) => `${text}:${sideInputs.all.join("")}`, { sideInputs: { all } });
    });
    for (const letter of ["x", "y", "z"]) {
      side.give([1, letter]);
      const before = job.metrics().elementsRead;
      await until(() => job.metrics().elementsRead > before);
      await turns(5);
      main.give([1, "m"]);
      const { length } = seen;
      await until(() => seen.length > length);
    }
    expect(seen).toEqual(["m:x", "m:xy", "m:xyz"]);
    await job.cancel();
  });

  test("drained before it had any value: what waits sees the default, and nothing is left", async () => {
    const { job, main, seen } = start((m, s) => {
      const rate = s.windowInto(globalWindows(), eachChange).values().asSingleton({ default: "none" });
      return m.map(([, text], { sideInputs }) => `${text} ${sideInputs.rate}`, { sideInputs: { rate } });
    });
    main.give([1, "a"]);
    await until(() => job.metrics().elementsRead === 1);
    await job.drain();
    expect(seen).toEqual(["a none"]);
  });

  test("cancelled while elements wait for it, a job ends", async () => {
    const { job, main, seen } = start((m, s) => {
      const rate = s.windowInto(globalWindows(), eachChange).values().asSingleton();
      return m.map(([, text], { sideInputs }) => `${text}${sideInputs.rate}`, { sideInputs: { rate } });
    });
    main.give([1, "a"]);
    await until(() => job.metrics().elementsRead === 1);
    await job.cancel();
    expect([job.state, seen]).toEqual(["cancelled", []]);
  });
});

describe("a windowed view", () => {
  const windowed = () =>
    start((m, s) => {
      const names = s.windowInto("SideWindows", fixedWindows(100)).values().asList();
      return m
        .windowInto("MainWindows", fixedWindows(10))
        .map(([at, text], { sideInputs }) => `${at}${text}:${[...sideInputs.names].sort().join("")}`, {
          sideInputs: { names },
        });
    });

  test("each element sees the view of its own time, when that is complete and not before", async () => {
    const { job, main, side, seen } = windowed();
    main.give([5, "a"]);
    main.give([150, "b"]);
    side.give([1, "x"]);
    side.give([99, "y"]);
    side.give([100, "z"]);
    await until(() => seen.length === 1);
    expect(seen).toEqual(["5a:xy"]);
    side.give([200, "w"]);
    await until(() => seen.length === 2);
    expect(seen[1]).toBe("150b:z");
    await job.cancel();
  });

  test("a window in which nothing came is ready, and empty, once its end is past", async () => {
    const { job, main, side, seen } = windowed();
    main.give([5, "a"]);
    side.give([99, "x"]);
    side.give([450, "y"]);
    await until(() => seen.length === 1);
    main.give([250, "b"]);
    await until(() => seen.length === 2);
    expect(seen).toEqual(["5a:x", "250b:"]);
    await job.cancel();
  });

  test("elements that wait hold the watermark: what is grouped after them is not late", async () => {
    const seen: string[] = [];
    const [main, side] = [new Feed<KV<number, string>>(), new Feed<KV<number, string>>()];
    const job = run(
      program("grouped", (p) => {
        const names = stream(p, "Side", side).windowInto("SideWindows", fixedWindows(100)).values().asList();
        stream(p, "Main", main)
          .windowInto("MainWindows", fixedWindows(10))
          .map(([, text], { sideInputs }) => `${text}${sideInputs.names.length}`, { sideInputs: { names } })
          .apply(countPerElement())
          .map(([text, n]) => `${text}=${n}`)
          .write(collector(seen));
      }),
    );
    main.give([5, "a"]);
    main.give([6, "a"]);
    main.give([5000, "b"]);
    await turns(50);
    expect(seen).toEqual([]);
    side.give([1, "x"]);
    side.give([5000, "y"]);
    await until(() => seen.length === 1);
    await job.drain();
    expect(seen).toEqual(["a1=2", "b1=1"]);
    expect(job.metrics().dropped).toBe(0);
  });

  test("an element that is late within the allowed lateness of its own windowing still sees its view", async () => {
    const { job, main, side, seen } = start((m, s) => {
      const names = s.windowInto("SideWindows", fixedWindows(100)).values().asSingleton();
      return m
        .windowInto("MainWindows", fixedWindows(100), { allowedLateness: 1000 })
        .map(([, text], { sideInputs }) => `${text}${sideInputs.names}`, { sideInputs: { names } });
    });
    for (const at of [10, 410, 500]) side.give([at, `${at}`]);
    main.give([5, "a"]);
    main.give([400, "b"]);
    await until(() => seen.length === 2);
    await turns(5);
    main.give([6, "c"]);
    await until(() => seen.length === 3 || job.state === "failed");
    expect(seen).toEqual(["a10", "b410", "c10"]);
    await job.cancel();
  });
});

describe("two views", () => {
  test("an element waits for both, whichever comes last, and sees both", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const sides = [new Feed<KV<number, string>>(), new Feed<KV<number, string>>()];
      const main = new Feed<KV<number, string>>();
      const seen: string[] = [];
      const job = run(
        program("two", (p) => {
          const [one, two] = sides.map((side, i) =>
            stream(p, `Side${i}`, side)
              .windowInto(`Windows${i}`, globalWindows(), eachChange)
              .values()
              .asSingleton(`View${i}`),
          ) as [PCollectionView<string>, PCollectionView<string>];
          stream(p, "Main", main)
            .map("Both", ([, text], { sideInputs }) => `${text}${sideInputs.one}${sideInputs.two}`, {
              sideInputs: { one, two },
            })
            .write(collector(seen));
        }),
      );
      main.give([1, "m"]);
      sides[order[0] as number]?.give([1, `${order[0]}`]);
      await turns(30);
      expect(seen).toEqual([]);
      sides[order[1] as number]?.give([1, `${order[1]}`]);
      await until(() => seen.length === 1);
      expect(seen).toEqual(["m01"]);
      await job.cancel();
    }
  });
});

describe("a view of the main input's own source", () => {
  test("is complete with its window, however much waits until then: no deadlock", async () => {
    const source = endless({ until: 120_000 });
    const seen: number[] = [];
    const job = run(
      program("own", (p) => {
        const numbers = p.read(source).windowInto(fixedWindows(50_000));
        const all = numbers.asList();
        numbers.map((_, { sideInputs }) => sideInputs.all.length, { sideInputs: { all } }).write(collector(seen));
      }),
    );
    await job.wait();
    const counts = new Map<number, number>();
    for (const n of seen) counts.set(n, (counts.get(n) ?? 0) + 1);
    expect([...counts]).toEqual([
      [50_000, 100_000],
      [20_000, 20_000],
    ]);
  });

  test("calls behind it still stop the source", async () => {
    const source = endless();
    const job = run(
      program("own calls", (p) => {
        const numbers = p.read(source).windowInto(globalWindows(), eachChange);
        const newest = numbers.asList();
        numbers.map(() => new Promise<number>(() => {}), { async: true, sideInputs: { newest } });
      }),
    );
    await until(() => source.handedOut > 0);
    expect(await settled(() => source.handedOut)).toBeLessThanOrEqual(2 * 16_384);
    await job.cancel();
  });
});

test("a singleton without a default in an empty window fails the job with the step and the window", async () => {
  const { job, main, side } = start((m, s) => {
    const name = s.windowInto("SideWindows", fixedWindows(100)).values().asSingleton();
    return m
      .windowInto("MainWindows", fixedWindows(100))
      .map("Look", ([, text], { sideInputs }) => text + sideInputs.name, { sideInputs: { name } });
  });
  main.give([5, "a"]);
  side.give([500, "x"]);
  const error: unknown = await job.wait().catch((reason: unknown) => reason);
  if (!isTidemarkError(error, "SINGLETON_EMPTY")) throw error;
  expect(error.context.step).toBe("Look");
});

describe("a view of windows that have expired", () => {
  const tens = fixedWindows(10);
  test("an element that comes after them is dropped with a warning, and not shown an empty view", async () => {
    const seen: string[] = [];
    const warnings: string[] = [];
    const job = run(
      program("late", (p) => {
        const events = p.apply(
          testStream<string>()
            .addElements(at(1, "a"), at(11, "b"))
            .advanceWatermarkTo(15)
            .addElements(at(2, "late"), at(12, "c"))
            .advanceWatermarkToInfinity(),
        );
        const windowed = events.windowInto(tens);
        const others = windowed.filter("Others", (text) => text !== "late").asList();
        windowed
          .map("Look", (text, { sideInputs }) => `${text} of ${sideInputs.others.join("")}`, { sideInputs: { others } })
          .write(collector(seen));
      }),
      {},
      { onWarning: (message) => warnings.push(message) },
    );
    await job.wait();
    expect(seen.sort()).toEqual(["a of a", "b of bc", "c of bc"]);
    expect(warnings).toEqual([
      expect.stringMatching(/^1 elements of step "Look" came after the windows of its side inputs had expired/),
    ]);
  });

  test("those of an earlier window are kept for as long as maximumLookback says, and no less is asked for", async () => {
    const before = (maximumLookback?: number) =>
      customWindows({
        name: "tens, and the ten before",
        assign: (time) => tens.assign(time, undefined, []),
        sideInputWindow: (window) => tens.assign(window.maxTimestamp - 10, undefined, [])[0] as IntervalWindow,
        toData: ({ start, end }) => [start, end],
        fromData: (data) => new IntervalWindow(...(data as [number, number])),
        ...(maximumLookback !== undefined && { maximumLookback }),
      });
    const look = (seen: string[], windowFn: WindowFn) =>
      run(
        program("lookback", (p) => {
          const events = p.apply(
            testStream<string>()
              .addElements(at(1, "a"))
              .advanceWatermarkTo(18)
              .addElements(at(19, "b"))
              .advanceWatermarkTo(28)
              .addElements(at(29, "c"))
              .advanceWatermarkToInfinity(),
          );
          const earlier = events.windowInto("Earlier", windowFn).asList();
          events
            .windowInto(tens)
            .map("Look", (text, { sideInputs }) => `${text} of ${sideInputs.earlier.join("")}`, {
              sideInputs: { earlier },
            })
            .write(collector(seen));
        }),
      );
    const seen: string[] = [];
    await look(seen, before(10)).wait();
    expect(seen).toEqual(["a of ", "b of a", "c of b"]);
    await expect(look([], before()).wait()).rejects.toMatchObject({
      code: "SIDE_INPUT_WINDOW_UNKNOWN",
      message: expect.stringContaining("maximumLookback of 10 ms or more") as string,
    });
  });
});

test("a discarding view keeps what it showed last when its window ends without more", async () => {
  const seen: string[] = [];
  const job = run(
    program("the end", (p) => {
      const rates = p
        .apply("Rates", testStream<number>().addElements(at(1, 7)).advanceWatermarkToInfinity())
        .windowInto(globalWindows(), { ...eachChange, accumulation: "discarding" });
      const rate = rates.asSingleton();
      // The input is over when the step looks: by then the view has had its last pane.
      const texts = testStream<string>().addElements(at(1, "a")).advanceWatermarkToInfinity();
      const grouped = p
        .apply("Texts", texts)
        .windowInto(fixedWindows(10))
        .apply(combineGlobally((all) => [...all].join(""), { withDefault: false }));
      grouped
        .map("Look", (text, { sideInputs }) => `${text}${sideInputs.rate}`, { sideInputs: { rate } })
        .write(collector(seen));
    }),
  );
  await job.wait();
  expect(seen).toEqual(["a7"]);
});
