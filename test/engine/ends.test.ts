/** The ends of a job: whatever happens, everything that was opened is closed once, one coded error comes out, nothing half-done is visible. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  afterProcessingTime,
  type ErrorCode,
  eventTimer,
  globalWindows,
  isTidemarkError,
  type JobHandle,
  type KV,
  output,
  type PCollection,
  processingTimer,
  repeatedly,
  run,
  type Sink,
  type Source,
  text,
  type TidemarkError,
  valueState,
} from "tidemark";
import { afterAll, describe, expect, test } from "vitest";
import { collector, Feed, feeds, program, until } from "./kit.ts";

const folder = mkdtempSync(join(tmpdir(), "tidemark-ends-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The error that a job ends with; its code is as expected. */
async function failure(job: JobHandle, code: ErrorCode): Promise<TidemarkError> {
  const error: unknown = await job.wait().catch((reason: unknown) => reason);
  if (!isTidemarkError(error, code)) throw error;
  return error;
}

/** A sink of which every method can be made to fail, and which notes what is called. */
function watched(calls: string[], broken: Partial<Record<string, () => never | Promise<never>>> = {}): Sink<unknown> {
  const call = (name: string): void | Promise<never> => {
    calls.push(name);
    return broken[name]?.();
  };
  return {
    name: "watched",
    open: async () => {
      await call("open");
      return {
        write: () => {
          void call("write");
          return false;
        },
        flush: async () => call("flush"),
        seal: () => [],
        commit: async () => {},
        lastCommitted: async () => 0,
        finish: async () => call("finish"),
        abort: () => call("abort"),
        close: () => call("close"),
      };
    },
  };
}

const boom = (): never => {
  throw new Error("boom");
};

describe("a sink that fails", () => {
  const cases = [
    { method: "open", calls: ["open"] },
    { method: "write", calls: ["open", "write", "abort", "close"] },
    { method: "flush", calls: ["open", "write", "flush", "abort", "close"] },
    { method: "finish", calls: ["open", "write", "flush", "flush", "finish", "abort", "close"] },
  ];
  test.each(cases)(
    "in $method: the step is named, sources and sinks are closed",
    async ({ method, calls: expected }) => {
      const feed = new Feed<number>();
      const calls: string[] = [];
      const file = join(folder, `${method}.txt`);
      const job = run(
        program("failing", (p) => {
          const numbers = p.read("Feed", feeds([feed]));
          numbers.write("Broken", watched(calls, { [method]: boom }));
          numbers.map(String).apply("File", text.write(file));
        }),
      );
      feed.give(1);
      feed.end();
      const error = await failure(job, "JOB_FAILED");
      expect(error.what).toBe('the sink of step "Broken" failed: boom');
      expect([error.domain, error.context.step]).toEqual(["external", "Broken"]);
      expect(error.fix).not.toContain("deadLetter");
      expect(job.state).toBe("failed");
      expect(calls).toEqual(expected);
      expect(feed.closed).toBe(method === "open" ? 0 : 1);
      expect(existsSync(file)).toBe(false);
    },
  );

  test("in close: the job has failed, and the others are closed nevertheless", async () => {
    const calls: string[] = [];
    const feed = new Feed<number>();
    const job = run(
      program("closing", (p) => {
        const numbers = p.read("Feed", feeds([feed]));
        numbers.write("Broken", watched([], { close: boom }));
        numbers.write("Fine", watched(calls));
      }),
    );
    feed.end();
    expect((await failure(job, "JOB_FAILED")).what).toBe('the sink of step "Broken" failed: boom');
    expect(calls.at(-1)).toBe("close");
    expect(feed.closed).toBe(1);
  });
});

describe("a source that fails", () => {
  /** A source of two splits, the second of which is broken in one method. */
  function broken(method: string, closed: string[]): Source<number> {
    const fails = (name: string, split: unknown): boolean => name === method && split === "second";
    return {
      name: "broken",
      bounded: false,
      splits: () => (method === "splits" ? boom() : ["first", "second"]),
      open: (split) => {
        if (fails("open", split)) boom();
        return {
          poll: () => (fails("poll", split) ? boom() : "idle"),
          ready: () => {
            if (fails("ready throws", split)) boom();
            return fails("ready", split) ? Promise.reject(new Error("boom")) : new Promise(() => {});
          },
          position: () => 0,
          close: () => {
            closed.push(split as string);
            if (method === "close" && split === "first") boom();
          },
        };
      },
    };
  }

  test.each(["splits", "open", "poll", "ready", "ready throws"])(
    "in %s: a coded error with the step's name, every open reader closed, sinks aborted",
    async (method) => {
      const closed: string[] = [];
      const calls: string[] = [];
      const other = new Feed<number>();
      const job = run(
        program("failing", (p) => {
          p.read("Other", feeds([other])).map((n) => n);
          p.read("Broken", broken(method, closed)).write(watched(calls));
        }),
      );
      const error = await failure(job, "JOB_FAILED");
      expect(error.message).toContain("boom");
      expect(error.context.step).toBe("Broken");
      expect(closed).toEqual({ splits: [], open: ["first"] }[method] ?? ["first", "second"]);
      expect(other.closed).toBe(1);
      expect(calls).toEqual(["open", "abort", "close"]);
    },
  );

  test("in close, after a cancel: the other readers are closed too", async () => {
    const closed: string[] = [];
    const job = run(program("closing", (p) => void p.read(broken("close", closed)).map((n) => n)));
    await until(() => job.state === "running");
    await job.cancel();
    expect(closed).toEqual(["first", "second"]);
    await failure(job, "JOB_ABORTED");
  });
});

