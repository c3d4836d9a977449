#!/usr/bin/env -S node --max-semi-space-size=16
/**
 * The command `tidemark`. The first line keeps V8's young generation at 48 MB, where it would grow to 192 and gain nothing (ADR 0011).
 * M1 The version of Node is looked at before anything is loaded that an old one cannot parse.
 */
import { nodeProblem } from "./node-version.ts";

const problem = nodeProblem(process.versions.node);
if (problem === "") {
  void import("./cli.ts").then((cli) => cli.main(process.argv.slice(2)));
} else {
  process.stderr.write(problem);
  process.exitCode = 1;
}
