/** Checkpoints of whole jobs, in a folder: going on from them, stopping, ending, and what is refused. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  countPerElement,
  eventTime,
  fixedWindows,
  isTidemarkError,
  type Pipeline,
  pipeline,
  type Program,
  run,
  type SinkWriter,
  type Source,
  text,
  type TidemarkError,
  valueState,
  withKeys,
} from "tidemark";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-checkpoints-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (name: string): string => join(folder, name);

/** Numbers from 0 on: at once up to `now`, then nothing until the job ends. */
function numbers(now: number, ends = false): Source<number, string, number> {
  return {
    name: "numbers",
    bounded: false,
    splits: () => ["all"],
    open(_, position = 0) {
      let next = position;
      return {
        poll(max, into) {
          for (let i = 0; i < max && next < now; i++) into.add(next++);
          return next < now ? "more" : ends ? "end" : "idle";
        },
        ready: () => new Promise<void>(() => {}),
        position: () => next,
        close: () => {},
      };
    },
  };
}

/** Counts in windows of ten, into a file. */
function counting(source: Source<number, string, number>): Program {
  return pipeline({
    name: "counting",
    build(p: Pipeline) {
      p.read("Numbers", source, { timestamps: eventTime((n: number) => n) })
        .windowInto(fixedWindows(10))
        .map("Parity", (n) => (n % 2 === 0 ? "even" : "odd"))
        .apply("Count", countPerElement())
        .map("Format", ([key, n], { window, pane }) => `${window.maxTimestamp} ${key} ${n} ${pane.timing}`)
        .apply(text.write(inFolder("out.txt")));
    },
  }) as Program;
}

const checkpoint = (): { dir: string; everyMs: number } => ({ dir: inFolder("checkpoints"), everyMs: 5 });

/** Runs until `done` says so, then stops. */
async function runUntil(
  program: Program,
  done: (job: ReturnType<typeof run>) => boolean,
  how: "stop" | "drain" = "stop",
) {
  const job = run(program, {}, { checkpoint: checkpoint() });
  while (!done(job)) await new Promise((resolve) => setImmediate(resolve));
  await job[how]();
  return job;
}

async function failureOf(job: { wait(): Promise<unknown> }): Promise<TidemarkError> {
  const failure = await job.wait().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isTidemarkError(failure)) throw new Error(`no coded error: ${String(failure)}`);
  return failure;
}

test("stopped, nothing fires early; started again, it goes on, and each window has one on-time pane", async () => {
  const first = await runUntil(counting(numbers(25)), (job) => job.metrics().elementsRead === 25);
  expect(first.state).toBe("stopped");
  expect(existsSync(inFolder("out.txt"))).toBe(false);
  const second = run(counting(numbers(40, true)), {}, { checkpoint: checkpoint() });
  const { elementsRead } = await second.wait();
  expect([second.state, elementsRead]).toEqual(["done", 40]);
  const lines = [9, 19, 29, 39].flatMap((max) => [`${max} even 5 ON_TIME`, `${max} odd 5 ON_TIME`]);
  expect(readFileSync(inFolder("out.txt"), "utf8").split("\n").slice(0, -1).toSorted()).toEqual(lines.toSorted());
});

test("a job that has ended does nothing when it is started again", async () => {
  await run(counting(numbers(20, true)), {}, { checkpoint: checkpoint() }).wait();
  writeFileSync(inFolder("out.txt"), "moved on");
  const again = run(counting(numbers(30, true)), {}, { checkpoint: checkpoint() });
  expect((await again.wait()).elementsRead).toBe(20);
  expect([again.state, readFileSync(inFolder("out.txt"), "utf8")]).toEqual(["done", "moved on"]);
});

test("CHECKPOINT_DRAINED: what was drained has fired everything, and does not go on", async () => {
  const drained = await runUntil(counting(numbers(25)), (job) => job.metrics().elementsRead === 25, "drain");
  expect(drained.state).toBe("done");
  expect(readFileSync(inFolder("out.txt"), "utf8")).toContain("29 even 3 ON_TIME");
  expect((await failureOf(run(counting(numbers(30)), {}, { checkpoint: checkpoint() }))).code).toBe(
    "CHECKPOINT_DRAINED",
  );
});

