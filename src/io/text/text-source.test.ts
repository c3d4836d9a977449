import { mkdirSync, readdirSync, symlinkSync, truncateSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Collected, drain, Folder, openAll, readAll, readSplits } from "./line-io.fixture.ts";
import { textSource, type TextSourceOptions } from "./text.ts";

const SEED = 20261123;

/** The lines of a text by their definition: the slow twin. */
function linesOf(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

async function linesIn(content: string | Uint8Array, options: TextSourceOptions = {}): Promise<string[]> {
  using folder = new Folder();
  return await readAll(textSource(folder.file("a.txt", content), options));
}

describe("what a line is", () => {
  test.each([
    ["an empty file has no line", "", []],
    ["a file of one line feed has one empty line", "\n", [""]],
    ["the last line needs no end", "a\nb", ["a", "b"]],
    ["an end of the last line begins no further line", "a\nb\n", ["a", "b"]],
    ["blank lines are lines", "a\n\n\nb\n\n", ["a", "", "", "b", ""]],
    ["CRLF and LF may be mixed", "a\r\nb\nc\r\n", ["a", "b", "c"]],
    ["a CR without a line feed belongs to its line", "a\rb\r\nc\r", ["a\rb", "c\r"]],
    ["of two CRs before a line feed one belongs to the line", "a\r\r\n", ["a\r"]],
    ["a byte order mark is not part of the first line", "\uFEFFa\n\uFEFFb", ["a", "\uFEFFb"]],
    ["a file of nothing but a byte order mark has no line", "\uFEFF", []],
    ["a byte order mark and a line feed are one empty line", "\uFEFF\n", [""]],
    ["a zero byte is a character", "a\0b\n", ["a\0b"]],
  ])("%s", async (_rule, content, lines) => {
    expect(await linesIn(content)).toEqual(lines);
    expect(await linesIn(content, { chunkBytes: 1 })).toEqual(lines);
  });

  test("skipBlank leaves out empty lines and those of white space", async () => {
    expect(await linesIn("a\n\n \t\nb\r\n\r\n", { skipBlank: true })).toEqual(["a", "b"]);
  });

  test("latin1 reads each byte as one character", async () => {
    expect(await linesIn(Uint8Array.of(0xe9, 10, 0xff, 13, 10), { encoding: "latin1" })).toEqual(["é", "ÿ"]);
  });
});

// Characters of one to four bytes, both kinds of line end, and a mark.
const partArbitrary = fc.constantFrom("a", "bc", "é", "서울", "😀", "\n", "\r\n", "\r", "\uFEFF", " ");
const textArbitrary = fc
  .tuple(fc.constantFrom("", "\uFEFF"), fc.array(partArbitrary, { maxLength: 60, size: "max" }))
  .map(([mark, parts]) => mark + parts.join(""));

interface Cut {
  readonly chunkBytes: number;
  readonly splitBytes: number;
  readonly max: number;
}
const cutArbitrary: fc.Arbitrary<Cut> = fc.record({
  chunkBytes: fc.integer({ min: 1, max: 40 }),
  splitBytes: fc.integer({ min: 1, max: 50 }),
  max: fc.integer({ min: 1, max: 9 }),
});

describe("splits and positions", () => {
  test("L1, L2: however a file is split, chunked and polled, its lines come exactly once, in order", async () => {
    using folder = new Folder();
    await fc.assert(
      fc.asyncProperty(textArbitrary, cutArbitrary, async (text, { max, ...sizes }) => {
        const source = textSource(folder.file("a.txt", text), sizes);
        expect(await readAll(source, 2, max)).toEqual(linesOf(text));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("S1, L3: a reader opened at any position gives exactly the lines that were left", async () => {
    using folder = new Folder();
    await fc.assert(
      fc.asyncProperty(textArbitrary, cutArbitrary, async (text, { max, ...sizes }) => {
        const source = textSource(folder.file("a.txt", text), sizes);
        for (const split of await source.splits(2)) {
          const all = await drain(await source.open(split, undefined));
          const reader = await source.open(split, undefined);
          const batch = new Collected<string>();
          for (let over = false; !over; over = reader.poll(max, batch) === "end") {
            const rest = await drain(await source.open(split, reader.position()));
            expect(rest).toEqual(all.slice(batch.size));
          }
          expect(await drain(await source.open(split, reader.position()))).toEqual([]);
          await reader.close();
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  test("L3: positions count damaged bytes as they are in the file, not as they were replaced", async () => {
    using folder = new Folder();
    const damage = fc
      .array(fc.constantFrom([0x61], [10], [13, 10], [0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98, 0x80]), {
        maxLength: 40,
        size: "max",
      })
      .map((parts) => Uint8Array.from(parts.flat()));
    await fc.assert(
      fc.asyncProperty(damage, cutArbitrary, async (bytes, { max, ...sizes }) => {
        const source = textSource(folder.file("a.txt", bytes), { ...sizes, invalid: "replace" });
        const all = linesOf(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
        const [split] = await source.splits(1);
        const reader = await source.open(split as NonNullable<typeof split>, undefined);
        const batch = new Collected<string>();
        for (let over = false; !over; over = reader.poll(max, batch) === "end") {
          expect(await drain(await source.open(split as NonNullable<typeof split>, reader.position()))).toEqual(
            all.slice(batch.size),
          );
        }
        expect(batch.values).toEqual(all);
        await reader.close();
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  test("S1: a position asked for before the first poll is where the first line of the split begins", async () => {
    using folder = new Folder();
    const source = textSource(folder.file("a.txt", "0123456789\nab\ncd\n"), { splitBytes: 5 });
    const splits = await source.splits(2);
    const positions = (await openAll(source, 2)).map((reader) => reader.position());
    expect(splits.map(({ start, end }) => [start, end])).toEqual([
      [0, 5],
      [5, 10],
      [10, 15],
      [15, 17],
    ]);
    expect(positions).toEqual([0, 11, 11, 17]);
    expect(await readSplits(source, 2)).toEqual([["0123456789"], [], ["ab", "cd"], []]);
  });

  test("S2: where one reader is wanted a file is one split, whatever splitBytes says", async () => {
    using folder = new Folder();
    const source = textSource(folder.file("a.txt", "a\nb\nc\n"), { splitBytes: 1 });
    expect(await source.splits(1)).toEqual([{ file: folder.at("a.txt"), start: 0, end: 6 }]);
  });

  test("a poll hands out no more than it was asked for", async () => {
    using folder = new Folder();
    const source = textSource(folder.file("a.txt", "a\nb\nc\n"));
    const [split] = await source.splits(1);
    const reader = await source.open(split as NonNullable<typeof split>, undefined);
    const batch = new Collected<string>();
    expect([reader.poll(2, batch), batch.size]).toEqual(["more", 2]);
    expect([reader.poll(2, batch), batch.size]).toEqual(["end", 3]);
    await reader.close();
  });

  test("two readers that take turns do not disturb each other, though they share a buffer", async () => {
    using folder = new Folder();
    const source = textSource([folder.file("a.txt", "a1\na2\na3\n"), folder.file("b.txt", "b1\nb2\nb3\n")], {
      chunkBytes: 4,
    });
    const readers = await openAll(source);
    const batch = new Collected<string>();
    for (let turn = 0; turn < 3; turn++) for (const reader of readers) reader.poll(1, batch);
    expect(batch.values).toEqual(["a1", "b1", "a2", "b2", "a3", "b3"]);
    for (const reader of readers) await reader.close();
  });

  test.runIf(process.platform === "linux")(
    "S3: a file is open only between its first poll and its last byte",
    async () => {
      using folder = new Folder();
      const source = textSource(folder.file("a.txt", "a\nb\n"));
      const openFiles = (): number => readdirSync("/proc/self/fd").length;
      const before = openFiles();
      const [split] = await source.splits(1);
      const reader = await source.open(split as NonNullable<typeof split>, undefined);
      expect(openFiles()).toBe(before);
      expect(reader.poll(1, new Collected())).toBe("more");
      expect(openFiles()).toBe(before);
    },
  );
});

describe("which files", () => {
  test("F2: the matches of a pattern are sorted by name; patterns come in the order given", async () => {
    using folder = new Folder();
    mkdirSync(folder.at("sub"));
    for (const name of ["b.txt", "a10.txt", "a2.txt", "B.txt", "x.log", "sub/c.txt"]) folder.file(name, `${name}\n`);
    expect(await readAll(textSource([folder.at("*.log"), folder.at("*.txt")]))).toEqual([
      "x.log",
      "B.txt",
      "a10.txt",
      "a2.txt",
      "b.txt",
    ]);
    expect(await readAll(textSource(folder.at("**/c*")))).toEqual(["sub/c.txt"]);
  });

  test("a pattern passes over folders, and a file named twice is read once", async () => {
    using folder = new Folder();
    mkdirSync(folder.at("b.txt"));
    const path = folder.file("a.txt", "a\n");
    expect(await readAll(textSource([folder.at("*.txt"), path]))).toEqual(["a"]);
  });

  test("a file whose name looks like a pattern is meant literally where it exists", async () => {
    using folder = new Folder();
    folder.file("a1.txt", "no\n");
    expect(await readAll(textSource(folder.file("a[1].txt", "yes\n")))).toEqual(["yes"]);
  });

  test("an empty file is a split that ends at once", async () => {
    using folder = new Folder();
    expect(await readSplits(textSource([folder.file("a.txt", ""), folder.file("b.txt", "b")]))).toEqual([[], ["b"]]);
  });
});

describe("errors", () => {
  const codeOf = (code: string, ...texts: string[]): unknown =>
    expect.objectContaining({ code, message: expect.stringMatching(new RegExp(texts.join("[^]*"))) as unknown });

  test("FILE_NOT_FOUND names the path and the folder it begins in", async () => {
    await expect(readAll(textSource("missing/a.txt"))).rejects.toEqual(
      codeOf("FILE_NOT_FOUND", "missing/a\\.txt", process.cwd()),
    );
  });

  test("FILE_NOT_FOUND also where a file stands in a folder's place", async () => {
    using folder = new Folder();
    await expect(readAll(textSource(`${folder.file("a.txt", "")}/b.txt`))).rejects.toEqual(
      codeOf("FILE_NOT_FOUND", "a\\.txt/b\\.txt"),
    );
  });

  test("FILE_NOT_FOUND where a file goes away between listing and reading", async () => {
    using folder = new Folder();
    const source = textSource(folder.file("a.txt", "a\n"));
    const [split] = await source.splits(1);
    folder[Symbol.dispose]();
    await expect(drain(await source.open(split as NonNullable<typeof split>, undefined))).rejects.toEqual(
      codeOf("FILE_NOT_FOUND", "a\\.txt"),
    );
  });

  test("FILE_NO_MATCH names the pattern", async () => {
    using folder = new Folder();
    await expect(readAll(textSource(folder.at("*.txt")))).rejects.toEqual(
      codeOf("FILE_NO_MATCH", "no file matches .*/\\*\\.txt"),
    );
  });

  test("FILE_IS_DIRECTORY suggests a pattern", async () => {
    using folder = new Folder();
    await expect(readAll(textSource(folder.path))).rejects.toEqual(codeOf("FILE_IS_DIRECTORY", `${folder.path}/\\*`));
  });

  test("FILE_UNREADABLE: a link that leads to itself, and a device", async () => {
    using folder = new Folder();
    symlinkSync(folder.at("loop"), folder.at("loop"));
    await expect(readAll(textSource(folder.at("loop")))).rejects.toEqual(codeOf("FILE_UNREADABLE", "ELOOP"));
    await expect(readAll(textSource("/dev/null"))).rejects.toEqual(codeOf("FILE_UNREADABLE", "not a regular file"));
  });

  test.each([1, 2])(
    "FILE_CHANGED: a file that became shorter than the split being read (%i readers)",
    async (desired) => {
      using folder = new Folder();
      const source = textSource(folder.file("a.txt", "abc\nabc\nabc\n"), { splitBytes: 8 });
      const splits = await source.splits(desired);
      truncateSync(folder.at("a.txt"), 5);
      const last = splits.at(-1) as NonNullable<(typeof splits)[number]>;
      await expect(drain(await source.open(last, undefined))).rejects.toEqual(codeOf("FILE_CHANGED", "ends at byte 5"));
    },
  );

  test("TEXT_NOT_UTF8 names the line's own byte offset, also behind characters of several bytes", async () => {
    const bytes = Buffer.concat([Buffer.from("é\n서울\n"), Buffer.of(0x62, 0xff, 10), Buffer.from("c\n")]);
    await expect(linesIn(bytes)).rejects.toEqual(codeOf("TEXT_NOT_UTF8", "byte 10 of", "latin1", "element: b\uFFFD"));
    expect(await linesIn(bytes, { invalid: "replace" })).toEqual(["é", "서울", "b\uFFFD", "c"]);
  });

  test("TEXT_LINE_TOO_LONG: maxLineBytes is the longest line, whatever the chunks", async () => {
    for (const chunkBytes of [1, 3, 5, 6, 7, 64]) {
      expect(await linesIn("ab\n12345\ncd", { chunkBytes, maxLineBytes: 5 })).toEqual(["ab", "12345", "cd"]);
      expect(await linesIn("ab\n12345", { chunkBytes, maxLineBytes: 5 })).toEqual(["ab", "12345"]);
      await expect(linesIn("ab\n123456\ncd", { chunkBytes, maxLineBytes: 5 })).rejects.toEqual(
        codeOf("TEXT_LINE_TOO_LONG", "byte 3 of", "5 bytes"),
      );
      await expect(linesIn("ab\n123456", { chunkBytes, maxLineBytes: 5 })).rejects.toEqual(
        codeOf("TEXT_LINE_TOO_LONG", "byte 3 of"),
      );
    }
  });

  test("TRANSFORM_INVALID: no path, or a size that is none, fails when the program is built", () => {
    expect(() => textSource(undefined as never)).toThrow(codeOf("TRANSFORM_INVALID", "undefined"));
    expect(() => textSource([])).toThrow(codeOf("TRANSFORM_INVALID"));
    expect(() => textSource("a", { splitBytes: 0 })).toThrow(codeOf("TRANSFORM_INVALID", "splitBytes"));
  });
});
