/** Rows in PostgreSQL, on a real server: the contract of sinks, updates by key, and a server that goes away. */
import { pipeline, postgres, type Program, run, type TidemarkError } from "tidemark";
import { checkSink, runTest, type SinkCheck } from "tidemark/testing";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { begun, pacedNumbers } from "../durable/paced-numbers.ts";
import { type PostgresServer, query, startPostgres } from "./postgres.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

interface Line {
  readonly id: number;
  readonly text: string;
}

const values: Line[] = Array.from({ length: 12 }, (_, id) => ({ id, text: `'${id}"; DROP TABLE x; 서울` }));

function check(prefix: string, more: Partial<postgres.PostgresWriteOptions<Line>> = {}): SinkCheck<Line> {
  const tableOf = (play: number): string => `${prefix} "${play}`;
  const made = (play: number): Promise<unknown> =>
    query(
      server.url,
      `CREATE TABLE IF NOT EXISTS "${prefix} ""${play}" (id int ${more.key ? "PRIMARY KEY" : ""}, "the text" text)`,
    );
  return {
    sink: (play) => ({
      name: `lines of play ${play}`,
      async open(job) {
        await made(play);
        const columns = ["id", "the text"];
        const row = ({ id, text }: Line) => [id, text];
        return postgres.postgresSink({ connection: server.url, table: tableOf(play), columns, row, ...more }).open(job);
      },
    }),
    values,
    async visible(play) {
      await made(play);
      return (await query(server.url, `SELECT id, "the text" AS text FROM "${prefix} ""${play}"`)) as unknown as Line[];
    },
  };
}

test("each row once, whatever is killed; the text of a row is never part of a statement", async () => {
  await checkSink(check("lines"));
});

test("eager rows come at least once; with a key they are there once", async () => {
  await checkSink({ ...check("eager", { commit: "eager" }), guarantee: "at-least-once" });
  await checkSink({ ...check("keyed", { commit: "eager", key: ["id"] }), guarantee: "idempotent" });
});

test("without checkpoints, and with a key, the last row of a key stands; kinds of values keep theirs", async () => {
  await query(
    server.url,
    "CREATE TABLE kinds (id int PRIMARY KEY, flag boolean, bytes bytea, big bigint, nothing text)",
  );
  const sink = postgres.postgresSink({
    connection: server.url,
    table: "public.kinds",
    columns: ["id", "flag", "bytes", "big", "nothing"],
    key: ["id"],
    row: (flag: boolean) => [1, flag, new Uint8Array([7]), 2n ** 60n, null],
  });
  await runTest((p) => p.create([false, true]).write("Kinds", sink), { timeout: 20_000 });
  expect(await query(server.url, "SELECT * FROM kinds")).toEqual([
    { id: 1, flag: true, bytes: Buffer.from([7]), big: String(2n ** 60n), nothing: null },
  ]);
});

test("SQL_FAILED, SQL_UNAVAILABLE: a table that is not there fails the job, a server that is not there is named so", async () => {
  const write = async (connection: string): Promise<TidemarkError> => {
    const sink = postgres.postgresSink({ connection, table: "none", columns: ["a"], row: (n: number) => [n] });
    const failed = runTest((p) => p.create([1]).write("Rows", sink), { timeout: 20_000 });
    return (await failed.catch((error: unknown) => error)) as TidemarkError;
  };
  const refused = await write(server.url);
  expect([refused.code, refused.what]).toEqual([
    "SQL_FAILED",
    'postgres(none) could not be written to: relation "none" does not exist',
  ]);
  const away = await write("postgres://postgres@127.0.0.1:1/none");
  expect([away.code, away.context.step]).toEqual(["SQL_UNAVAILABLE", "Rows"]);
});

test("connections that the server cuts are made anew, and no row is lost or twice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-cut-"));
  await query(server.url, "CREATE TABLE cut (n int)");
  const TOTAL = 200;
  const progress = begun();
  const program = pipeline({
    name: "cut",
    build: (p) =>
      p
        .read("Numbers", pacedNumbers(TOTAL, progress, 10))
        .apply(postgres.write({ connection: server.url, table: "cut", columns: ["n"], row: (n: number) => [n] })),
  }) as Program;
  const job = run(program, {}, { checkpoint: { dir: join(folder, "checkpoints"), everyMs: 2 } });
  const others =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'";
  const commitsAfter = async (before: number): Promise<void> => {
    while (progress.safe <= before && progress.safe < TOTAL && job.state !== "failed")
      await new Promise((resolve) => setImmediate(resolve));
  };
  // Not before it is open: a server that is away then fails the job at once.
  await commitsAfter(0);
  for (let cuts = 0; cuts < 5; cuts++) {
    const before = progress.safe;
    await query(server.url, others);
    await commitsAfter(before);
  }
  await job.wait();
  const rows = await query(server.url, "SELECT n FROM cut ORDER BY n");
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: TOTAL }, (_, n) => n));
  rmSync(folder, { recursive: true });
});

test("PACKAGE_MISSING: where pg is not installed, the sink says so when it is opened", () => {
  const code = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(name, context, next) {
        if (name === "pg") throw Object.assign(new Error("Cannot find package 'pg'"), { code: "ERR_MODULE_NOT_FOUND" });
        return next(name, context);
      },
    });
    const { postgres } = await import("tidemark");
    const sink = postgres.postgresSink({ connection: "", table: "t", columns: ["a"], row: (a) => [a] });
    await sink.open().catch((error) => console.log(error.code, error.fix));`;
  const args = ["--conditions=tidemark-source", "--input-type=module", "-e", code];
  const said = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  expect(said).toBe("PACKAGE_MISSING npm install pg\n");
});