test("CHECKPOINT_LOCKED: refused with name and pid while another process lives, stopped or not; free when it is killed", async () => {
  const child = spawn(process.execPath, [
    "--conditions=tidemark-source",
    "--input-type=module-typescript",
    "--eval",
    `import { openCheckpoints } from "${join(import.meta.dirname, "../../src/platform/sqlite-checkpoints.ts")}";
     openCheckpoints(${JSON.stringify(inFolder("checkpoints"))}, "counting", 1);
     console.log("locked"); setInterval(() => {}, 1000);`,
  ]);
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.stderr.once("data", (text: Buffer) => reject(new Error(String(text))));
  });
  const refusal = async (): Promise<TidemarkError> =>
    failureOf(run(counting(numbers(5, true)), {}, { checkpoint: checkpoint() }));
  child.kill("SIGSTOP");
  const refused = await refusal();
  expect(refused.code).toBe("CHECKPOINT_LOCKED");
  expect(refused.what).toContain(`job "counting" in process ${child.pid}`);
  child.kill("SIGCONT");
  expect((await refusal()).code).toBe("CHECKPOINT_LOCKED");
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  await run(counting(numbers(5, true)), {}, { checkpoint: checkpoint() }).wait();
});

test("CHECKPOINT_INVALID: options that make no sense", () => {
  const start = (options: object) => () => run(counting(numbers(1)), {}, { checkpoint: options as { dir: string } });
  for (const options of [{ dir: "" }, { dir: "x", everyMs: 0 }, { dir: "x", keep: 0 }, { dir: "x", stateMemory: -1 }])
    expect(start(options)).toThrow("CHECKPOINT_INVALID");
  expect(start({ dir: "x", every: 1 })).toThrow("OPTION_UNKNOWN");
});

test("a job that cannot begin lets go of the folder", async () => {
  const trace = { step: "Nowhere", onEvent: () => {} };
  const failure = await failureOf(run(counting(numbers(5, true)), {}, { checkpoint: checkpoint(), trace }));
  expect(failure.code).toBe("STEP_UNKNOWN");
  await run(counting(numbers(5, true)), {}, { checkpoint: checkpoint() }).wait();
});

test("FILE_UNWRITABLE: a folder that cannot be used is named, with what is in the way", async () => {
  const start = () => failureOf(run(counting(numbers(1)), {}, { checkpoint: checkpoint() }));
  writeFileSync(inFolder("checkpoints"), "");
  const isFile = await start();
  expect([isFile.code, isFile.what]).toEqual(["FILE_UNWRITABLE", expect.stringContaining("EEXIST")]);
  rmSync(inFolder("checkpoints"));
  for (const name of ["lock.db", "owner.json"]) {
    mkdirSync(inFolder(`checkpoints/${name}`), { recursive: true });
    expect((await start()).code).toBe("FILE_UNWRITABLE");
    rmSync(inFolder("checkpoints"), { recursive: true });
  }
});

/** A step with state, of a name and with a cell of a name. */
function keeping(step: string, cell: string, name = "counting"): Program {
  return pipeline({
    name,
    build(p: Pipeline) {
      p.read("Numbers", numbers(5))
        .apply(withKeys((n) => n % 2))
        .parDo(step, {
          state: { [cell]: valueState<number>() },
          process([, n], { state }) {
            state[cell]?.write(n);
          },
        });
    },
  }) as Program;
}

test("CHECKPOINT_INCOMPATIBLE: another job's, or of state that the program does not keep so any more; all of it is named", async () => {
  const read = (job: ReturnType<typeof run>): boolean => job.metrics().elementsRead === 5;
  await runUntil(keeping("Last", "last"), read);
  const start = (program: Program) => failureOf(run(program, {}, { checkpoint: checkpoint() }));
  const renamed = await start(keeping("Latest", "last"));
  expect([renamed.code, renamed.what]).toEqual([
    "CHECKPOINT_INCOMPATIBLE",
    expect.stringContaining('step "Last" is not'),
  ]);
  const retyped = await start(keeping("Last", "value"));
  expect(retyped.what).toBe(
    'the checkpoint does not fit the program:\n    step "Last": cell "last" is not there any more: it was value<value>',
  );
  expect((await start(keeping("Last", "last", "other"))).what).toContain('are those of job "counting", not of "other"');
  await runUntil(keeping("Last", "last"), read);
});

