import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SinkWriter } from "../../fn/sink.ts";
import { DirectWriter } from "./direct-writer.ts";
import { Folder, META } from "./line-io.fixture.ts";
import { textSink } from "./text.ts";

const SEED = 20261123;

async function writeAll(path: string, lines: readonly string[], header?: string): Promise<void> {
  const writer = await textSink(path, header === undefined ? {} : { header }).open();
  for (const line of lines) if (writer.write(line, META) === false) await writer.flush?.();
  await writer.finish?.();
  await writer.close();
}

function text(path: string): string {
  return readFileSync(path, "utf8");
}

describe("a run without checkpoints", () => {
  test("W1: the file appears whole, and only when the input is over", async () => {
    using folder = new Folder();
    const writer = await textSink(folder.at("new/out.txt")).open();
    writer.write("서울", META);
    writer.write("", META);
    await writer.flush?.();
    expect(existsSync(folder.at("new/out.txt"))).toBe(false);
    await writer.finish?.();
    await writer.close();
    expect(text(folder.at("new/out.txt"))).toBe("서울\n\n");
    expect(readdirSync(folder.at("new"))).toEqual(["out.txt"]);
  });

  test.each(["abort", "close"] as const)(
    "W1: after %s without finish the old file is untouched and nothing is left beside it",
    async (end) => {
      using folder = new Folder();
      const path = folder.file("out.txt", "old\n");
      const writer = await textSink(path).open();
      writer.write("new", META);
      await writer.flush?.();
      await writer[end]?.();
      await writer.close();
      expect(text(path)).toBe("old\n");
      expect(readdirSync(folder.path)).toEqual(["out.txt"]);
    },
  );

  test("a run with no element writes an empty file, or the header alone", async () => {
    using folder = new Folder();
    await writeAll(folder.at("a"), []);
    await writeAll(folder.at("b"), [], "word,count");
    await writeAll(folder.at("c"), ["to,2"], "word,count");
    expect([text(folder.at("a")), text(folder.at("b")), text(folder.at("c"))]).toEqual([
      "",
      "word,count\n",
      "word,count\nto,2\n",
    ]);
  });

  test("W2: much text comes out complete and in order, and `write` says when to wait", async () => {
    using folder = new Folder();
    const lines = Array.from({ length: 600 }, (_, i) => `${i} ${"é".repeat(20_000)}`);
    const writer = await textSink(folder.at("out.txt")).open();
    // No turn of the event loop in between, so nothing can have reached the file yet.
    expect(lines.map((line) => writer.write(line, META)).lastIndexOf(false)).toBeGreaterThan(0);
    await writer.flush?.();
    expect(writer.write("last", META)).toBe(true);
    await writer.finish?.();
    await writer.close();
    expect(text(folder.at("out.txt"))).toBe(`${lines.join("\n")}\nlast\n`);
  });

  test("two writers of one file do not meet: the last to finish wins, whole", async () => {
    using folder = new Folder();
    const [first, second] = await Promise.all([
      textSink(folder.at("out.txt")).open(),
      textSink(folder.at("out.txt")).open(),
    ]);
    first.write("first", META);
    second.write("second", META);
    await second.finish?.();
    await first.finish?.();
    await Promise.all([first.close(), second.close()]);
    expect(text(folder.at("out.txt"))).toBe("first\n");
    expect(readdirSync(folder.path)).toEqual(["out.txt"]);
  });

  test("it says which file it replaces, however that is written", () => {
    expect(textSink("out/../out/words.txt").replaces).toBe(resolve("out/words.txt"));
  });

  test("a link stays a link, and the file keeps its permissions", async () => {
    using folder = new Folder();
    chmodSync(folder.file("real.txt", "old\n"), 0o600);
    symlinkSync(folder.at("real.txt"), folder.at("link.txt"));
    await writeAll(folder.at("link.txt"), ["new"]);
    expect(text(folder.at("real.txt"))).toBe("new\n");
    expect(statSync(folder.at("real.txt")).mode & 0o777).toBe(0o600);
  });

  test("A1: what a killed run has left is removed; what can still be somebody's is not", async () => {
    using folder = new Folder();
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const here = encodeURIComponent(hostname());
    const left = `out.txt.tmp-${here}-${dead}-1`;
    const ownAndOld = `out.txt.tmp-${here}-${process.pid}-7`;
    const kept = [
      `out.txt.tmp-${here}-${process.pid}-8`,
      `out.txt.tmp-${here}-${process.ppid}-1`,
      `out.txt.tmp-another%20host-${dead}-1`,
      `out.txt.tmp-job-${dead}-1`,
      `other.txt.tmp-${here}-${dead}-1`,
    ];
    for (const name of [left, ownAndOld, ...kept]) folder.file(name, "half");
    utimesSync(folder.at(ownAndOld), 1, 1);
    await writeAll(folder.at("out.txt"), ["a"]);
    expect(readdirSync(folder.path).toSorted()).toEqual(["out.txt", ...kept].toSorted());
  });

  test("sink K6: it has no epochs", async () => {
    using folder = new Folder();
    const writer = await textSink(folder.at("out.txt")).open();
    expect(() => writer.seal(1)).toThrow(/sink K6/);
    await writer.close();
  });
});

