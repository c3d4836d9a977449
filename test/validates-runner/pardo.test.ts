/** Beam's ValidatesRunner scenarios on composites, ParDo, its life cycle and bundle finalisation: those that core.test.ts does not have. */
import { type DoFn, GLOBAL_WINDOW, type KV, MIN_TIMESTAMP, output, type PCollection, pipeline } from "tidemark";
import { assertThat, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

describe("Impulse, composites, branches", () => {
  eachMode("ImpulseTest.testImpulse: minimum timestamp, once for each of several fused consumers", (p) => {
    const impulse = p.impulse();
    for (const name of ["One", "Two", "Three"]) {
      const times = impulse.map(name, (bytes, { timestamp, window }) => [bytes.length, timestamp, window.id] as const);
      assertThat(times).isSingleton([0, MIN_TIMESTAMP, "global"]);
    }
  });

  eachMode("PipelineTest.testTupleInjectionTransform: a composite wraps its input in a tuple", (p) => {
    const wrapped = p.create([1, 2]).apply("Wrap", (input) => ({ input, again: [input] as const }));
    assertThat(wrapped.input).containsInAnyOrder([1, 2]);
    assertThat(wrapped.again[0]).containsInAnyOrder([1, 2]);
  });

  test("PipelineTest.testMultipleApply: under the same name it is refused, where Beam only warns", async () => {
    const double = (input: PCollection<number>): PCollection<number> => input.map("Double", (n) => n * 2);
    const error = await failureOf((p) => {
      p.create("One", [1]).apply("Same", double);
      p.create("Two", [2]).apply("Same", double);
    });
    expect(error).toMatchObject({ code: "DUPLICATE_STEP_NAME" });
  });

  eachMode("fn_runner.test_no_subtransform_composite: a composite without inner transforms runs", (p) => {
    const nothing = p.create([1]).apply("Nothing inside", (input) => input);
    assertThat(nothing.map((n) => n + 1)).isSingleton(2);
  });

  eachMode("prism fork_impulse, fork_postDoFn, sink_nooutputs: fan-out; a DoFn without outputs ends a branch", (p) => {
    const impulse = p.impulse();
    impulse.parDo("Ends here", { process: () => {} });
    const numbers = impulse.flatMap("Numbers", () => [1, 2, 3]);
    numbers.parDo("Ends there", { process: (n: number) => void n });
    assertThat(numbers.map("Left", (n) => n + 1)).containsInAnyOrder([2, 3, 4]);
    assertThat(numbers.map("Right", (n) => n * 10)).containsInAnyOrder([10, 20, 30]);
  });
});

describe("ParDo", () => {
  eachMode("ParDoTest.testParDo, testParDoEmpty, testParDoEmptyOutputs, testParDoInCustomTransform", (p) => {
    const described: DoFn<number, string> = { process: (n) => [`processing: ${n}`] };
    assertThat(p.create([3, -42, 666]).parDo("Some", described)).containsInAnyOrder([
      "processing: 3",
      "processing: -42",
      "processing: 666",
    ]);
    assertThat(p.create<number>("None", []).parDo("Of none", described)).isEmpty();
    assertThat(p.create("Quiet input", [1]).parDo("Quiet", { process: (): string[] => [] })).isEmpty();
    const inside = p
      .create("Inside input", [1])
      .apply("Composite", (input: PCollection<number>) => input.parDo("Inside", described));
    assertThat(inside).isSingleton("processing: 1");
  });

  eachMode(
    "ParDoTest.testParDoWithTaggedOutput: main and three tags, per element and at both ends of a bundle",
    (p) => {
      const tags = ["first", "second", "third"] as const;
      let started = 0;
      let finished = 0;
      const results = p.create([3, -42, 666]).parDo({
        outputs: { main: output<string>(), first: output<string>(), second: output<string>(), third: output<string>() },
        startBundle({ output: put, outputTo }) {
          started++;
          put("main started", MIN_TIMESTAMP, GLOBAL_WINDOW);
          for (const tag of tags) outputTo(tag, `${tag} started`, MIN_TIMESTAMP, GLOBAL_WINDOW);
        },
        process(n: number, { output: put, outputTo }) {
          put(`main ${n}`);
          for (const tag of tags) outputTo(tag, `${tag} ${n}`);
        },
        finishBundle({ output: put, outputTo }) {
          finished++;
          put("main finished", MIN_TIMESTAMP, GLOBAL_WINDOW);
          for (const tag of tags) outputTo(tag, `${tag} finished`, MIN_TIMESTAMP, GLOBAL_WINDOW);
        },
      });
      const whole = (name: string, values: readonly string[]): void => {
        expect(started).toBeGreaterThan(0);
        const expected = [3, -42, 666].map((n) => `${name} ${n}`);
        for (let i = 0; i < started; i++) expected.push(`${name} started`);
        for (let i = 0; i < finished; i++) expected.push(`${name} finished`);
        expect(values.toSorted()).toEqual(expected.toSorted());
      };
      assertThat(results).satisfies((values) => whole("main", values));
      for (const [tag, tagged] of Object.entries(results.outputs))
        assertThat(tagged).satisfies((values) => whole(tag, values));
    },
  );

  eachMode("fn_runner.test_pardo_side_and_main_outputs: a tag and the main output from one element", (p) => {
    const results = p.create([1, 2, 3]).parDo({
      outputs: { main: output<number>(), odd: output<number>(), even: output<number>() },
      *process(n: number, { outputTo }) {
        yield n;
        outputTo(n % 2 === 0 ? "even" : "odd", n);
      },
    });
    assertThat(results).containsInAnyOrder([1, 2, 3]);
    assertThat(results.outputs.odd).containsInAnyOrder([1, 3]);
    assertThat(results.outputs.even).isSingleton(2);
  });

  test.each([false, true])(
    "ParDoTest.testPipelineOptionsParameter, testSetupParameter: options in every method (encoded: %s)",
    async (encoded) => {
      const seen = new Map<string, unknown>();
      const program = pipeline({
        name: "options",
        options: z.object({ prefix: z.string(), count: z.number().default(2) }),
        build(p) {
          p.create([1]).parDo("Looks", {
            setup: ({ options }) => void seen.set("setup", options),
            startBundle: ({ options }) => void seen.set("startBundle", options),
            process: (_n: number, { options }) => void seen.set("process", options),
            finishBundle: ({ options }) => void seen.set("finishBundle", options),
          });
        },
      });
      await runTest(program, { options: { prefix: "x" }, encoded });
      const options = { prefix: "x", count: 2 };
      expect([...seen]).toEqual([
        ["setup", options],
        ["startBundle", options],
        ["process", options],
        ["finishBundle", options],
      ]);
    },
  );

  eachMode("fn_runner.test_pardo_large_input, test_large_elements: many elements; elements of more than 10 MB", (p) => {
    const many = Array.from({ length: 20_000 }, (_, i) => i);
    assertThat(p.create("Many", many).map("Next", (n) => n + 1)).satisfies((values) => {
      expect(values.toSorted((a, b) => a - b)).toEqual(many.map((n) => n + 1));
    });
    const large = p.create("Large", ["a", "b"]).map("Fill", (c): KV<string, string> => [c, c.repeat(11_000_000)]);
    const sizes = large.groupByKey("Group large").map("Sizes", ([key, [text = ""]]) => [key, text.length] as const);
    assertThat(sizes).containsInAnyOrder([
      ["a", 11_000_000],
      ["b", 11_000_000],
    ]);
  });

  eachMode("fn_runner.test_flatmap_numpy_array: any iterable result", (p) => {
    const one = p.create([0]);
    assertThat(one.flatMap("Typed array", () => new Float64Array([1, 2]))).containsInAnyOrder([1, 2]);
    assertThat(one.flatMap("Set", () => new Set(["a", "b"]))).containsInAnyOrder(["a", "b"]);
    assertThat(
      one.flatMap("Generator", function* () {
        yield true;
        yield false;
      }),
    ).containsInAnyOrder([true, false]);
  });

  test("fn_runner.test_error_message_includes_stage, _traceback_includes_user_code", async () => {
    function userCodeThatFails(): never {
      throw new RangeError("x");
    }
    const error = await failureOf((p) =>
      p.create([1, 2]).apply("Outer", (input) => input.map("Stage X", userCodeThatFails)),
    );
    expect(error).toMatchObject({ code: "STEP_FAILED", context: { step: "Outer/Stage X" } });
    expect((error.cause as Error).stack).toContain("userCodeThatFails");
  });
});