test("setup that fails: teardown and what was open before it are closed, and the source is never opened", async () => {
  const calls: string[] = [];
  const feed = new Feed<number>();
  const job = run(
    program("setup", (p) => {
      p.read(feeds([feed])).parDo<number>("Broken", {
        setup: async () => boom(),
        process: () => {},
        teardown: () => void calls.push("teardown"),
      });
    }),
  );
  expect((await failure(job, "STEP_FAILED")).context.step).toBe("Broken");
  expect(calls).toEqual(["teardown"]);
  expect([feed.polls, feed.closed]).toEqual([0, 0]);
});

describe("cancel", () => {
  const lines = (feed: Feed<string>, file: string) =>
    program("lines", (p) => p.read(feeds([feed])).apply(text.write(file)));

  test("of one sink as it flushes at the end leaves nothing of another", async () => {
    const calls: string[] = [];
    const path = join(folder, "first.txt");
    const full = watched(calls, { flush: () => Promise.reject(new Error("disk is full")) });
    const job = run(
      program("two sinks", (p) => {
        const words = p.create(["a"]);
        words.apply(text.write(path));
        words.filter("None", () => false).write("Full", full);
      }),
    );
    expect((await failure(job, "JOB_FAILED")).message).toContain("disk is full");
    expect(calls).toEqual(["open", "flush", "abort", "close"]);
    expect(existsSync(path)).toBe(false);
  });

  test("in the middle of writing leaves no file, and nothing beside it", async () => {
    const feed = new Feed<string>();
    const file = join(folder, "cancelled", "out.txt");
    const before = readdirSync(folder);
    const job = run(lines(feed, file));
    for (let i = 0; i < 1000; i++) feed.give("x".repeat(1000));
    await until(() => job.metrics().elementsRead === 1000);
    await job.cancel();
    expect(existsSync(file)).toBe(false);
    const left = existsSync(join(folder, "cancelled")) ? readdirSync(join(folder, "cancelled")) : [];
    expect(left).toEqual([]);
    expect(readdirSync(folder).filter((name) => name !== "cancelled")).toEqual(before);
    expect(feed.closed).toBe(1);
    await failure(job, "JOB_ABORTED");
  });

  test("while calls are in flight and a sink is flushing does not wait for them", async () => {
    const feed = new Feed<number>();
    const calls: string[] = [];
    const never = new Promise<never>(() => {});
    const job = run(
      program("stuck", (p) => {
        const numbers = p.read(feeds([feed]));
        numbers.map(async () => never);
        numbers.write(watched(calls, { flush: () => never }));
      }),
    );
    feed.give(1);
    await until(() => calls.includes("flush"));
    await job.cancel();
    expect(job.state).toBe("cancelled");
    expect(calls.slice(-2)).toEqual(["abort", "close"]);
  });

  test("while a source is opening: it is closed again, and never polled", async () => {
    const feed = new Feed<number>();
    let opened = (): void => {};
    const opening = new Promise<void>((resolve) => {
      opened = resolve;
    });
    let asked = false;
    const source: Source<number> = {
      ...feeds([feed]),
      open: async () => {
        asked = true;
        await opening;
        return feed.open();
      },
    };
    const job = run(program("opening", (p) => void p.read(source).map((n) => n)));
    await until(() => asked);
    const cancelled = job.cancel();
    opened();
    await cancelled;
    expect(job.state).toBe("cancelled");
    expect([feed.polls, feed.closed]).toEqual([0, 1]);
  });

  test("twice, or after the end, changes nothing", async () => {
    const seen: number[] = [];
    const job = run(program("done", (p) => p.create([1]).write(collector(seen))));
    await job.wait();
    await job.cancel();
    await job.drain();
    expect(job.state).toBe("done");
    const other = run(program("twice", (p) => void p.read(feeds([new Feed<number>()])).map((n) => n)));
    await Promise.all([other.cancel(), other.cancel()]);
    await other.cancel();
    expect(other.state).toBe("cancelled");
  });
});

