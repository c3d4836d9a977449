/** Rows in SQLite: the contract of sinks, updates by key, and what is said where a table does not fit. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isTidemarkError, sqlite } from "tidemark";
import { checkSink, runTest, type SinkCheck } from "tidemark/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-sqlite-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Line {
  readonly id: number;
  readonly text: string;
}

const TABLE = 'a "table"';
const values: Line[] = Array.from({ length: 12 }, (_, id) => ({ id, text: `'${id}"; DROP TABLE x; 서울` }));
const fileOf = (play: number): string => join(folder, `${play}.db`);

/** @param play its database is made where it is not there */
function database(play: number, keyed: boolean): DatabaseSync {
  const db = new DatabaseSync(fileOf(play));
  db.exec(`CREATE TABLE IF NOT EXISTS "a ""table""" (id INTEGER ${keyed ? "PRIMARY KEY" : ""}, "the text" TEXT)`);
  return db;
}

function visible(play: number, keyed: boolean): Line[] {
  const db = database(play, keyed);
  const rows = db.prepare('SELECT id, "the text" AS text FROM "a ""table"""').all() as unknown as Line[];
  db.close();
  return rows.map(({ id, text }) => ({ id, text }));
}

function check(more: Partial<Parameters<typeof sqlite.sqliteSink<Line>>[0]> = {}): SinkCheck<Line> {
  const keyed = more.key !== undefined;
  return {
    sink(play) {
      database(play, keyed).close();
      return sqlite.sqliteSink({
        file: fileOf(play),
        table: TABLE,
        columns: ["id", "the text"],
        row: ({ id, text }: Line) => [id, text],
        ...more,
      });
    },
    values,
    visible: (play) => visible(play, keyed),
  };
}

test("each row once, whatever is killed; the text of a row is never part of a statement", async () => {
  await checkSink(check());
});

test("eager rows come at least once; with a key they are there once", async () => {
  await checkSink({ ...check({ commit: "eager" }), guarantee: "at-least-once" });
  rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), "tidemark-sqlite-"));
  await checkSink({ ...check({ commit: "eager", key: ["id"] }), guarantee: "idempotent" });
});

test("without checkpoints, and with a key, the last row of a key stands; booleans, bytes and large integers keep their values", async () => {
  const db = new DatabaseSync(fileOf(0));
  db.exec("CREATE TABLE kinds (id INTEGER PRIMARY KEY, flag INTEGER, bytes BLOB, big INTEGER, [nothing] TEXT)");
  const sink = sqlite.sqliteSink({
    file: fileOf(0),
    table: "kinds",
    columns: ["id", "flag", "bytes", "big", "nothing"],
    key: ["id"],
    row: (flag: boolean) => [1, flag, new Uint8Array([7]), 2n ** 60n, null],
  });
  await runTest((p) => p.create([false, true]).write("Kinds", sink));
  const select = db.prepare("SELECT * FROM kinds");
  select.setReadBigInts(true);
  expect(select.all().map((row) => ({ ...row }))).toEqual([
    { id: 1n, flag: 1n, bytes: new Uint8Array([7]), big: 2n ** 60n, nothing: null },
  ]);
  db.close();
});

async function codeOf(action: () => unknown): Promise<[string, string]> {
  const error: unknown = await Promise.resolve()
    .then(action)
    .catch((cause: unknown) => cause);
  if (!isTidemarkError(error)) throw new Error("no coded error", { cause: error });
  return [error.code, error.what];
}

test("SQL_FAILED, SQL_ROW_INVALID, TRANSFORM_INVALID: a table that is not there, a row that does not fit, options that make no sense", async () => {
  const options = { file: fileOf(0), table: "t", columns: ["a"], row: (n: number) => [n] };
  const write = (sink: ReturnType<typeof sqlite.sqliteSink<number>>) =>
    runTest((p) => p.create([1]).write("Rows", sink));
  expect(await codeOf(() => write(sqlite.sqliteSink(options)))).toEqual([
    "SQL_FAILED",
    `sqlite(${fileOf(0)}, t) could not be written to: no such table: t`,
  ]);
  new DatabaseSync(fileOf(0)).exec("CREATE TABLE t (a INTEGER CHECK (a > 5))");
  expect((await codeOf(() => write(sqlite.sqliteSink(options))))[0]).toBe("SQL_FAILED");
  const two = { ...options, row: (n: number) => [n, n] };
  expect(await codeOf(() => write(sqlite.sqliteSink(two)))).toEqual([
    "SQL_ROW_INVALID",
    "row() of sqlite.write to t gave 2 values",
  ]);
  for (const wrong of [
    { ...options, table: "" },
    { ...options, columns: [] },
    { ...options, key: ["b"] },
    { ...options, row: 1 as never },
    { ...options, commit: "soon" as never },
  ])
    expect((await codeOf(() => sqlite.sqliteSink(wrong)))[0]).toBe("TRANSFORM_INVALID");
});
