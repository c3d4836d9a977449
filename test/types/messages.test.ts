/** What the compiler says where a program is wrong: the mistake itself, and not that another overload would not fit either. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Inside the package, so that programs find `tidemark` by its name. */
const folder = join(import.meta.dirname, ".messages");

/** Name, statement, and what the message has to say. */
const MISTAKES: readonly (readonly [name: string, statement: string, says: RegExp])[] = [
  ["an option of map", "words.map((word) => word.length, { concurency: 4 });", /'concurency' does not exist/],
  [
    "of map with a name",
    'words.map("Length", (word) => word.length, { concurency: 4 });',
    /'concurency' does not exist/,
  ],
  ["of flatMap", "words.flatMap((word) => [word], { timeot: 4 });", /'timeot' does not exist/],
  ["of filter", 'words.filter((word) => word !== "", { retries: 4 });', /'retries' does not exist/],
  [
    "of mapValues",
    "pairs.mapValues((n) => n + 1, { concurrency: true });",
    /'boolean' is not assignable to type 'number'/,
  ],
  ["a side input that is no view", "words.map((word) => word, { sideInputs: { words } });", /'viewId|PCollectionView/],
  ["flatMap to a string", "words.flatMap((word) => word);", /'string' is not assignable to type .*Outputs/],
  [
    "a member of a DoFn",
    'words.parDo("Upper", { proces: (word: string) => [word] });',
    /'proces' does not exist in type 'DoFn</,
  ],
  [
    "a timer without its callback",
    "pairs.parDo({ timers: { due: eventTimer(), late: eventTimer() }, process() {}, onTimer: { due() {} } });",
    /'late' is missing/,
  ],
];

/** The messages by the line of their statement. */
let messages: ReadonlyMap<number, string>;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  const head = [
    'import { eventTimer, type KV, type PCollection } from "tidemark";',
    "declare const words: PCollection<string>;",
    "declare const pairs: PCollection<KV<string, number>>;",
    "void eventTimer;",
  ];
  writeFileSync(join(folder, "wrong.ts"), [...head, ...MISTAKES.map(([, statement]) => statement)].join("\n"));
  const options = { extends: "../tsconfig.json", compilerOptions: { noEmit: true }, include: ["wrong.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const run = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  const found = new Map<number, string>();
  let line = 0;
  for (const text of run.stdout.split("\n")) {
    const start = /^wrong\.ts\((\d+),/.exec(text);
    if (start !== null) line = Number(start[1]) - head.length - 1;
    found.set(line, `${found.get(line) ?? ""}${text}\n`);
  }
  messages = found;
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(MISTAKES.map(([name, statement, says], line) => [name, statement, says, line] as const))(
  "%s",
  (_name, _statement, says, line) => {
    expect(messages.get(line)).toMatch(says);
    expect(messages.get(line)).not.toMatch(/not assignable to parameter of type 'string'/);
  },
);
