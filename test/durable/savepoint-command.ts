/** The command savepoint, as the tests call it. */
import type { Program } from "tidemark";
import { savepointCommand } from "../../src/cli/savepoint.ts";

/** What it prints. @param program what `check` loads */
export async function savepoint(args: readonly string[], program?: Program): Promise<string> {
  let printed = "";
  await savepointCommand(
    args,
    () => Promise.resolve(program && { program, url: "file:///program.ts", files: new Map() }),
    (text) => {
      printed += text;
    },
  );
  return printed;
}
