/** `npm run faults -- [--rounds N] [--seed S]`: rounds of kills; prints a line for each, and fails at the first wrong output. */
import { parseArgs } from "node:util";
import { playRound } from "./round.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" }, seed: { type: "string" } } });
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
