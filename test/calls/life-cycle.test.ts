/** `teardown` comes once, also after a failure in any phase; async life cycles go together with timers. */
import {
  eventTimer,
  fixedWindows,
  GLOBAL_WINDOW,
  type KV,
  output,
  pipeline,
  type Program,
  run,
  seconds,
  valueState,
  windowInto,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const PHASES = ["setup", "startBundle", "process", "finishBundle", "onTimer", "onWindowExpiration"] as const;
const ann = testStream<KV<string, number>>()
  .addElements(at(0, ["ann", 1]))
  .advanceWatermarkToInfinity();

describe.each(["sync", "async"])("%s methods", (kind) => {
  test.each(PHASES)(
    "a failure in %s: the step is named, and everything that was set up is torn down",
    async (phase) => {
      const log: string[] = [];
      const fail = (at: string): void => {
        if (at === phase) throw new Error(`in ${at}`);
      };
      const now = (at: string) => (): void => fail(at);
      const later = (at: string) => async (): Promise<void> => {
        await turn();
        fail(at);
      };
      const method = kind === "async" ? later : now;
      const error = await failureOf((p) => {
        const before = p.apply(ann).parDo<KV<string, number>>("Before", {
          process: (pair) => [pair],
          teardown: () => void log.push("before"),
        });
        before.apply(windowInto(fixedWindows(seconds(10)))).parDo("Failing", {
          state: { n: valueState<number>() },
          timers: { t: eventTimer() },
          setup: method("setup"),
          startBundle: method("startBundle"),
          process:
            kind === "async"
              ? async (_pair, { state, timers }): Promise<void> => {
                  await turn();
                  fail("process");
                  state.n.write(1);
                  timers.t.set(5);
                }
              : (_pair, { state, timers }): void => {
                  fail("process");
                  state.n.write(1);
                  timers.t.set(5);
                },
          finishBundle: method("finishBundle"),
          onTimer: { t: method("onTimer") },
          onWindowExpiration: method("onWindowExpiration"),
          teardown: () => void log.push("failing"),
        });
      });
      expect(error.code).toBe("STEP_FAILED");
      expect(error.message).toContain(`in ${phase}`);
      expect(error.context.step).toBe("Failing");
      expect(error.context.at).toMatch(/life-cycle\.test\.ts/);
      if (phase.startsWith("on") || phase === "process") expect(error.context.key).toBe('"ann"');
      expect(log.sort()).toEqual(["before", "failing"]);
    },
  );
});

test("a teardown that fails fails the job, after all others were torn down", async () => {
  const log: string[] = [];
  const error = await failureOf((p) => {
    const first = p.create([1]).parDo<number>("First", {
      process: (n) => [n],
      teardown: async () => {
        await turn();
        throw new Error("cannot close");
      },
    });
    first.parDo("Second", { process() {}, teardown: () => void log.push("second") });
  });
  expect(error.context.step).toBe("First");
  expect(log).toEqual(["second"]);
});

test("a failed timer callback fails the job even where elements are set aside: there is none to set aside", async () => {
  const error = await failureOf((p) => {
    const step = p.apply(ann).parDo("Timer", {
      timers: { t: eventTimer() },
      process: (_pair, { timers }) => timers.t.set(5),
      onTimer: {
        t() {
          throw new Error("in the callback");
        },
      },
    });
    assertThat(step.deadLetter()).isEmpty();
  });
  expect(error.message).toContain("in the callback");
  expect(error.context.key).toBe('"ann"');
});

test("bundles that begin and end by promises, with async calls, state, timers and expiry", async () => {
  await runTest((p) => {
    const log = p
      .apply(ann)
      .apply(windowInto(fixedWindows(seconds(10))))
      .parDo("All", {
        state: { path: valueState<string>() },
        timers: { t: eventTimer() },
        outputs: { main: output<string>() },
        startBundle: async () => turn(),
        async process([key], { state, timers }) {
          await turn();
          state.path.write(key);
          timers.t.set(1000);
        },
        onTimer: {
          async t({ state, timers, firedAt }) {
            await turn();
            state.path.write(`${state.path.read()} ${firedAt}`);
            if (firedAt < 3000) timers.t.set(firedAt + 1000);
          },
        },
        async onWindowExpiration({ state, output: put }) {
          await turn();
          put(`${state.path.read()} expired`);
        },
        async finishBundle({ output: put }) {
          await turn();
          put("bundle", 0, GLOBAL_WINDOW);
        },
      })
      .filter((text) => text !== "bundle");
    assertThat(log).containsInAnyOrder(["ann 1000 2000 3000 expired"]);
  });
});

test("two jobs of one program in one process have state, calls and dead letters of their own", async () => {
  const results = new Map<string, number[]>();
  const counting = (name: string): Program =>
    pipeline({
      name,
      build: (p) => {
        const counts = p.create<KV<string, number>>([1, 2, 3].map((n) => ["k", n])).parDo("Count", {
          state: { n: valueState<number>() },
          outputs: { main: output<number>() },
          async process(_pair, { state, output: put }) {
            await turn();
            state.n.write((state.n.read() ?? 0) + 1);
            put(state.n.read() ?? 0);
          },
        });
        results.set(name, []);
        counts.map((n) => void results.get(name)?.push(n));
      },
    }) as Program;
  await Promise.all([run(counting("one")).wait(), run(counting("two")).wait()]);
  expect(results).toEqual(
    new Map([
      ["one", [1, 2, 3]],
      ["two", [1, 2, 3]],
    ]),
  );
});
