/**
 * Lets people ask a running job what is stuck: by SIGUSR2, and by the key "?" where a terminal is in front of it.
 *
 * A1 The terminal is as it was when the job ends, whatever way, and while the process is stopped (Ctrl-Z) or in the background:
 *    there it is not touched, which would stop the process.
 * A2 Keys that the terminal itself would turn into signals still do what they do.
 * A3 A program that reads the terminal itself has it to itself.
 * A4 Nothing here keeps the process alive. SIGUSR1 is Node's own, for its inspector.
 */
import { readFileSync } from "node:fs";
import { isatty, type ReadStream } from "node:tty";

const KEY_SIGNALS: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ["\u0003", "SIGINT"],
  ["\u001C", "SIGQUIT"],
  ["\u001A", "SIGTSTP"],
]);

/** Calls `ask` whenever somebody asks. @param keys whether the terminal may be listened to @returns stops it */
export function onAsked(ask: () => void, keys: boolean): () => void {
  process.on("SIGUSR2", ask);
  const stopKeys = keys && isatty(0) && isatty(2) ? onKey(process.stdin, ask) : (): void => {};
  return () => {
    process.off("SIGUSR2", ask);
    stopKeys();
  };
}

function onKey(stdin: ReadStream, ask: () => void): () => void {
  const listen = (): void => {
    if (!isInForeground()) {
      stdin.pause();
      return;
    }
    stdin.setRawMode(true);
    stdin.resume();
    stdin.unref();
  };
  const release = (): void => {
    stdin.setRawMode(false);
    stdin.pause();
  };
  const onData = (keys: Buffer): void => {
    for (const key of keys.toString()) {
      const signal = KEY_SIGNALS.get(key);
      if (signal === "SIGTSTP") release();
      if (signal !== undefined) process.kill(process.pid, signal);
      else if (key === "?") ask();
    }
  };
  const stop = (): void => {
    stdin.off("newListener", onListener);
    stdin.off("data", onData);
    process.off("SIGCONT", listen);
    process.off("exit", release);
    release();
  };
  // What the program reads itself is the program's.
  const onListener = (event: string | symbol): void => {
    if (event === "data" || event === "readable") stop();
  };
  stdin.on("data", onData);
  stdin.on("newListener", onListener);
  process.on("SIGCONT", listen);
  process.on("exit", release);
  listen();
  return stop;
}

/** Whether the process is the one that the terminal is in front of. Where the system does not say, it is taken for that. */
function isInForeground(): boolean {
  try {
    // After the name, which stands in brackets: state, parent, group, session, terminal, the terminal's group.
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ");
    return fields === undefined || fields[2] === fields[5];
  } catch {
    return true;
  }
}
