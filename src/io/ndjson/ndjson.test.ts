import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Collected, Folder, META, openAll, readAll } from "../text/line-io.fixture.ts";
import { ndjsonSink, ndjsonSource } from "./ndjson.ts";

const SEED = 20261123;

describe("reading", () => {
  test("each line is a value; blank lines are passed over", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", '\uFEFF{"a":"서울"}\r\n\n1\n \t\nnull\n"x"\n[1,2]');
    expect(await readAll(ndjsonSource(path))).toEqual([{ a: "서울" }, 1, null, "x", [1, 2]]);
  });

  test("NDJSON_INVALID names the file, the line's byte offset, what is wrong, and shows the line", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", `{"é":1}\n\n{"a":${"1".repeat(300)}\n`);
    await expect(readAll(ndjsonSource(path))).rejects.toMatchObject({
      code: "NDJSON_INVALID",
      what: expect.stringMatching(/^the line at byte 10 of .*a\.ndjson \(line 3\) is not valid: /) as unknown,
      context: { element: `{"a":${"1".repeat(115)}…` },
    });
  });

  test("a parse function makes the elements, and what it throws makes a line invalid", async () => {
    using folder = new Folder();
    const path = folder.file("a.ndjson", "1\n2\n3\n");
    const parse = (line: string): number => {
      if (line === "2") throw new Error("two is refused");
      return Number(line) * 10;
    };
    await expect(readAll(ndjsonSource(path, { parse }))).rejects.toMatchObject({
      code: "NDJSON_INVALID",
      cause: new Error("two is refused"),
    });
    expect(await readAll(ndjsonSource(path, { parse, onInvalid: "skip", onWarning: () => {} }))).toEqual([10, 30]);
  });

  test("an error of whoever takes the value is not one of the line", async () => {
    using folder = new Folder();
    const source = ndjsonSource(folder.file("a.ndjson", "1\n"), { onInvalid: "skip", onWarning: () => {} });
    const [split] = await source.splits(1);
    const reader = await source.open(split as NonNullable<typeof split>, undefined);
    const batch = new Collected<unknown>();
    batch.add = () => {
      throw new Error("downstream");
    };
    expect(() => reader.poll(1, batch)).toThrow("downstream");
    await reader.close();
  });

  test("skipped lines are counted over all files and readers, and told once, with the first one's place", async () => {
    using folder = new Folder();
    folder.file("a.ndjson", "1\n{\n2\n}\n");
    folder.file("b.ndjson", "x\n3\n");
    folder.file("c.ndjson", "4\n\n");
    const warnings: string[] = [];
    const source = ndjsonSource<number>(folder.at("*.ndjson"), {
      onInvalid: "skip",
      onWarning: (message) => warnings.push(message),
    });
    const readers = await openAll(source);
    const batch = new Collected<number>();
    for (const reader of readers) {
      expect(warnings).toEqual([]);
      while (reader.poll(1, batch) !== "end");
      await reader.close();
      await reader.close();
    }
    expect(batch.values).toEqual([1, 2, 3, 4]);
    expect(warnings).toEqual([
      `ndjson.read(${folder.at("*.ndjson")}) skipped invalid lines: 3, the first of them at byte 2 of ${folder.at("a.ndjson")} (line 2)`,
    ]);
  });

  test("nothing is told where nothing was skipped", async () => {
    using folder = new Folder();
    const warnings: string[] = [];
    await readAll(
      ndjsonSource(folder.file("a.ndjson", "1\n\n"), {
        onInvalid: "skip",
        onWarning: (message) => warnings.push(message),
      }),
    );
    expect(warnings).toEqual([]);
  });
});

describe("writing", () => {
  test("what is written comes back, whatever the chunks", async () => {
    using folder = new Folder();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ noUnicodeString: false }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 50 }),
        async (values, chunkBytes) => {
          const path = folder.at("a.ndjson");
          const writer = await ndjsonSink(path).open();
          for (const value of values) writer.write(value, META);
          await writer.finish?.();
          await writer.close();
          // −0 has no JSON of its own.
          expect(await readAll(ndjsonSource(path, { chunkBytes }))).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
      { seed: SEED, numRuns: 100 },
    );
  });

  test("NDJSON_NOT_JSON: values without JSON fail at the element", async () => {
    using folder = new Folder();
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const writer = await ndjsonSink(folder.at("a.ndjson")).open();
    for (const value of [undefined, () => 1, Symbol("s"), 1n, { deep: [1n] }, cyclic]) {
      expect(() => writer.write(value, META)).toThrow(/NDJSON_NOT_JSON/);
    }
    writer.write({ fine: true }, META);
    await writer.finish?.();
    await writer.close();
    expect(readFileSync(folder.at("a.ndjson"), "utf8")).toBe('{"fine":true}\n');
  });
});
