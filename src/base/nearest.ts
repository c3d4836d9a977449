/** The name that someone may have meant. */

/** The most letters that may differ: a third of the name, and never fewer than this. */
const LEAST_SLIPS = 2;

/** The nearest of `names` by letters added, left out or changed; `undefined` where none is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let slips = Math.max(LEAST_SLIPS, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    // A name of which nothing is left is no slip.
    if (distance >= slips || distance >= candidate.length) continue;
    best = candidate;
    slips = distance;
  }
  return best;
}

/** Levenshtein's distance. Cost: O(a·b). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(changed, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
  }
  return row[b.length] as number;
}
