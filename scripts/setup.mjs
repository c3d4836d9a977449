/**
 * The front door: `npm start`, `npm test` and the commands below work from a fresh clone, on any Node from 20 on.
 * It installs what is missing, then hands over to the real command on the repository's own Node.
 *
 * S1 Plain JavaScript, nothing imported but Node: it runs before anything is installed, on an old Node.
 * S2 Standard output belongs to the command alone: the installation talks on standard error.
 * S3 The command gets the arguments, the terminal and the signals; its exit code or signal becomes ours.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const fromSource = "--conditions=tidemark-source";
/** As in the first line of src/cli/main.ts. */
const smallYoungGeneration = "--max-semi-space-size=16";
const vitest = "node_modules/vitest/vitest.mjs";

/** Name -> what Node runs; the caller's arguments follow. */
const COMMANDS = {
  start: [smallYoungGeneration, fromSource, "labs/live-trending/main.ts"],
  test: [vitest, "run"],
  "kill-me": [fromSource, "labs/6-kill-me/main.ts"],
  conformance: [fromSource, "scripts/conformance.ts"],
  nexmark: [smallYoungGeneration, fromSource, "src/cli/main.ts", "run", "bench/nexmark/nexmark.ts"],
  mutants: [fromSource, "scripts/mutants.ts"],
  bench: ["bench/main.ts"],
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...rest] = process.argv.slice(2);
const command = COMMANDS[name];
if (command === undefined) {
  console.error(`usage: node scripts/setup.mjs ${Object.keys(COMMANDS).join(" | ")} [arguments]`);
  process.exit(2);
}

if (!installed()) install();
run(ownNode(), [...command, ...rest]);

/** Whether node_modules holds what package-lock.json names. Cost: two files read, about 5 ms. */
function installed() {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const present = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    // The root entry is the project itself; optional packages are those of other platforms.
    if (path === "" || entry.optional === true) return true;
    return present[path] !== undefined && present[path].version === entry.version;
  });
}

/** The `packages` of a lock file; undefined when it is absent, or cut off by an installation that was killed. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function install() {
  console.error("Installing dependencies (npm ci), once …");
  // A package's wish for a newer Node is no reason to warn: the commands run on the Node that is being installed.
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  // npm tells its scripts where it is; started by hand, we look on the PATH.
  const npm = process.env.npm_execpath;
  const done =
    npm !== undefined && /\.c?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", 2, 2] })
      : spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (done.status === 0) return;
  fail(
    `npm ci failed${done.error === undefined ? "" : `: ${done.error.message}`}.`,
    "See npm's message above; behind a proxy, check `npm config get registry`. Then run the same command again.",
  );
}

/** The Node of the devDependencies; else the one that runs this file, if it is new enough. */
function ownNode() {
  const own = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(own) && statSync(own).size > 0) return own;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if ((major === 22 && minor >= 22) || (major === 24 && minor >= 6) || major > 24) return process.execPath;
  return fail(
    `Node ${process.versions.node} is too old, and node_modules holds no newer one (were install scripts switched off?).`,
    "Run `npm ci --ignore-scripts=false`, or use Node 24.",
  );
}

function run(node, args) {
  const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`;
  const child = spawn(node, args, { cwd: root, stdio: "inherit", env: { ...process.env, PATH: path } });
  // Ctrl-C reaches the child too, straight from the terminal: passing it on would make it two, and two mean "at once".
  const terminal = process.stdin.isTTY === true;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (!(terminal && signal === "SIGINT")) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`${node} does not start: ${error.message}.`, "Remove node_modules and try again."));
  child.on("exit", (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function fail(what, fix) {
  console.error(`${what}\n${fix}`);
  process.exit(1);
}
