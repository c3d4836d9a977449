/** `tidemark run`, from the command line to the exit code. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { MAIN, PRINTED, program, project, start, startProcess, tidemark } from "./command.ts";

/** A program that reads nothing and waits; it prints `waiting` when it is first read from. */
const WAITING = `
import { pipeline } from "tidemark";

export default pipeline(import.meta, {
  name: "waiting",
  build(p) {
    let told = false;
    const reader = {
      poll() {
        if (!told) console.log("waiting");
        told = true;
        return "idle";
      },
      ready: () => new Promise((resolve) => READY),
      position: () => 0,
      close() {},
    };
    p.read("Nothing", { name: "nothing", bounded: false, splits: () => [0], open: () => reader }).write("End", {
      name: "end",
      open: () => ({
        write() {},
        seal: () => [],
        commit: async () => {},
        lastCommitted: async () => 0,
        finish: async () => console.log("finished"),
        close: () => CLOSED,
      }),
    });
  },
});
`;
const waiting = ({ ready = "setTimeout(resolve, 20)", closed = "undefined" } = {}): string =>
  WAITING.replace("READY", ready).replace("CLOSED", closed);

interface Event {
  readonly event: string;
  readonly [member: string]: unknown;
}
const eventsOf = (out: string): readonly Event[] =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);

describe.concurrent("a job", () => {
  test("ends with 0; its output is the program's own, and what is told goes to standard error", async ({ expect }) => {
    const ended = await tidemark(project({ "job.ts": program() }), "run", "job.ts");
    expect(ended).toMatchObject({ code: 0, out: PRINTED });
    expect(ended.err).toMatch(/^numbers: starting\nnumbers: done, \d+\.\d s, 3 elements, [\d,]+\/s\n$/);
  });

  test("--quiet says nothing when all is well, and still says errors", async ({ expect }) => {
    const folder = project({ "job.ts": program(), "bad.ts": program({ step: "() => { throw new Error('boom'); }" }) });
    expect(await tidemark(folder, "run", "--quiet", "job.ts")).toEqual({ code: 0, out: PRINTED, err: "" });
    const ended = await tidemark(folder, "run", "bad.ts", "--quiet");
    expect(ended.err).toMatch(/^tidemark: \[STEP_FAILED\]/);
  });

  test("--trace tells the journey of elements through a step, in words or as events", async ({ expect }) => {
    const folder = project({ "job.ts": program() });
    const told = await tidemark(folder, "run", "job.ts", "--trace", "Next:2", "--quiet");
    // What 1 becomes is a 2 as well.
    expect(told.err).toMatch(/^"Next" out 2 at .*\n"Next" in 2 at .* in global\n"Next" out 3 at .* in global\n$/);
    const ended = await tidemark(folder, "run", "job.ts", "--trace", "Next", "--json");
    const events = ended.out.split("\n").filter((line) => line.startsWith('{"event":"trace"'));
    expect(events.map((line) => JSON.parse(line) as object)).toMatchObject([
      { step: "Next", kind: "in", element: "1", windows: ["global"] },
      { step: "Next", kind: "out", output: "main", element: "2" },
      { element: "2" },
      { element: "3" },
      { element: "3" },
      { element: "4" },
    ]);
    const unknown = await tidemark(folder, "run", "job.ts", "--trace", "Nxt");
    expect(unknown.err).toMatch(/\[STEP_UNKNOWN\] .*\n.*did you mean "Next"\?/);
  });

  test("--json tells events, one a line, on standard output", async ({ expect }) => {
    const source = program().replace("process.stdout.write", "process.stderr.write");
    const ended = await tidemark(project({ "job.ts": source }), "run", "job.ts", "--json");
    expect(ended).toMatchObject({ code: 0, err: PRINTED });
    expect(eventsOf(ended.out)).toMatchObject([
      { event: "starting", job: "numbers" },
      { event: "done", job: "numbers", elementsRead: 3, watermark: "+∞" },
    ]);
  });

  test("that fails ends with 1, and names code, fix, step and the user's line", async ({ expect }) => {
    const folder = project({ "job.ts": program({ step: "(n) => n.x.y" }) });
    const ended = await tidemark(folder, "run", "job.ts");
    expect(ended.code).toBe(1);
    expect(ended.err).toContain("[STEP_FAILED]");
    expect(ended.err).toContain("\n  step: Next\n");
    expect(ended.err).toContain(join(folder, "job.ts:8:"));
    expect(ended.err).not.toContain("engine.ts");
  });

  test("--stack adds the stack, and that of the cause", async ({ expect }) => {
    const folder = project({ "job.ts": program({ step: "(n) => n.x.y" }) });
    const { err } = await tidemark(folder, "run", "job.ts", "--stack");
    expect(err).toMatch(/^ {4}at /m);
    expect(err).toContain("caused by TypeError");
  });

  test("--json tells an error as data", async ({ expect }) => {
    const ended = await tidemark(project({ "job.ts": program({ step: "(n) => n.x.y" }) }), "run", "job.ts", "--json");
    expect(ended).toMatchObject({ code: 1, err: "" });
    expect(eventsOf(ended.out).at(-1)).toMatchObject({
      event: "failed",
      error: { code: "STEP_FAILED", domain: "user", step: "Next" },
    });
  });

  test("--json tells an error of the command line as data, too", async ({ expect }) => {
    const ended = await tidemark(project({}), "run", "--json");
    expect(ended).toMatchObject({ code: 2, err: "" });
    expect(eventsOf(ended.out)).toMatchObject([{ event: "failed", error: { code: "USAGE" } }]);
  });

  test("--progress prints a line while it runs, with rate and watermark", async ({ expect }) => {
    const { child, printed, ended } = start(project({ "job.ts": waiting() }), ["run", "job.ts", "--progress"]);
    await printed("0/s, watermark -∞");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(143);
  });

  test("an open connection of the program does not keep the process when the job is done", async ({ expect }) => {
    const folder = project({ "job.ts": program({ before: "setInterval(() => {}, 1000);" }) });
    expect(await tidemark(folder, "run", "job.ts")).toMatchObject({ code: 0, out: PRINTED });
  });
});

