/**
 * `npm run faults -- [--rounds N] [--seed S]`: rounds of kills; prints a line for each, and fails at the first wrong output.
 * `npm run faults -- --io PROGRAM`: kills a program before each of its syncs, writes and renames in turn, until it comes to its end.
 */
import { parseArgs } from "node:util";
import { playIoRound } from "./io-round.ts";
import { playRound } from "./round.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, seed: { type: "string" }, io: { type: "string" } },
});
if (values.io !== undefined) {
  await killAtEachCall(values.io);
  process.exit();
}
const rounds = Number(values.rounds ?? 300);
const first = Number(values.seed ?? 1);
let kills = 0;
for (let seed = first; seed < first + rounds; seed++) {
  const round = await playRound(seed);
  kills += round.kills.length;
  process.stdout.write(`${seed} ${round.name}: killed ${round.kills.join(", ")}; output exact\n`);
}
process.stdout.write(
  `${rounds} rounds, ${kills} kills, every output exact (seeds ${first} to ${first + rounds - 1})\n`,
);

async function killAtEachCall(name: string): Promise<void> {
  for (const call of ["rename", "sync", "write"] as const) {
    let at = 1;
    while ((await playIoRound(name, call, at, "kill")).happened) at++;
    process.stdout.write(
      `${name}: killed before each of its calls of ${call}, ${at - 1} of them; every output exact\n`,
    );
  }
}
