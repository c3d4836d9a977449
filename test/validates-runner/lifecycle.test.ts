/** Beam's ValidatesRunner scenarios on the life cycle of DoFns and on bundle finalisation: those that core.test.ts does not have. */
import { type DoFn, eventTimer, type KV, output, valueState } from "tidemark";
import { at, runTest, type TestOptions, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "./failure.ts";

type Pair = KV<string, number>;
const PHASES = ["setup", "startBundle", "process", "finishBundle"] as const;
type Phase = (typeof PHASES)[number];
const MODES: readonly (readonly [string, TestOptions])[] = [
  ["plain", { encoded: false }],
  ["encoded", { encoded: true }],
  ["bundles cut", { encoded: false, bundleSeed: 7 }],
];
const PAIRS: readonly Pair[] = [
  ["a", 1],
  ["a", 2],
  ["b", 3],
  ["b", 4],
  ["c", 5],
];

/** What Beam allows: setup once, then any number of bundles, teardown once. */
const SEQUENCE = /^setup (startBundle (process )+finishBundle )+teardown $/;
/** With state a bundle may have no element: windows expire in it. */
const STATEFUL_SEQUENCE = /^setup (startBundle (process )*finishBundle )+teardown $/;

/** A DoFn that writes every call down. */
function recording(calls: string[]): Required<Pick<DoFn<Pair>, Phase | "teardown">> {
  const note = (call: string) => (): void => void calls.push(call);
  return {
    setup: note("setup"),
    startBundle: note("startBundle"),
    process: note("process"),
    finishBundle: note("finishBundle"),
    teardown: note("teardown"),
  };
}

describe("ParDoLifecycle", () => {
  const kinds: readonly (readonly [string, Partial<DoFn<Pair>>])[] = [
    ["testFnCallSequence", {}],
    ["testFnCallSequenceMulti", { outputs: { main: output<string>(), other: output<string>() } }],
    ["testFnCallSequenceStateful", { state: { n: valueState<number>() } }],
  ];
  const cases = kinds.flatMap(([name, more]) => MODES.map(([mode, options]) => ({ name, mode, more, options })));
  test.each(cases)("ParDoLifecycle.$name ($mode)", async ({ more, options }) => {
    const calls: string[] = [];
    await runTest((p) => {
      p.create(PAIRS).parDo("Recorded", { ...recording(calls), ...more } as DoFn<Pair>);
    }, options);
    expect(calls.map((call) => `${call} `).join("")).toMatch(more.state === undefined ? SEQUENCE : STATEFUL_SEQUENCE);
    expect(calls.filter((call) => call === "process")).toHaveLength(PAIRS.length);
  });

  test.each(PHASES)("ParDoLifecycle.testTeardownCalledAfterExceptionIn %s, of a stateful DoFn", async (phase) => {
    const calls: string[] = [];
    const doFn: DoFn<Pair> = {
      ...recording(calls),
      state: { n: valueState<number>() },
      [phase]: () => {
        throw new Error(`fails in ${phase}`);
      },
    };
    const error = await failureOf((p) => void p.create(PAIRS).parDo("Fails", doFn));
    expect(error).toMatchObject({ code: "STEP_FAILED", context: { step: "Fails" } });
    expect(calls.filter((call) => call === "teardown")).toHaveLength(1);
    expect(calls.at(-1)).toBe("teardown");
  });

  test("ParDoLifecycle: teardown runs where a timer's callback throws", async () => {
    let tornDown = 0;
    const error = await failureOf((p) => {
      p.create(PAIRS).parDo("Fails", {
        timers: { t: eventTimer() },
        process(_pair, { timers }) {
          timers.t.set(1);
        },
        onTimer: {
          t() {
            throw new Error("fails in onTimer");
          },
        },
        teardown: () => void tornDown++,
      });
    });
    expect(error).toMatchObject({ code: "STEP_FAILED", context: { step: "Fails" } });
    expect(tornDown).toBe(1);
  });

  test.each(MODES)("ParDoTest.testParDoWithErrorInStartBatch, ProcessElement, FinishBatch (%s)", async (_, options) => {
    for (const phase of ["startBundle", "process", "finishBundle"] as const) {
      const doFn: DoFn<Pair> = {
        process: () => {},
        [phase]: () => {
          throw new Error(`test error in ${phase}`);
        },
      };
      const error = await failureOf((p) => void p.create(PAIRS).parDo("Fails", doFn), options);
      expect(String(error)).toContain(`test error in ${phase}`);
    }
  });
});

describe("Bundle finalisation", () => {
  test.each(MODES)(
    "ParDoTest.testBundleFinalization: after the bundle, for each, also stateful (%s)",
    async (_, options) => {
      const events: string[] = [];
      await runTest((p) => {
        const input = p.apply(
          testStream<Pair>()
            .addElements(at(0, ["a", 1]))
            .advanceWatermarkTo(1)
            .addElements(at(1, ["a", 2]))
            .advanceWatermarkToInfinity(),
        );
        for (const state of [undefined, { n: valueState<number>() }]) {
          const name = state === undefined ? "plain" : "stateful";
          const doFn: DoFn<Pair> = {
            ...(state && { state }),
            process([, n], { onBundleFinalized }) {
              events.push(`${name} process ${n}`);
              onBundleFinalized(() => void events.push(`${name} finalized ${n}`));
            },
            finishBundle: () => void events.push(`${name} finish`),
          };
          input.parDo(name, doFn);
        }
      }, options);
      for (const name of ["plain", "stateful"]) {
        const own = events.filter((event) => event.startsWith(name)).map((event) => event.slice(name.length + 1));
        expect(own.filter((event) => event.startsWith("finalized"))).toEqual(["finalized 1", "finalized 2"]);
        for (const n of [1, 2]) {
          const processed = own.indexOf(`process ${n}`);
          const finished = own.indexOf("finish", processed);
          expect(processed).toBeLessThan(finished);
          expect(finished).toBeLessThan(own.indexOf(`finalized ${n}`));
        }
      }
    },
  );

  test("ParDoTest.testBundleFinalization: of a bundle that failed nothing is finalised", async () => {
    let finalized = 0;
    await failureOf((p) => {
      p.create(PAIRS).parDo("Fails", {
        process([, n], { onBundleFinalized }) {
          onBundleFinalized(() => void finalized++);
          if (n === 5) throw new Error("at the last element");
        },
      });
    });
    expect(finalized).toBe(0);
  });
});