/** A window that waits for a source which has gone quiet for good. */
const STUCK = `
import { countPerElement, eventTime, fixedWindows, pipeline } from "tidemark";

export default pipeline(import.meta, {
  name: "stuck",
  build(p) {
    let given = false;
    const reader = {
      poll(max, into) {
        if (!given) into.add(5000);
        else console.log("waiting");
        given = true;
        return "idle";
      },
      ready: () => new Promise((resolve) => setTimeout(resolve, 1100)),
      position: () => 0,
      close() {},
    };
    const ticks = { name: "ticks", bounded: false, splits: () => [0], open: () => reader };
    p.read("Ticks", ticks, { timestamps: eventTime((n) => n) })
      .windowInto(fixedWindows(60000))
      .apply("Count", countPerElement());
  },
});
`;
const NOT_FIRED = '"Count/Count" has not fired window [1970-01-01T00:00:00.000Z, 1970-01-01T00:01:00.000Z) of key 5000';

describe.concurrent("a job that is asked what is stuck", () => {
  test.skipIf(process.platform === "win32")("by SIGUSR2 tells it, and goes on", async ({ expect }) => {
    const { child, printed, ended } = start(project({ "job.ts": STUCK }), ["run", "job.ts"]);
    await printed("waiting");
    child.kill("SIGUSR2");
    await printed("has not fired");
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain(`stuck: ${NOT_FIRED}\n  needs its watermark after 1970-01-01T00:00:59.999Z`);
    expect(err).toMatch(
      /cause: source "Ticks" \(ticks\) gave its latest element at .*, and has been quiet for \d+\.\d s/,
    );
  });

  test.skipIf(process.platform === "win32")("with --json tells it as an event", async ({ expect }) => {
    const source = STUCK.replace("console.log", "console.error");
    const { child, printed, ended } = start(project({ "job.ts": source }), ["run", "job.ts", "--json"]);
    await printed("waiting");
    child.kill("SIGUSR2");
    await printed('"explanation"');
    child.kill("SIGINT");
    const told = eventsOf((await ended).out).find(({ event }) => event === "explanation");
    expect(told).toMatchObject({ job: "stuck", waiting: [{ step: "Count/Count", key: "5000" }] });
    expect(told?.["text"]).toContain(NOT_FIRED);
  });

  // The terminal is one of util-linux's `script`.
  test.skipIf(!existsSync("/usr/bin/script") || process.platform !== "linux")(
    "by a key tells it; Ctrl-C ends it, and leaves the terminal as it was",
    async ({ expect }) => {
      const folder = project({ "job.ts": STUCK });
      const line = `stty -a | grep -o -- '-\\?icanon'; '${process.execPath}' --conditions=tidemark-source '${MAIN}' run job.ts; echo "code $?"; stty -a | grep -o -- '-\\?icanon'`;
      const { child, printed, ended } = startProcess("/usr/bin/script", ["-qec", line, "/dev/null"], folder);
      await printed("waiting");
      child.stdin?.write("?");
      await printed("has not fired");
      child.stdin?.write("\u0003");
      const { out } = await ended;
      expect(out).toContain(`stuck: ${NOT_FIRED}`);
      expect(out).toContain("stuck: cancelled");
      expect(out).toContain("code 130");
      expect(out.match(/-?icanon/g)).toEqual(["icanon", "icanon"]);
    },
  );
});