const JOB = { jobId: "job/1" };

function openJob(path: string, header?: string): Promise<SinkWriter<string>> {
  return Promise.resolve(textSink(path, header === undefined ? {} : { header }).open(JOB));
}

describe("a durable job", () => {
  test("W1: what was not committed is not in the file; after the end nothing lies beside it", async () => {
    using folder = new Folder();
    const path = folder.at("out.txt");
    const writer = await openJob(path, "head");
    writer.write("a", META);
    const first = writer.seal(1);
    writer.write("b", META);
    await writer.commit(1, first);
    expect(await writer.lastCommitted()).toBe(1);
    expect(readFileSync(folder.at("out.txt.tmp-job%2F1"), "utf8")).toBe("head\na\n");
    await writer.commit(2, writer.seal(2));
    expect(existsSync(path)).toBe(false);
    await writer.finish?.();
    await writer.close();
    expect(text(path)).toBe("head\na\nb\n");
    expect(readdirSync(folder.path)).toEqual(["out.txt"]);
  });

  test("W2, K3: whatever is cut off and repeated, every epoch is in the file once", async () => {
    const epochs = fc.array(fc.array(fc.constantFrom("a", "é", "long".repeat(9), ""), { maxLength: 4 }), {
      maxLength: 6,
    });
    // For each epoch: how often the job dies after sealing it, and whether it dies in the middle of the append or after the commit.
    const deaths = fc.array(fc.constantFrom("none", "beforeCommit", "torn", "afterCommit", "twice"), {
      minLength: 6,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(epochs, deaths, async (lines, dies) => {
        using folder = new Folder();
        const path = folder.at("out.txt");
        let writer = await openJob(path, "head");
        for (const [i, texts] of lines.entries()) {
          const epoch = i + 1;
          for (const line of texts) writer.write(line, META);
          const sealed = writer.seal(epoch);
          const death = dies[i];
          if (death === "afterCommit" || death === "twice") await writer.commit(epoch, sealed);
          if (death === "torn") writeFileSync(`${path}.tmp-job%2F1`, "half an app", { flag: "a" });
          if (death === "twice") await writer.commit(epoch, sealed);
          if (death !== "none") {
            await writer.abort?.();
            writer = await openJob(path, "head");
            expect(await writer.lastCommitted()).toBe(death === "afterCommit" || death === "twice" ? epoch : i);
          }
          await writer.commit(epoch, sealed);
        }
        await writer.finish?.();
        await writer.close();
        expect(text(path)).toBe(["head", ...lines.flat()].map((line) => `${line}\n`).join(""));
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test("W4: a job that dies between the end and its record ends again, and changes nothing", async () => {
    using folder = new Folder();
    const path = folder.at("out.txt");
    const writer = await openJob(path);
    writer.write("a", META);
    const sealed = writer.seal(1);
    await writer.commit(1, sealed);
    await writer.finish?.();
    const again = await openJob(path);
    await again.commit(1, sealed);
    await again.finish?.();
    await again.close();
    expect(text(path)).toBe("a\n");
    expect(readdirSync(folder.path)).toEqual(["out.txt"]);
  });

  test("abort keeps what is committed, for the restart", async () => {
    using folder = new Folder();
    const writer = await openJob(folder.at("out.txt"));
    writer.write("a", META);
    await writer.commit(1, writer.seal(1));
    writer.write("lost", META);
    await writer.abort?.();
    await writer.close();
    const again = await openJob(folder.at("out.txt"));
    expect(again.seal(2)).toEqual([]);
    await again.finish?.();
    await again.close();
    expect(text(folder.at("out.txt"))).toBe("a\n");
  });

  test("a new job does not go on with an older one's output", async () => {
    using folder = new Folder();
    const writer = await openJob(folder.at("out.txt"));
    await writer.commit(1, [Buffer.from("old\n")]);
    const other = await textSink(folder.at("out.txt")).open({ jobId: "job/2" });
    expect(await other.lastCommitted()).toBe(0);
  });

  test("SINK_STATE_DAMAGED: committed text that is gone, or a record that cannot be read", async () => {
    using folder = new Folder();
    const path = folder.at("out.txt");
    await (await openJob(path)).commit(1, [Buffer.from("a\n")]);
    writeFileSync(`${path}.tmp-job%2F1`, "");
    await expect((await openJob(path)).commit(2, [])).rejects.toMatchObject({
      code: "SINK_STATE_DAMAGED",
      why: "it has 0 bytes, and 2 were committed",
    });
    for (const record of ["{", "{}", "null"]) {
      writeFileSync(`${path}.tmp-job%2F1.json`, record);
      await expect(openJob(path)).rejects.toMatchObject({ code: "SINK_STATE_DAMAGED" });
    }
  });
});

describe("errors", () => {
  test.each([undefined, JOB])(
    "FILE_IS_DIRECTORY, FILE_UNWRITABLE: refused before anything is written (%o)",
    async (job) => {
      using folder = new Folder();
      mkdirSync(folder.at("dir"));
      await expect(textSink(folder.at("dir")).open(job)).rejects.toMatchObject({ code: "FILE_IS_DIRECTORY" });
      await expect(textSink(`${folder.file("a.txt", "")}/out.txt`).open(job)).rejects.toMatchObject({
        code: "FILE_UNWRITABLE",
      });
      await expect(textSink("/dev/null").open(job)).rejects.toMatchObject({
        code: "FILE_UNWRITABLE",
        what: "/dev/null is not a regular file",
      });
    },
  );

  test("W3: a file that cannot be renamed into place is FILE_UNWRITABLE", async () => {
    using folder = new Folder();
    const writer = await textSink(folder.at("out.txt")).open();
    mkdirSync(folder.at("out.txt"));
    await expect(writer.finish?.()).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
    await writer.close();
    expect(readdirSync(folder.path)).toEqual(["out.txt"]);
  });

  test.runIf(existsSync("/dev/full"))("W3: a full disk comes out of flush, and of each later call", async () => {
    using folder = new Folder();
    symlinkSync("/dev/full", folder.at("aside"));
    const writer: SinkWriter<string> = new DirectWriter(
      { path: folder.at("out.txt"), mode: undefined },
      { path: folder.at("aside"), handle: await open(folder.at("aside"), "w") },
      "",
      (line: string) => line,
    );
    writer.write("a", META);
    await expect(writer.flush?.()).rejects.toMatchObject({ code: "FILE_UNWRITABLE", fix: "make room on the disk" });
    await expect(writer.finish?.()).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
    await writer.close();
    expect(existsSync(folder.at("out.txt"))).toBe(false);
  });

  test("TEXT_NOT_STRING: other values are not turned into strings by guessing", async () => {
    using folder = new Folder();
    const writer = await textSink(folder.at("out.txt")).open();
    for (const value of [1, null, undefined, {}])
      expect(() => writer.write(value as never, META)).toThrow(/TEXT_NOT_STRING/);
    await writer.close();
  });

  test("TRANSFORM_INVALID: no path fails when the program is built", () => {
    expect(() => textSink(undefined as never)).toThrow(/TRANSFORM_INVALID/);
  });
});
