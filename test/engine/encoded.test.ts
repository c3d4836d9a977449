/** Encoded mode: between stages a value is its coder's bytes and nothing else; without it, it is the object itself. */
import {
  type Coder,
  fixedWindows,
  type KV,
  type Pipeline,
  run,
  type RunOptions,
  stringCoder,
  valueState,
  type Window,
} from "tidemark";
import { playScript, runTest } from "tidemark/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { collector, program } from "./kit.ts";

afterEach(() => void vi.unstubAllEnvs());

class Name {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ANN = new Name("ann");
const BOB = new Name("bob");

/** A coder of names, and what it was asked to do. */
function nameCoder(): { readonly coder: Coder<Name>; readonly encoded: Name[]; readonly decoded: Name[] } {
  const encoded: Name[] = [];
  const decoded: Name[] = [];
  const coder: Coder<Name> = {
    name: "name",
    deterministic: true,
    encode(value, out) {
      encoded.push(value);
      stringCoder.encode(value.text, out);
    },
    decode(input) {
      const value = new Name(stringCoder.decode(input));
      decoded.push(value);
      return value;
    },
  };
  return { coder, encoded, decoded };
}

/** Two names through one edge that a coder was given for; `here` and `there` are what its two ends see. */
function names(coder: Coder<Name>, here: Name[], there: Name[]): (p: Pipeline) => void {
  return (p) => {
    p.create([0, 1])
      .map(
        (n) => {
          const name = n === 0 ? ANN : BOB;
          here.push(name);
          return name;
        },
        { coder },
      )
      // An async function begins a stage.
      .map(async (name) => void there.push(name));
  };
}

describe("a coder that the program gives", () => {
  test("encoded: writes and reads each element once; what it has read is what the next stage gets", async () => {
    const { coder, encoded, decoded } = nameCoder();
    const here: Name[] = [];
    const there: Name[] = [];
    await runTest(names(coder, here, there), { encoded: true });
    expect(here).toEqual([ANN, BOB]);
    expect(there).toEqual([ANN, BOB]);
    expect(encoded.length).toBe(2);
    expect(encoded.every((name, i) => name === here[i])).toBe(true);
    expect(decoded.length).toBe(2);
    expect(there.every((name, i) => name === decoded[i] && name !== here[i])).toBe(true);
  });

  test("not encoded: is left alone, and the next stage gets the same objects", async () => {
    const { coder, encoded, decoded } = nameCoder();
    const here: Name[] = [];
    const there: Name[] = [];
    await runTest(names(coder, here, there), { encoded: false });
    expect(there.length).toBe(2);
    expect(there.every((name, i) => name === here[i])).toBe(true);
    expect([encoded, decoded]).toEqual([[], []]);
  });

  test("encoded: a value that it cannot write fails the job", async () => {
    const { coder } = nameCoder();
    const build = (p: Pipeline): void => {
      p.create([0])
        .map((): Name => new Name(7 as never), { coder })
        .map(async () => 0);
    };
    await runTest(build, { encoded: false });
    await expect(runTest(build, { encoded: true })).rejects.toMatchObject({ code: "VALUE_NOT_ENCODABLE" });
  });
});

describe("without a coder", () => {
  test.each([true, false])(
    "identity of values between stages; in a stage it is kept (encoded: %s)",
    async (encoded) => {
      const box = { text: "ann" };
      const seen: [string, object][] = [];
      const sunk: object[] = [];
      const see = (place: string) => (value: { text: string }) => {
        seen.push([place, value]);
        return value;
      };
      await runTest(
        (p) => {
          p.create([0])
            .map(() => box)
            .map(see("same stage"))
            .map(async (value) => see("async step")(value))
            .map((value): KV<string, { text: string }> => ["k", value])
            .parDo({
              state: { n: valueState<number>() },
              process([, value]) {
                seen.push(["stateful step", value]);
                return [value];
              },
            })
            .write(collector(sunk));
        },
        { encoded },
      );
      expect(seen.map(([place, value]) => [place, (value as { text: string }).text])).toEqual([
        ["same stage", "ann"],
        ["async step", "ann"],
        ["stateful step", "ann"],
      ]);
      expect(sunk).toEqual([box]);
      const [first, second, third, fourth] = [...seen.map(([, value]) => value), ...sunk];
      expect(first).toBe(box);
      expect([second === first, third === second, fourth === third]).toEqual(
        encoded ? [false, false, false] : [true, true, true],
      );
    },
  );

  test.each([true, false])("identity of windows between stages (encoded: %s)", async (encoded) => {
    const windows: Window[] = [];
    await runTest(
      (p) => {
        p.createTimestamped([{ timestamp: 12, value: 1 }])
          .windowInto(fixedWindows(10))
          .map((n, { window }) => {
            windows.push(window);
            return n;
          })
          .map(async (n, { window }) => {
            windows.push(window);
            return n;
          });
      },
      { encoded },
    );
    expect(windows.map(({ id }) => id)).toEqual([windows[0]?.id, windows[0]?.id]);
    expect(windows[0] === windows[1]).toBe(!encoded);
  });
});

describe("TIDEMARK_ENCODED is the default", () => {
  const box = { text: "ann" };
  async function isEncoded(start: (build: (p: Pipeline) => unknown) => Promise<unknown>): Promise<boolean> {
    const seen: object[] = [];
    await start((p) => {
      p.create([0])
        .map(() => box)
        .write(collector(seen));
    });
    expect(seen).toEqual([box]);
    return seen[0] !== box;
  }
  const viaRun =
    (options: RunOptions = {}) =>
    (build: (p: Pipeline) => unknown) =>
      run(program("default", build), {}, options).wait();

  test.each([
    ["1", true],
    ["0", false],
    ["", false],
    [undefined, false],
  ])("%j: %s", async (value, expected) => {
    vi.stubEnv("TIDEMARK_ENCODED", value);
    expect(await isEncoded(viaRun())).toBe(expected);
    expect(await isEncoded((build) => runTest(build))).toBe(expected);
    expect(await isEncoded((build) => playScript(program("played", build)))).toBe(expected);
  });

  test("what the call says goes before it", async () => {
    vi.stubEnv("TIDEMARK_ENCODED", "1");
    expect(await isEncoded(viaRun({ encoded: false }))).toBe(false);
    vi.stubEnv("TIDEMARK_ENCODED", "0");
    expect(await isEncoded(viaRun({ encoded: true }))).toBe(true);
  });
});
