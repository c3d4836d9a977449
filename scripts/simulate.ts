/**
 * npm run simulate -- SEEDS [FIRST]
 * Simulates the programs of test/simulation in turn, a seed each, through crashes, stalls and failing commits. Says at the first
 * that has put out anything but what it must: `failed after N`, with its seed, which replays it.
 */
import { play } from "../test/simulation/play.ts";
import { PROGRAMS } from "../test/simulation/programs.ts";

const [seeds = "1000", first = "1"] = process.argv.slice(2);
const names = Object.keys(PROGRAMS);
const total = { crashes: 0, events: 0 };
for (let i = 0; i < Number(seeds); i++) {
  const seed = Number(first) + i;
  try {
    const { crashes, trace } = await play(names[seed % names.length] as string, seed);
    total.crashes += crashes;
    total.events += trace.length;
  } catch (error) {
    console.log(`${String(error)}\nfailed after ${i + 1}`);
    process.exit(1);
  }
}
console.log(`${seeds} seeds from ${first}: ${total.crashes} crashes, ${total.events} events, all output as it must be`);
