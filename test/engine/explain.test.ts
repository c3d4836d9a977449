/** Why something has not fired: each way to be stuck is told with its step, window, key and one cause; without one, nothing is. */
import { describeExplanation, type ExplainQuery, formatWindow, isTidemarkError } from "tidemark";
import { describe, expect, test } from "vitest";
import { KINDS, pass } from "./explain-kinds.ts";
import { settle } from "./kit.ts";

describe.each(Object.entries(KINDS))("%s", (_, make) => {
  test("is named with step, window, key and its one cause; nothing is once it is gone", async () => {
    const { job, clock, seen, step, window, key, cause, free } = await make();
    const query: ExplainQuery = { step, window, ...(key !== undefined && { key }) };
    const asked = job.explain(query);
    expect(asked.waiting).toHaveLength(1);
    expect(asked.waiting[0]).toMatchObject({
      step: expect.stringMatching(new RegExp(`^${step}(/|$)`)) as string,
      window: formatWindow(window),
      ...(key !== undefined && { key: JSON.stringify(key) }),
      cause,
    });
    // What else waits, waits for the same.
    const all = job.explain();
    expect(all.waiting).not.toEqual([]);
    expect(new Set(all.waiting.map((one) => JSON.stringify(one.cause))).size).toBe(1);
    expect(all.waiting[0]?.cause).toMatchObject(cause);
    expect(describeExplanation(asked)).toContain(formatWindow(window));

    await free();
    await settle(clock);
    expect(seen).not.toEqual([]);
    expect(job.explain().waiting).toEqual([]);
    expect(job.explain(query).waiting).toEqual([]);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
  });
});

test("a step that is not there: STEP_UNKNOWN, with the one that is meant", async () => {
  const make = KINDS["an idle split"] as (typeof KINDS)[string];
  const { job, clock } = await make();
  const error = (() => {
    try {
      return job.explain({ step: "Cuont" });
    } catch (thrown) {
      return thrown;
    }
  })();
  if (!isTidemarkError(error, "STEP_UNKNOWN")) throw error;
  expect(error.message).toContain('did you mean "Count"?');
  const cancelled = job.cancel();
  await settle(clock);
  await cancelled;
});

describe("a source that is quiet is warned about once, with what it holds back and what would change it", () => {
  test.each([
    [
      "an idle split",
      'split 2 of 2 of source "Events" (feeds) gave its latest element at event time 1970-01-01T00:00:00.010Z, and has been quiet for 30.0 s; until then "Count/Count" has not fired window [1970-01-01T00:00:00.000Z, 1970-01-01T00:00:00.100Z) of key "a", nor have 1 more that wait for it; give the source of "Events" quiet: { idleAfter: … }, so that a quiet split holds nothing back',
    ],
    [
      "a source that never says how far time has come",
      'source "Events" (feeds) has no watermark: neither its reader nor a timestamp policy says how far event time has come; until then "Count/Count" has not fired window [1970-01-01T00:00:00.000Z, 1970-01-01T00:00:00.100Z) of key "a", nor have 1 more that wait for it; read "Events" with timestamps: eventTime(…) or processingTime(), or give its reader a watermark()',
    ],
  ])("%s", async (name, message) => {
    const { job, clock, warnings } = await (KINDS[name] as (typeof KINDS)[string])();
    expect(warnings).toEqual([message]);
    await pass(clock, 600_000);
    expect(warnings).toHaveLength(1);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
    expect(clock.nextAlarm()).toBeUndefined();
  });

  test("not where nothing waits for it", async () => {
    const { job, clock, warnings, free, seen } = await (KINDS["a count that is not met"] as (typeof KINDS)[string])();
    await free();
    await pass(clock, 600_000);
    expect(seen).toHaveLength(1);
    expect(warnings).toEqual([]);
    const cancelled = job.cancel();
    await settle(clock);
    await cancelled;
  });
});
