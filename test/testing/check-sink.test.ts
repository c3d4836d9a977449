/** The kit for sinks: those of this package keep the contract, and what breaks it is found. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isTidemarkError, ndjson, type Sink, type SinkWriter, text, type TidemarkError } from "tidemark";
import { checkSink, type SinkCheck } from "tidemark/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-sinks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const values = Array.from({ length: 20 }, (_, i) => `${i} 서울`);
const pathOf = (play: number): string => join(folder, `out-${play}.txt`);
const linesOf = (play: number): string[] =>
  existsSync(pathOf(play)) ? readFileSync(pathOf(play), "utf8").split("\n").slice(0, -1) : [];

test("a file that appears at the end, and logs of text and JSON, have each line once", async () => {
  await checkSink({ sink: (play) => text.textSink(pathOf(play)), values, visible: linesOf, appears: "at-end" });
  rmSync(folder, { recursive: true });
  await checkSink({ sink: (play) => text.textSink(pathOf(play), { append: true }), values, visible: linesOf });
  rmSync(folder, { recursive: true });
  await checkSink({
    sink: (play) => ndjson.ndjsonSink(pathOf(play), { append: true }),
    values: values.map((name) => ({ name })),
    visible: (play) => linesOf(play).map((line) => JSON.parse(line) as { name: string }),
  });
});

test("a log that does not wait for checkpoints has each line once at least", async () => {
  const check: SinkCheck<string> = {
    sink: (play) => text.textSink(pathOf(play), { append: true, commit: "eager" }),
    values,
    visible: linesOf,
  };
  await checkSink({ ...check, guarantee: "at-least-once" });
  rmSync(folder, { recursive: true });
  // And not once at most.
  await expect(checkSink(check)).rejects.toThrow(/SINK_CONTRACT/);
});

/** A place in memory that outlives writers. */
interface Place {
  readonly lines: string[];
  last: number;
}

/** A sink that keeps the contract, where nothing is changed about it. */
function memorySink(
  places: Map<number, Place>,
  play: number,
  change: (writer: SinkWriter<string>, place: Place) => void,
) {
  const sink: Sink<string> = {
    name: "memory",
    open() {
      let place = places.get(play);
      if (place === undefined) places.set(play, (place = { lines: [], last: 0 }));
      const kept = place;
      let text = "";
      const writer: SinkWriter<string> = {
        write: (value) => void (text += `${value}\n`),
        seal() {
          const sealed = Buffer.from(text);
          text = "";
          return [sealed];
        },
        commit(epoch, chunks) {
          if (epoch <= kept.last) return Promise.resolve();
          kept.last = epoch;
          for (const chunk of chunks) kept.lines.push(...Buffer.from(chunk).toString().split("\n").slice(0, -1));
          return Promise.resolve();
        },
        lastCommitted: () => Promise.resolve(kept.last),
        close: () => {},
      };
      change(writer, kept);
      return writer;
    },
  };
  return sink;
}

async function outcome(change: (writer: SinkWriter<string>, place: Place) => void): Promise<string> {
  const places = new Map<number, Place>();
  try {
    await checkSink({
      sink: (play) => memorySink(places, play, change),
      values,
      visible: (play) => places.get(play)?.lines ?? [],
    });
    return "kept";
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return error.what;
  }
}

test.each<[name: string, found: RegExp | "kept", change: (writer: SinkWriter<string>, place: Place) => void]>([
  ["nothing", "kept", () => {}],
  [
    "commits again what was committed",
    /K2.*visible more than once/,
    (writer, place) => {
      const { commit } = writer;
      writer.commit = (epoch, chunks) => {
        place.last = Math.min(place.last, epoch - 1);
        return commit(epoch, chunks);
      };
    },
  ],
  [
    "shows what was not committed",
    /K2.*visible, and not committed/,
    (writer, place) => {
      writer.write = (value) => void place.lines.push(value);
      writer.seal = () => [];
    },
  ],
  [
    "forgets what was sealed",
    /K2.*is not visible/,
    (writer) => {
      writer.commit = () => Promise.resolve();
    },
  ],
  [
    "says that nothing has been committed",
    /K3.*lastCommitted\(\) is 0/,
    (writer) => {
      writer.lastCommitted = () => Promise.resolve(0);
    },
  ],
  [
    "is ahead",
    /K3.*lastCommitted\(\) of a new job is 7/,
    (writer) => {
      writer.lastCommitted = () => Promise.resolve(7);
    },
  ],
  [
    "takes back what it has shown",
    /K4.*is not visible/,
    (writer, place) => {
      writer.finish = () => {
        place.lines.pop();
        return Promise.resolve();
      };
    },
  ],
])("a sink that %s", async (_, found, change) => {
  expect(await outcome(change)).toMatch(found);
});

test("SINK_CONTRACT says which play it was", async () => {
  const places = new Map<number, Place>();
  const failing = checkSink({
    sink: (play) => memorySink(places, play, (writer) => (writer.commit = () => Promise.resolve())),
    values,
    visible: (play) => places.get(play)?.lines ?? [],
  });
  const error = (await failing.catch((cause: unknown) => cause)) as TidemarkError;
  expect([error.code, error.why]).toEqual([
    "SINK_CONTRACT",
    "play 0, never killed; jobs that are started again would lose output, or put it out twice",
  ]);
});
