/** Options under names that do not exist: refused where they are given, with the nearest one that does. */
import {
  bagState,
  combineGlobally,
  combiningState,
  eventTime,
  eventTimer,
  fixedWindows,
  type KV,
  mapState,
  ndjson,
  type PCollection,
  type Pipeline,
  pipeline,
  run,
  seconds,
  sumFn,
  text,
  valueState,
} from "tidemark";
import { at, runTest } from "tidemark/testing";
import { expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";

const pairs = (p: Pipeline): PCollection<KV<string, number>> => p.create<KV<string, number>>("Pairs", [["a", 1]]);

/** What gets the option, how it is given, its name and the one that was meant. */
type Wrong = readonly [of: string, build: (p: Pipeline) => unknown, given: string, meant: string];
const wrong = (...entry: Wrong): Wrong => entry;

const WRONG: readonly Wrong[] = [
  wrong("map", (p) => pairs(p).map(([key]) => key, { concurency: 2 } as {}), "concurency", "concurrency"),
  wrong("flatMap", (p) => pairs(p).flatMap(([key]) => [key], { timout: 2 } as never), "timout", "timeout"),
  wrong("filter", (p) => pairs(p).filter(() => true, { sideinputs: {} } as never), "sideinputs", "sideInputs"),
  wrong("retry", (p) => pairs(p).map((pair) => pair, { retry: { attemps: 2 } } as never), "attemps", "attempts"),
  wrong("parDo", (p) => pairs(p).parDo({ process() {} }, { order: true } as never), "order", "ordered"),
  wrong(
    "windowInto",
    (p) => pairs(p).windowInto(fixedWindows(1), { allowedLatenes: 1 } as never),
    "allowedLatenes",
    "allowedLateness",
  ),
  wrong("windowInto", (p) => pairs(p).windowInto({ triger: 1 } as never), "triger", "trigger"),
  wrong("groupByKey", (p) => pairs(p).groupByKey({ keycoder: undefined } as never), "keycoder", "keyCoder"),
  wrong("combinePerKey", (p) => pairs(p).combinePerKey(sumFn(), { sideInput: {} } as never), "sideInput", "sideInputs"),
  wrong(
    "CombineGlobally",
    (p) => p.create([1]).apply(combineGlobally(sumFn(), { withDefaults: false } as never)),
    "withDefaults",
    "withDefault",
  ),
  wrong(
    "withTimestamps",
    (p) => p.create([1]).withTimestamps((n) => n, { allowedTimestampSkews: 1 } as never),
    "allowedTimestampSkews",
    "allowedTimestampSkew",
  ),
  wrong("asSingleton", (p) => p.create([1]).asSingleton({ defaults: 1 } as never), "defaults", "default"),
  wrong("create", (p) => p.create([1], { timestamp: (n: number) => n } as never), "timestamp", "timestamps"),
  wrong("read", (p) => p.read(text.textSource("*.txt"), { timestamp: undefined } as never), "timestamp", "timestamps"),
  wrong("text.read", (p) => p.apply(text.read("*.txt", { skipBlanks: true } as never)), "skipBlanks", "skipBlank"),
  wrong(
    "text.write",
    (p) => p.create(["a"]).apply(text.write("a.txt", { headers: "a" } as never)),
    "headers",
    "header",
  ),
  wrong(
    "ndjson.read",
    (p) => p.apply(ndjson.read("*.ndjson", { oninvalid: "skip" } as never)),
    "oninvalid",
    "onInvalid",
  ),
  wrong(
    "eventTime",
    () => eventTime((n: number) => n, { outOfOrdernes: 1 } as never),
    "outOfOrdernes",
    "outOfOrderness",
  ),
  wrong("a cell of kind value", () => valueState({ tll: 1 } as never), "tll", "ttl"),
  wrong("a cell of kind bag", () => bagState({ coders: undefined } as never), "coders", "coder"),
  wrong("a cell of kind map", () => mapState({ keycoder: undefined } as never), "keycoder", "keyCoder"),
  wrong("a cell of kind combining", () => combiningState(sumFn(), { TTL: 1 } as never), "TTL", "ttl"),
];

test.each(WRONG)("%s", async (of, build, given, meant) => {
  const error = await failureOf((p) => void build(p));
  expect(error).toMatchObject({ code: "OPTION_UNKNOWN", what: `${of} has no option "${given}"` });
  expect(error.message).toContain(`write ${meant}`);
});

test("the step is named, and what is near to nothing is to be taken away", async () => {
  const error = await failureOf((p) => void p.create([1]).map("Add", (n) => n, { parallelism: 1 } as never));
  expect(error.context.step).toBe("Add");
  expect(error.message).toContain("take it away");
});

test("options that are no object", async () => {
  const error = await failureOf((p) => void p.create([1]).map((n) => n, 5 as never));
  expect(error).toMatchObject({ code: "TRANSFORM_INVALID", what: expect.stringContaining("a number") as string });
});

test("run and runTest", async () => {
  const program = pipeline({ name: "one", build: (p: Pipeline) => p.create([1]) });
  expect(() => run(program, {}, { onWarnings: () => {} } as never)).toThrow(
    /run has no option "onWarnings"[^]*write onWarning/,
  );
  const failed = runTest((p) => p.create([1]), { encode: true } as never);
  await expect(failed).rejects.toMatchObject({ code: "OPTION_UNKNOWN", what: 'runTest has no option "encode"' });
});

test("setting a timer", async () => {
  const error = await failureOf((p) => {
    p.createTimestamped<KV<string, number>>([at(0, ["a", 1])]).parDo("Wait", {
      timers: { due: eventTimer() },
      process: (_pair, { timers }) => timers.due.setAfter(seconds(1), { outputTimestamps: 0 } as never),
      onTimer: { due() {} },
    });
  });
  expect(error).toMatchObject({ code: "OPTION_UNKNOWN", context: { step: "Wait" } });
  expect(error.message).toContain("write outputTimestamp");
});
