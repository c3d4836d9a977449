/** Back-pressure: however slow a step is, a bounded number of elements waits for it. */
import { type KV, output, type Pipeline, pipeline, type Program, run, type Source, valueState } from "tidemark";
import { describe, expect, test } from "vitest";

const COUNT = 30_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Counts up as fast as it is asked to. */
function counting(handedOut: { n: number }): Source<number> {
  return {
    name: "counting",
    bounded: true,
    splits: () => [0],
    open: () => ({
      poll(max, into) {
        for (let i = 0; i < max && handedOut.n < COUNT; i++) into.add(handedOut.n++);
        return handedOut.n >= COUNT ? "end" : "more";
      },
      ready: async () => {},
      position: () => handedOut.n,
      close: () => {},
    }),
  };
}

/** The most elements that were between the source and `done` at once. */
async function mostWaiting(build: (numbers: ReturnType<Pipeline["read"]>, done: () => void) => void): Promise<number> {
  const handedOut = { n: 0 };
  let done = 0;
  let most = 0;
  const program = pipeline({
    name: "bounded",
    build: (p) =>
      build(p.read(counting(handedOut)), () => {
        done++;
        most = Math.max(most, handedOut.n - done);
      }),
  }) as Program;
  await run(program).wait();
  expect(done).toBe(COUNT);
  return most;
}

describe("a bounded number waits", () => {
  test("for async calls", async () => {
    const most = await mostWaiting((numbers, done) => {
      numbers.map(async (n) => {
        await turn();
        done();
        return n as number;
      });
    });
    expect(most).toBeLessThan(20_000);
  });

  test("for async calls of one hot key", async () => {
    const most = await mostWaiting((numbers, done) => {
      numbers
        .map((n): KV<string, number> => ["hot", n as number])
        .parDo({
          state: { last: valueState<number>() },
          outputs: { main: output<number>() },
          async process([, n], { state }) {
            await turn();
            state.last.write(n);
            done();
          },
        });
    });
    expect(most).toBeLessThan(20_000);
  });

  test("for bundles that end by a promise", async () => {
    const most = await mostWaiting((numbers, done) => {
      numbers.parDo<number>({
        process: () => done(),
        finishBundle: async () => turn(),
      });
    });
    expect(most).toBeLessThan(30_000);
  });

  test("for a sink that flushes", async () => {
    const most = await mostWaiting((numbers, done) => {
      numbers.write({
        name: "slow",
        open: () => ({
          write: () => {
            done();
            return false;
          },
          flush: turn,
          seal: () => [],
          commit: async () => {},
          lastCommitted: async () => 0,
          close: () => {},
        }),
      });
    });
    expect(most).toBeLessThan(20_000);
  });
});
