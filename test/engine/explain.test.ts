/** Why something has not fired: each way to be stuck is told with its step, window, key and one cause; without one, nothing is. */
import { describeExplanation, type ExplainQuery, formatWindow, isTidemarkError } from "tidemark";
import { describe, expect, test } from "vitest";
import { KINDS } from "./explain-kinds.ts";
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
