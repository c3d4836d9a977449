#!/usr/bin/env -S node --max-semi-space-size=16
/**
 * The command `tidemark`. The first line keeps V8's young generation at 32 MB, where it would grow to 128 and gain nothing (ADR 0011).
 * M1 The version of Node is looked at before anything is loaded that an old one cannot parse.
 * M2 Node keeps what it compiles of the command and of programs, types stripped, for the next time: NODE_COMPILE_CACHE says
 *    where, NODE_DISABLE_COMPILE_CACHE=1 that it does not.
 */
import { nodeProblem } from "./node-version.ts";

const problem = nodeProblem(process.versions.node);
if (problem === "") {
  process.getBuiltinModule("node:module").enableCompileCache();
  void import("./cli.ts").then((cli) => cli.main(process.argv.slice(2)));
} else {
  process.stderr.write(problem);
  process.exitCode = 1;
}
