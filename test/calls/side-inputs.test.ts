/** Async functions see side inputs as they stood when their call began, and calls hold what they must. */
import { countPerElement, fixedWindows, type KV, output, seconds, valueState, windowInto } from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("async functions with side inputs", () => {
  test("map, filter, flatMap and DoFn, each window with its own", async () => {
    await runTest((p) => {
      const script = testStream<number>().addElements(at(1000, 1), at(11_000, 2)).advanceWatermarkToInfinity();
      const input = p.apply(script).apply(windowInto(fixedWindows(seconds(10))));
      const own = input.map((n) => n * 10).asSingleton();
      const sideInputs = { own };
      const options = { sideInputs };
      assertThat(
        input.map(async (n, { sideInputs: side }) => (await turn(), n + side.own), options),
      ).containsInAnyOrder([11, 22]);
      assertThat(
        input.flatMap(async (n, { sideInputs: side }) => (await turn(), [n, side.own]), options),
      ).containsInAnyOrder([1, 10, 2, 20]);
      assertThat(
        input.filter(async (_n, { sideInputs: side }) => (await turn(), side.own > 10), options),
      ).containsInAnyOrder([2]);
      const sums = input.parDo({
        sideInputs,
        outputs: { main: output<number>() },
        async process(n, { sideInputs: side, output: put }) {
          await turn();
          put(n - side.own);
        },
      });
      assertThat(sums).containsInAnyOrder([-9, -18]);
    });
  });

  test("a side input that fails is the call's failure", async () => {
    const error = await failureOf((p) => {
      const nothing = p.create<number>([]).asSingleton();
      p.create([1]).map("Add", async (n, { sideInputs }) => n + sideInputs.nothing, { sideInputs: { nothing } });
    });
    expect(error.code).toBe("SINGLETON_EMPTY");
    expect(error.context.step).toBe("Add");
  });
});

test("downstream fires no window before the calls of its elements have settled", async () => {
  const log: string[] = [];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await runTest((p) => {
    const input = p
      .apply(
        testStream<string>()
          .addElements(at(1000, "slow"), at(1000, "quick"))
          .advanceWatermarkTo(50_000)
          .advanceWatermarkToInfinity(),
      )
      .map("Call", async (word) => {
        if (word === "quick") {
          // By the time that these turns have passed, a window that nobody held would have fired.
          for (let i = 0; i < 20; i++) await turn();
          log.push("settles");
          release();
        } else await released;
        return word;
      });
    const counts = input.apply(windowInto(fixedWindows(seconds(10)))).apply(countPerElement());
    counts.map(([word]) => void log.push(`fired ${word}`));
    assertThat(counts.late).isEmpty();
  });
  expect(log[0]).toBe("settles");
  expect(log.slice(1).toSorted()).toEqual(["fired quick", "fired slow"]);
});

test("never more in flight than asked, also where results are applied in order and keys wait", async () => {
  let flying = 0;
  let most = 0;
  const order: string[] = [];
  await runTest((p) => {
    const pairs = ["a", "b", "c", "d"].flatMap((key) => [1, 2, 3].map((n): KV<string, number> => [key, n]));
    p.create(pairs.toSorted(([, a], [, b]) => a - b)).parDo(
      {
        state: { n: valueState<number>() },
        async process([key, n], { state }) {
          most = Math.max(most, ++flying);
          // The first key's calls are the slow ones: what the others did waits for them.
          for (let i = 0; i < (key === "a" ? 6 : 1); i++) await turn();
          state.n.write(n);
          order.push(`${key}${n}`);
          flying--;
        },
      },
      { ordered: true, concurrency: 2 },
    );
  });
  expect(most).toBe(2);
  for (const key of ["a", "b", "c", "d"])
    expect(order.filter((name) => name.startsWith(key))).toEqual([`${key}1`, `${key}2`, `${key}3`]);
});
