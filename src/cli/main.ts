#!/usr/bin/env node
/**
 * The command `tidemark`.
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
