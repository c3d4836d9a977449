/**
 * Runs one of the programs with checkpoints, and kills itself (SIGKILL) at a moment that its arguments say:
 * `node child.fixture.ts CASE FOLDER MOMENT`, where MOMENT is JSON.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import type { CheckpointStore, StoredCheckpoint } from "../../src/host/checkpoint-store.ts";
import type { Snapshot } from "../../src/host/snapshot.ts";
import { openCheckpoints } from "../../src/platform/sqlite-checkpoints.ts";
import { nodeClock } from "../../src/platform/node.ts";
import { buildProgram } from "../../src/program/build.ts";
import { EmbeddedJob } from "../../src/runners/embedded/job.ts";
import type { Moment } from "./moments.ts";
import { CASES } from "./programs.fixture.ts";

const [name, folder, json] = process.argv.slice(2) as [string, string, string];
const moment = JSON.parse(json) as Moment;

/** @param point what was going on, for the log */
function die(point: string): never {
  appendFileSync(join(folder, "kills.log"), `${point}\n`);
  process.kill(process.pid, "SIGKILL");
  throw new Error("still there");
}

const dieAfter = (ms: number, point: () => string): void => {
  if (ms === 0) die(point());
  else setTimeout(() => die(point()), ms);
};

function unsealed(checkpoint: StoredCheckpoint | undefined): StoredCheckpoint | undefined {
  if (checkpoint === undefined) return undefined;
  const { snapshot } = checkpoint;
  const chunks: Snapshot["chunks"] = (kind, step) => (kind === "sealed" ? [] : snapshot.chunks(kind, step));
  return {
    ...checkpoint,
    snapshot: { ...snapshot, chunks },
  };
}

let commits = 0;
let inCommit = false;

/** Counts commits, and dies around the one that is asked for. */
function killing(store: CheckpointStore): CheckpointStore {
  return {
    jobId: store.jobId,
    ended: store.ended,
    newest: () => (moment.broken === "unsealed" ? unsealed(store.newest()) : store.newest()),
    begin: (epoch) => store.begin(epoch),
    upgrade: (changes) => store.upgrade(changes),
    rows: (step) => store.rows(step),
    fold: () => store.fold(),
    get folded() {
      return store.folded;
    },
    set folded(listener) {
      store.folded = listener;
    },
    async commit(epoch, kind, createdMs) {
      const isIt = ++commits === moment.commit;
      inCommit = true;
      const committed = store.commit(epoch, kind, createdMs);
      if (isIt && moment.point === "committing") dieAfter(moment.afterMs, () => (inCommit ? "in a commit" : "later"));
      if (moment.broken === "early") void committed.catch(() => {});
      else await committed;
      inCommit = false;
      // Sinks are told next, without a turn of the event loop in between.
      if (isIt && moment.point === "committed") dieAfter(moment.afterMs, () => "after a commit");
    },
    end: () => (moment.point === "end" ? Promise.resolve(die("before the end is on record")) : store.end()),
    close: () => store.close(),
  };
}

const { program } = CASES[name] as (typeof CASES)[string];
const options = { input: join(folder, "input.txt"), output: join(folder, "output.txt") };
const { graph } = await buildProgram(program, options);
const store = killing(openCheckpoints(join(folder, "checkpoints"), graph.name, 2));
if (moment.point === "time") dieAfter(moment.afterMs, () => (inCommit ? "in a commit" : "between commits"));
/** Short turns with a wait between them, so that there are many checkpoints in a short input. Its stopwatch is 20 times as fast. */
const slow: Clock = {
  ...nodeClock(),
  stopwatch: () => performance.now() * 20,
  immediate: (callback) => void setTimeout(callback, 1),
};
const job = new EmbeddedJob(graph, {
  clock: slow,
  options,
  encoded: false,
  strict: false,
  warn: () => {},
  // Some of the processes of a round keep nothing in memory that may leave it.
  checkpoints: { store, everyMs: 40, stateMemory: moment.commit % 2 === 0 ? 0 : Infinity },
});
await job.done;