test("CHECKPOINT_DAMAGED: a flipped bit in what is needed is found, and the file named", async () => {
  await runUntil(counting(numbers(25)), (job) => job.metrics().elementsRead === 25);
  const path = inFolder("checkpoints/checkpoints.db");
  const database = new DatabaseSync(path);
  database.exec("UPDATE chunk SET body = x'00' || substr(body, 2) WHERE kind = 'stage'");
  database.close();
  const failure = await failureOf(run(counting(numbers(30)), {}, { checkpoint: checkpoint() }));
  expect([failure.code, failure.what]).toEqual(["CHECKPOINT_DAMAGED", expect.stringContaining(path)]);
});

/** Damages the newest of two checkpoints. */
function damageNewest(): void {
  const database = new DatabaseSync(inFolder("checkpoints/checkpoints.db"));
  const epochs = database.prepare("SELECT epoch FROM checkpoint ORDER BY epoch").all() as { epoch: number }[];
  expect(epochs.length).toBe(2);
  database.exec(`UPDATE checkpoint SET crc = crc + 1 WHERE epoch = ${epochs[1]?.epoch}`);
  database.close();
}

/** Whether the file has been told of an epoch. */
const hasCommitted = (): boolean => readdirSync(folder).some((name) => /^out\.txt\.tmp-.*\.json$/.test(name));

test("a newest checkpoint that is damaged is passed over for the one before it", async () => {
  const program = keeping("Last", "last");
  const first = await runUntil(program, (job) => job.metrics().elementsRead === 5);
  await runUntil(program, (job) => job.state === "running");
  damageNewest();
  const again = await runUntil(program, (job) => job.state === "running");
  const keysOf = (job: typeof first): unknown => job.metrics().steps.map(({ name, keys }) => [name, keys]);
  expect(keysOf(again)).toEqual(keysOf(first));
});

test("SINK_AHEAD: but not where a sink has committed it, which would get it twice", async () => {
  await runUntil(counting(numbers(25)), hasCommitted);
  damageNewest();
  const failure = await failureOf(run(counting(numbers(30)), {}, { checkpoint: checkpoint() }));
  expect([failure.code, failure.context.step]).toEqual(["SINK_AHEAD", "Write"]);
});

test("CHECKPOINT_FAILED: where nothing can be written any more, the job fails and says so", async () => {
  const job = run(counting(numbers(25)), {}, { checkpoint: { ...checkpoint(), everyMs: 1_000_000 } });
  while (job.metrics().elementsRead < 25) await new Promise((resolve) => setImmediate(resolve));
  const database = new DatabaseSync(inFolder("checkpoints/checkpoints.db"));
  database.exec("DROP TABLE chunk");
  database.close();
  const stopped = job.stop().catch(() => {});
  expect((await failureOf(job)).code).toBe("CHECKPOINT_FAILED");
  await stopped;
});

test("a sink whose commit fails for a while is asked again with the same chunks; a source hears of what is safe", async () => {
  const commits: [epoch: number, text: string][] = [];
  const heard: number[] = [];
  let failing = 2;
  const writer = (): SinkWriter<number> => {
    let written: number[] = [];
    return {
      write: (n) => void written.push(n),
      seal() {
        const chunk = Buffer.from(written.join(" "));
        written = [];
        return chunk.length === 0 ? [] : [chunk];
      },
      async commit(epoch, chunks) {
        commits.push([epoch, chunks.map(String).join("")]);
        if (failing-- > 0) throw new Error("not now");
      },
      lastCommitted: async () => 0,
      close: () => {},
    };
  };
  const source: Source<number, string, number> = numbers(3);
  const telling: typeof source = {
    ...source,
    async open(split, position) {
      const reader = await source.open(split, position);
      return { ...reader, committed: (at: number) => void heard.push(at) };
    },
  };
  const program = pipeline({
    name: "told",
    build(p: Pipeline) {
      p.read("Numbers", telling).write("Out", { name: "out", open: writer });
    },
  }) as Program;
  const job = await runUntil(program, () => heard.length > 0);
  expect(job.state).toBe("stopped");
  expect(commits.slice(0, 3)).toEqual([1, 1, 1].map((epoch) => [epoch, "0 1 2"]));
  expect(heard[0]).toBe(3);
});

test("figures are those of before", async () => {
  const program = counting(numbers(25));
  const before = (await runUntil(program, (job) => job.metrics().elementsRead === 25)).metrics();
  const after = (await runUntil(program, (job) => job.state === "running")).metrics();
  const figures = (metrics: typeof before) =>
    metrics.steps.map(({ name, elementsIn, elementsOut, keys, timers }) => [
      name,
      elementsIn,
      elementsOut,
      keys,
      timers,
    ]);
  expect(figures(after)).toEqual(figures(before));
});
