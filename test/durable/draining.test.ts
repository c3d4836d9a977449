/** A drain fires windows as if the input had ended: nothing of that may be what a killed job goes on from. */
import { MAX_TIMESTAMP, type Pipeline, pipeline, type Source } from "tidemark";
import { collectSink, type Collected } from "tidemark/testing";
import { expect, test } from "vitest";
import { decodeFromBytes } from "../../src/coders/coder.ts";
import { valueCoder } from "../../src/coders/value.ts";
import { EmbeddedJob } from "../../src/runners/embedded/job.ts";
import { nodeClock } from "../../src/platform/node.ts";
import { MemoryCheckpoints } from "../../src/testing/memory-checkpoints.ts";

test("no checkpoint has the end of time in it, but the last one of a job that drains", async () => {
  let given = false;
  const once: Source<number, string, number> = {
    name: "once",
    bounded: false,
    splits: () => ["all"],
    open: () => ({
      poll(_, into) {
        if (!given) into.add(1);
        given = true;
        return "idle";
      },
      ready: () => new Promise<void>(() => {}),
      position: () => 1,
      close: () => {},
    }),
  };
  let letGo = (): void => {};
  const called = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const found: Collected<number>[] = [];
  const { graph } = await pipeline({
    name: "draining",
    build(p: Pipeline) {
      p.read("Once", once)
        .map("Slow", async (n) => {
          await called;
          return n;
        })
        .write("Found", collectSink("found", found));
    },
  }).build({});
  const store = new MemoryCheckpoints();
  /** Each checkpoint, and whether its source had been cut off. */
  const commits: string[] = [];
  const commit = store.commit.bind(store);
  store.commit = async (epoch, kind, createdMs) => {
    await commit(epoch, kind, createdMs);
    const [stage] = store.newest()?.snapshot.chunks("stage", "Once") ?? [];
    const { output } = decodeFromBytes(valueCoder, stage as Uint8Array) as { output: number };
    commits.push(`${kind}${output === MAX_TIMESTAMP ? ", cut off" : ""}`);
  };
  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const job = new EmbeddedJob(graph, {
    clock: nodeClock(),
    options: {},
    encoded: false,
    strict: true,
    warn: () => {},
    checkpoints: { store, everyMs: 1, stateMemory: Infinity },
  });
  while (commits.length === 0) await turns(1);
  const drained = job.drain();
  await turns(20);
  letGo();
  await drained;
  expect(found.map(({ value }) => value)).toEqual([1]);
  expect(new Set(commits)).toEqual(new Set(["checkpoint", "drained, cut off"]));
});
