/** One call to the operating system is the last of a process, or fails from then on: a sample of `npm run faults -- --io`. */
import { describe, expect, test } from "vitest";
import { type Call, CAN_FAIL, type Failure, playIoRound } from "./io-round.ts";

/** Some early, when the folder is made, and some among the commits of checkpoints and output. */
const KILLED: readonly (readonly [Call, number])[] = [
  ["sync", 1],
  ["sync", 4],
  ["sync", 9],
  ["write", 2],
  ["write", 30],
  ["write", 50],
  ["write", 70],
  ["rename", 1],
  ["rename", 2],
];

describe.skipIf(!CAN_FAIL)("on Linux with cc: killed before a call, the job goes on from a good checkpoint", () => {
  test.each(KILLED)(
    "%s %i",
    async (call, at) => {
      const { happened, ended } = await playIoRound(at % 2 === 0 ? "panes" : "word-count", call, at, "kill");
      expect([happened, ended.code]).toEqual([true, null]);
    },
    60_000,
  );
});

const FAILING: readonly (readonly [Failure, Call, number])[] = [
  ["no space", "write", 1],
  ["no space", "write", 40],
  ["no space", "write", 70],
  ["i/o error", "write", 55],
  ["i/o error", "sync", 6],
  ["too many files", "open", 3],
  ["too many files", "open", 12],
];

describe.skipIf(!CAN_FAIL)(
  "on Linux with cc: where calls fail, the job stops with an error that says so, and its last checkpoint stays good",
  () => {
    test.each(FAILING)(
      "%s from %s %i on",
      async (failure, call, at) => {
        const { happened, ended } = await playIoRound("panes", call, at, failure);
        expect([happened, ended.code]).toEqual([true, 1]);
        expect(ended.text).toMatch(/\[(CHECKPOINT_FAILED|FILE_UNWRITABLE)\]/);
        expect(ended.text).toMatch(/disk is full|disk I\/O error|unable to open|ENOSPC|EIO|EMFILE/);
      },
      90_000,
    );
  },
);