describe("cancel while something opens", () => {
  for (const what of ["source", "sink"] as const) {
    test(`does not wait for a ${what}, and closes it when it is open at last`, async () => {
      const calls: string[] = [];
      let opened = (): void => {};
      const opening = new Promise<void>((resolve) => {
        opened = resolve;
      });
      const slow = <T>(thing: T): Promise<T> => {
        calls.push("opening");
        return opening.then(() => thing);
      };
      const feed = new Feed<number>();
      const source = feeds([feed]);
      const sink = watched([]);
      const late: Source<number> = {
        ...source,
        open: (split, position) => slow(source.open(split, position) as never),
      };
      const lateSink: Sink<unknown> = {
        ...sink,
        open: () => slow({ write: () => true, close: () => void calls.push("closed") } as never),
      };
      const job = run(
        program("slow", (p) => p.read(what === "source" ? late : source).write(what === "sink" ? lateSink : sink)),
      );
      await until(() => calls.length === 1);
      await job.cancel();
      expect(job.state).toBe("cancelled");
      opened();
      await until(() => (what === "source" ? feed.closed === 1 : calls.includes("closed")));
    });
  }
});

describe("drain", () => {
  test("fires panes, event-time timers and expiries that are pending, and the file appears", async () => {
    const feed = new Feed<number>();
    const file = join(folder, "drained.txt");
    const seen: string[] = [];
    const job = run(
      program("drained", (p) => {
        const pairs = p.read(feeds([feed])).map((n): KV<string, number> => ["k", n]);
        const grouped = pairs
          .windowInto(globalWindows(), { trigger: repeatedly(afterProcessingTime(3_600_000)) })
          .groupByKey()
          .map(([key, values]) => `grouped ${key} ${values.join()}`);
        const timed: PCollection<string> = pairs.parDo({
          state: { last: valueState<number>() },
          timers: { later: eventTimer() },
          outputs: { main: output<string>() },
          process([, n], { state, timers }) {
            state.last.write(n);
            timers.later.set(1_000_000);
          },
          onTimer: { later: ({ output: emit, state }) => emit(`timer ${String(state.last.read())}`) },
          onWindowExpiration: ({ output: emit, state }) => emit(`expired ${String(state.last.read())}`),
        });
        grouped.write("Grouped", collector(seen));
        timed.write("Timed", collector(seen));
        grouped.apply(text.write(file));
      }),
    );
    feed.give(1);
    feed.give(2);
    await until(() => job.metrics().elementsRead === 2);
    expect(seen).toEqual([]);
    await job.drain();
    expect(job.state).toBe("done");
    expect([...seen].sort()).toEqual(["expired 2", "grouped k 1,2", "timer 2"]);
    expect(readFileSync(file, "utf8")).toBe("grouped k 1,2\n");
    expect(feed.closed).toBe(1);
  });

  test.each([
    ["synchronous", {}],
    ["called", { retry: { attempts: 2 } }],
  ])(
    "fires %s processing-time timers at once and before state expires; those they set are dropped",
    async (_, options) => {
      const feed = new Feed<number>();
      const seen: string[] = [];
      const job = run(
        program("timed", (p) => {
          p.read(feeds([feed]))
            .map((n): KV<string, number> => ["k", n])
            .parDo(
              {
                state: { last: valueState<number>() },
                timers: { hourly: processingTimer() },
                outputs: { main: output<string>() },
                process([, n], { state, timers }) {
                  state.last.write(n);
                  timers.hourly.setAfter(3_600_000);
                },
                onTimer: {
                  hourly({ output: emit, state, timers }) {
                    emit(`timer ${String(state.last.read())}`);
                    timers.hourly.setAfter(3_600_000);
                  },
                },
                onWindowExpiration: ({ output: emit, state }) => emit(`expired ${String(state.last.read())}`),
              },
              options,
            )
            .write(collector(seen));
        }),
      );
      feed.give(1);
      await until(() => job.metrics().elementsRead === 1);
      await job.drain();
      expect(seen).toEqual(["timer 1", "expired 1"]);
      expect(job.metrics().dropped).toBe(1);
    },
  );

  test("waits for calls in flight", async () => {
    const feed = new Feed<number>();
    const seen: number[] = [];
    let settle = (): void => {};
    const job = run(
      program("calls", (p) => {
        p.read(feeds([feed]))
          .map(
            (n) =>
              new Promise<number>((resolve) => {
                settle = () => resolve(n);
              }),
            { async: true },
          )
          .write(collector(seen));
      }),
    );
    feed.give(7);
    await until(() => job.metrics().elementsRead === 1);
    const drained = job.drain();
    await until(() => job.state === "draining");
    settle();
    await drained;
    expect(seen).toEqual([7]);
  });

  test("that fails is the job's failure", async () => {
    const feed = new Feed<number>();
    const job = run(program("fails", (p) => p.read(feeds([feed])).write("Broken", watched([], { finish: boom }))));
    await until(() => job.state === "running");
    await expect(job.drain()).rejects.toThrow("boom");
    expect(job.state).toBe("failed");
  });
});
