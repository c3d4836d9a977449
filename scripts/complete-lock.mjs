/**
 * Completes package-lock.json after `npm install` (npm run lock).
 *
 * A tool with native parts names one optional package per platform. `npm install` leaves out of the lock file each one
 * that the registry in use cannot serve, and then `npm ci` refuses that lock file as incomplete, on every platform.
 * This adds those entries. They have no integrity: npm reads it on the platform that needs the package.
 *
 * L1 Only optional dependencies whose names end in a known platform are added; entries that exist are not touched.
 */
import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = new Set(["android", "darwin", "freebsd", "linux", "openharmony", "win32"]);
const CPUS = new Set(["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"]);
/** Last part of a platform's name -> the C library that npm compares; the others say nothing about it. */
const LIBRARIES = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));

/** `@oxlint/binding-linux-x64-musl` -> `{ os, cpu, libc }`; undefined when the name tells no platform. */
function platformOf(name) {
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const at = words.findIndex((word) => SYSTEMS.has(word));
  const cpu = words[at + 1];
  if (at < 0 || !CPUS.has(cpu)) return undefined;
  const library = LIBRARIES[words[at + 2]];
  return { cpu: [cpu], os: [words[at]], ...(library === undefined ? {} : { libc: [library] }) };
}

const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = platformOf(name);
    const nested = `${path}/node_modules/${name}`;
    const hoisted = `node_modules/${name}`;
    if (platform === undefined || nested in lock.packages || hoisted in lock.packages) continue;
    if (!/^\d/.test(version)) throw new Error(`${name}@${version}: a platform package without an exact version`);
    lock.packages[hoisted] = { version, ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
    added.push(`${name}@${version}`);
  }
}

if (added.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(
  `package-lock.json: ${added.length} platform packages added${added.length > 0 ? `\n  ${added.join("\n  ")}` : ""}`,
);
