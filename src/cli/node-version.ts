/**
 * Whether this Node is new enough. Read by Nodes that are not: nothing here may be newer than the import statement.
 * V1 The versions are those of `engines` in package.json.
 */

/** What to tell the user; the empty string when all is well. */
export function nodeProblem(found: string): string {
  const parts = found.split(".");
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  const fits = (major === 22 && minor >= 22) || (major === 24 && minor >= 6) || major > 24;
  if (fits) return "";
  return (
    "tidemark: [NODE_TOO_OLD] this is Node " +
    found +
    ", and Tidemark needs Node 22.22 or later, or 24.6 or later\n" +
    "  why: it runs TypeScript as it is, which older versions do not\n" +
    "  fix: install the current Node, for example with `npm install --save-dev node@24`\n"
  );
}
