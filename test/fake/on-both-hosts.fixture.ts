/**
 * Runs a program of programs.fixture.ts on the embedded engine and on the fake runner, in a process in which Node itself loads
 * modules: `on-both-hosts.fixture.ts FOLDER NAME INPUT …` prints, by name, the sorted lines of both.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EmbeddedJob } from "../../src/runners/embedded/job.ts";
import { FakeJob, submit } from "../../src/runners/fake/fake-job.ts";
import { simulatedJobClock } from "../../src/testing/simulated-job-clock.ts";

const PROGRAM = join(import.meta.dirname, "programs.fixture.ts");
const [folder = "", prefetch = "", ...rest] = process.argv.slice(2);
const linesOf = (path: string): string[] => readFileSync(path, "utf8").split("\n").slice(0, -1).sort();

interface Result {
  embedded: string[];
  fake: string[];
  /** How many elements collections have had, by their ids; the fake runner's graph has the same and more. */
  elements: { embedded: Record<number, number>; fake: Record<number, number> };
  requests: number;
  messages: number;
}

const results: Record<string, Result> = {};
for (let i = 0; i < rest.length; i += 2) {
  const [name = "", input = ""] = rest.slice(i, i + 2);
  const [embedded, fake] = [join(folder, "embedded"), join(folder, "fake")];
  const { graph, options } = await submit(PROGRAM, { name, input, output: embedded });
  const common = { clock: simulatedJobClock(), options, encoded: false, strict: true, warn: () => {} };
  const own = await new EmbeddedJob(graph, common).done;
  const submitted = await submit(PROGRAM, { name, input, output: fake });
  const job = await FakeJob.start(submitted, {
    clock: simulatedJobClock(),
    strict: true,
    prefetchKeys: Number(prefetch),
  });
  const other = await job.done;
  results[name] = {
    // What user code counted is part of what a host gives.
    embedded: [...linesOf(embedded), ...own.user.map((metric) => JSON.stringify(metric))],
    fake: [...linesOf(fake), ...other.user.map((metric) => JSON.stringify(metric))],
    elements: { embedded: Object.fromEntries(own.elements), fake: Object.fromEntries(other.elements) },
    ...job.stateTraffic,
  };
}
process.stdout.write(JSON.stringify(results));