describe.concurrent("the end of a job that does not end by itself", () => {
  test.for([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s cancels it: nothing is finished, exit code %i", async ([signal, code], { expect }) => {
    const { child, printed, ended } = start(project({ "job.ts": waiting() }), ["run", "job.ts"]);
    await printed("waiting");
    child.kill(signal);
    const { out, err, ...rest } = await ended;
    expect({ ...rest, out }).toEqual({ code, out: "waiting\n" });
    expect(err).toContain("waiting: cancelling");
    expect(err).toContain("waiting: cancelled, ");
  });

  test("with --checkpoint-dir a signal stops it; started again it goes on, and a job that was drained does not", async ({
    expect,
  }) => {
    const folder = project({ "job.ts": waiting() });
    const args = [
      "run",
      "job.ts",
      "--checkpoint-dir",
      "checkpoints",
      "--checkpoint-every",
      "10",
      "--state-memory",
      "0",
    ];
    for (const more of [[], ["--drain"]]) {
      const { child, printed, ended } = start(folder, [...args, ...more]);
      await printed("waiting");
      child.kill("SIGINT");
      const { code, out, err } = await ended;
      expect({ code, out }).toEqual({ code: 130, out: more.length === 0 ? "waiting\n" : "waiting\nfinished\n" });
      expect(err).toMatch(more.length === 0 ? /waiting: stopped, .* it goes on from here/ : /waiting: done/);
    }
    const { code, err } = await tidemark(folder, ...args);
    expect(code).toBe(1);
    expect(err).toContain("[CHECKPOINT_DRAINED]");
  });

  test("--drain: a signal has it fire and finish what is pending", async ({ expect }) => {
    const { child, printed, ended } = start(project({ "job.ts": waiting() }), ["run", "job.ts", "--drain"]);
    await printed("waiting");
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, out: "waiting\nfinished\n" });
  });

  test("a second signal ends the process at once, though the job still closes", async ({ expect }) => {
    const source = waiting({ closed: "new Promise(() => setInterval(() => {}, 1000))" });
    const { child, printed, ended } = start(project({ "job.ts": source }), ["run", "job.ts"]);
    await printed("waiting");
    child.kill("SIGINT");
    await printed("cancelling");
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
  });

  test("PROGRAM_UNCAUGHT: an error outside every call fails the job, which is closed first", async ({ expect }) => {
    const folder = project({
      "job.ts": waiting({
        ready: 'setTimeout(() => { throw new Error("stray"); })',
        closed: 'console.log("closed")',
      }),
    });
    const ended = await tidemark(folder, "run", "job.ts");
    expect(ended).toMatchObject({ code: 1, out: "waiting\nclosed\n" });
    expect(ended.err).toContain("[PROGRAM_UNCAUGHT]");
    expect(ended.err).toContain(`at: ${join(folder, "job.ts")}:`);
  });

  test("JOB_NEVER_SETTLED: a promise that nothing can settle is told, not taken for success", async ({ expect }) => {
    const ended = await tidemark(project({ "job.ts": waiting({ ready: "0" }) }), "run", "job.ts");
    expect(ended).toMatchObject({ code: 1, out: "waiting\n" });
    expect(ended.err).toContain("[JOB_NEVER_SETTLED]");
  });
});
