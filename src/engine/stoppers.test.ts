import { describe, expect, test } from "vitest";
import type { Stage } from "../host/stage.ts";
import { type Connected, stoppers } from "./stoppers.ts";

/** A stage whose output collection has its own id; `makes` is the view that it makes. */
function stage(
  id: number,
  kind: Stage["kind"],
  inputs: readonly number[],
  views: readonly number[] = [],
  makes?: number,
): Connected {
  return {
    stage: { id, name: `${id}`, steps: [], kind, inputs, outputs: [id], views, why: "" },
    ...(makes !== undefined && { makes: [{ view: makes }] }),
  };
}

describe("P1: busy stages", () => {
  test("stop every source above them, through views too, and no other source", () => {
    const found = stoppers([
      stage(0, "source", []),
      stage(1, "source", []),
      stage(2, "view", [0], [], 7),
      stage(3, "chain", [1], [7]),
      stage(4, "sink", [3]),
      stage(5, "sink", [1]),
    ]);
    expect(found.get(0)?.busy).toEqual([0, 2, 3, 4]);
    expect(found.get(1)?.busy).toEqual([1, 3, 4, 5]);
  });
});

describe("P2: stages in which elements wait for side inputs", () => {
  test("stop the main input's source, not the side input's", () => {
    const found = stoppers([
      stage(0, "source", []),
      stage(1, "source", []),
      stage(2, "view", [0], [], 7),
      stage(3, "chain", [1], [7]),
    ]);
    expect(found.get(0)?.waiting).toEqual([0, 2]);
    expect(found.get(1)?.waiting).toEqual([1, 3]);
  });

  test("do not stop a source that feeds both, but stay stoppers where they are busy", () => {
    const found = stoppers([stage(0, "source", []), stage(1, "view", [0], [], 7), stage(2, "calls", [0], [7])]);
    expect(found.get(0)).toEqual({ busy: [0, 1, 2], waiting: [0, 1] });
  });

  test("do not stop sources that wait for each other in a circle, however long", () => {
    const found = stoppers([
      stage(0, "source", []),
      stage(1, "source", []),
      stage(2, "source", []),
      stage(3, "view", [0], [], 10),
      stage(4, "view", [1], [], 11),
      stage(5, "view", [2], [], 12),
      stage(6, "chain", [0], [11]),
      stage(7, "chain", [1], [12]),
      stage(8, "chain", [2], [10]),
    ]);
    for (const source of [0, 1, 2]) expect(found.get(source)?.waiting).not.toContain(6 + source);
  });

  test("stop along a line of sources: each waits for the next, and the last for none", () => {
    const found = stoppers([
      stage(0, "source", []),
      stage(1, "source", []),
      stage(2, "source", []),
      stage(3, "view", [1], [], 11),
      stage(4, "view", [2], [], 12),
      stage(5, "chain", [0], [11]),
      stage(6, "chain", [1], [12]),
    ]);
    expect(found.get(0)?.waiting).toContain(5);
    expect(found.get(1)?.waiting).toContain(6);
    expect(found.get(2)?.waiting).toEqual([2, 4]);
  });
});
