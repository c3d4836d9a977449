/**
 * Beam's reference encodings (test/fixtures/standard_coders.yaml, the file all of Beam's languages are checked with):
 * every example in every context that it holds for, decoded and, where the coder is deterministic, encoded.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { IntervalWindow, GLOBAL_WINDOW, type Window } from "../model/window.ts";
import type { Pane, PaneTiming } from "../model/pane.ts";
import { decodeFromBytes, encodeToBytes, type Coder, type CoderContext } from "./coder.ts";
import { iterableCoder, kvCoder, nullableCoder, shardedKeyCoder, stateBackedIterableCoder } from "./composites.ts";
import { boolCoder, bytesCoder, doubleCoder, stringCoder, varintCoder } from "./primitives.ts";
import {
  paramWindowedValueCoder,
  paramWindowedValuePayload,
  timerCoder,
  windowedValueCoder,
} from "./windowed-value.ts";
import { customWindowCoder, globalWindowCoder, intervalWindowCoder } from "./windows.ts";

interface Spec {
  readonly urn: string;
  readonly payload?: string;
  readonly components?: readonly Spec[];
  readonly non_deterministic?: boolean;
}

interface Section {
  readonly coder: Spec;
  readonly nested?: boolean;
  readonly examples: Readonly<Record<string, unknown>>;
}

/** A coder with how the file's JSON becomes a value of it. */
interface Supported {
  readonly coder: Coder<unknown>;
  value(json: never): unknown;
}

/** Sections whose coder is not implemented, by URN. A URN that is neither here nor in `supported` fails the test. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  "beam:coder:row:v1": "rows need schemas; values without a coder travel as valueCoder's bytes behind a length prefix",
};

const path = new URL("../../test/fixtures/standard_coders.yaml", import.meta.url);
const sections = parseAllDocuments(readFileSync(path, "utf8")).map((document): Section => {
  if (document.errors.length > 0) throw document.errors[0] as Error;
  return document.toJS() as Section;
});

/** The bytes behind a state-backed iterable's token, as the file's `state` gives them. */
const STATE = new Map([
  ["emptySuffix", latin1("")],
  ["nonEmptySuffix", latin1("\u0001\n")],
]);

describe("Beam's standard coders", () => {
  test("the file is whole: 45 sections, 124 examples", () => {
    expect(sections).toHaveLength(45);
    expect(sections.flatMap((section) => Object.keys(section.examples))).toHaveLength(124);
  });

  test("what is listed as unsupported is in the file, and is not supported", () => {
    for (const urn of Object.keys(UNSUPPORTED)) {
      const section = sections.find(({ coder }) => coder.urn === urn);
      expect(section, urn).toBeDefined();
      expect(supported((section as Section).coder), urn).toBeUndefined();
    }
  });

  for (const [number, section] of sections.entries()) {
    if (section.coder.urn in UNSUPPORTED) continue;
    const contexts: readonly CoderContext[] =
      section.nested === undefined ? ["nested", "outer"] : [section.nested ? "nested" : "outer"];
    for (const context of contexts) {
      test(`section ${number + 1}, ${describeSpec(section.coder)}, ${context}`, () => {
        const found = supported(section.coder);
        if (found === undefined) throw new Error(`${section.coder.urn} is neither supported nor listed as unsupported`);
        const examples = Object.entries(section.examples);
        expect(examples.length).toBeGreaterThan(0);
        for (const [text, json] of examples) {
          const bytes = latin1(text);
          const value = found.value(json as never);
          expect(plain(decodeFromBytes(found.coder, bytes, context))).toEqual(plain(value));
          if (section.coder.non_deterministic !== true) {
            expect(hex(encodeToBytes(found.coder, value, context))).toBe(hex(bytes));
          }
        }
      });
    }
  }

  test("the payload of a param_windowed_value can be made from its parts", () => {
    const section = sections.find(({ coder }) => coder.urn === "beam:coder:param_windowed_value:v1") as Section;
    const [json] = Object.values(section.examples);
    const parts = windowedValue(json as WindowedJson, varint, interval);
    expect(hex(paramWindowedValuePayload(parts, intervalWindowCoder))).toBe(
      hex(latin1(section.coder.payload as string)),
    );
  });
});

const varint: Supported = { coder: varintCoder, value: (json: number) => json };
const interval: Supported = {
  coder: intervalWindowCoder,
  value: (json: { readonly end: number; readonly span: number }) => new IntervalWindow(json.end - json.span, json.end),
};

function supported(spec: Spec): Supported | undefined {
  const parts = (spec.components ?? []).map((component) => supported(component) as Supported);
  const [first, second] = parts as [Supported, Supported];
  switch (spec.urn) {
    case "beam:coder:bytes:v1":
      return { coder: bytesCoder, value: (json: string) => latin1(json) };
    case "beam:coder:string_utf8:v1":
      return { coder: stringCoder, value: (json: string) => json };
    case "beam:coder:bool:v1":
      return { coder: boolCoder, value: (json: boolean) => json };
    case "beam:coder:varint:v1":
      return varint;
    case "beam:coder:double:v1":
      return { coder: doubleCoder, value: (json: string) => Number(json) };
    case "beam:coder:kv:v1":
      return {
        coder: kvCoder(first.coder, second.coder),
        value: (json: { readonly key: never; readonly value: never }) => [
          first.value(json.key),
          second.value(json.value),
        ],
      };
    case "beam:coder:iterable:v1":
      return { coder: iterableCoder(first.coder), value: (json: never[]) => json.map((item) => first.value(item)) };
    case "beam:coder:state_backed_iterable:v1": {
      const fetch = (token: Uint8Array): readonly Uint8Array[] => [
        STATE.get(Buffer.from(token).toString("latin1")) as Uint8Array,
      ];
      return {
        coder: stateBackedIterableCoder(first.coder, fetch),
        value: (json: never[]) => json.map((item) => first.value(item)),
      };
    }
    case "beam:coder:nullable:v1":
      return { coder: nullableCoder(first.coder), value: (json: never) => (json === null ? null : first.value(json)) };
    case "beam:coder:interval_window:v1":
      return interval;
    case "beam:coder:global_window:v1":
      return { coder: globalWindowCoder, value: () => GLOBAL_WINDOW };
    case "beam:coder:custom_window:v1":
      return {
        coder: customWindowCoder(first.coder as Coder<Window>),
        value: (json: { readonly window: never }) => first.value(json.window),
      };
    case "beam:coder:windowed_value:v1":
      return {
        coder: windowedValueCoder(first.coder, second.coder as Coder<Window>),
        value: (json: WindowedJson) => windowedValue(json, first, second),
      };
    case "beam:coder:param_windowed_value:v1":
      return {
        coder: paramWindowedValueCoder(first.coder, second.coder as Coder<Window>, latin1(spec.payload as string)),
        value: (json: WindowedJson) => windowedValue(json, first, second),
      };
    case "beam:coder:sharded_key:v1":
      return {
        coder: shardedKeyCoder(first.coder),
        value: (json: { readonly shardId: string; readonly key: never }) => ({
          shardId: latin1(json.shardId),
          key: first.value(json.key),
        }),
      };
    case "beam:coder:timer:v1":
      return {
        coder: timerCoder(first.coder, second.coder as Coder<Window>),
        value: (json: TimerJson) => timer(json, first, second),
      };
    default:
      return undefined;
  }
}

interface PaneJson {
  readonly is_first: boolean;
  readonly is_last: boolean;
  readonly timing: PaneTiming;
  readonly index: number;
  readonly on_time_index: number;
}

interface WindowedJson {
  readonly value: never;
  readonly timestamp: number;
  readonly pane: PaneJson;
  readonly windows: readonly never[];
}

interface TimerJson {
  readonly userKey: never;
  readonly dynamicTimerTag: string;
  readonly windows: readonly never[];
  readonly clearBit: boolean;
  readonly fireTimestamp: number;
  readonly holdTimestamp: number;
  readonly pane: PaneJson;
}

function windowedValue(json: WindowedJson, value: Supported, window: Supported) {
  return {
    value: value.value(json.value),
    timestamp: json.timestamp,
    windows: json.windows.map((item) => window.value(item) as Window),
    pane: pane(json.pane),
  };
}

function timer(json: TimerJson, key: Supported, window: Supported) {
  const set = {
    fireTimestamp: json.fireTimestamp,
    holdTimestamp: json.holdTimestamp,
    pane: json.clearBit ? undefined : pane(json.pane),
  };
  return {
    key: key.value(json.userKey),
    tag: json.dynamicTimerTag,
    windows: json.windows.map((item) => window.value(item)),
    set: json.clearBit ? undefined : set,
  };
}

function pane(json: PaneJson): Pane {
  return {
    timing: json.timing,
    index: json.index,
    nonSpeculativeIndex: json.on_time_index,
    isFirst: json.is_first,
    isLast: json.is_last,
  };
}

/** State-backed iterables are read once, so that they can be compared. */
function plain(value: unknown): unknown {
  const lazy =
    typeof value === "object" &&
    value !== null &&
    Symbol.iterator in value &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value);
  return lazy ? [...(value as Iterable<unknown>)] : value;
}

function describeSpec(spec: Spec): string {
  const name = spec.urn.split(":")[2] as string;
  return spec.components === undefined ? name : `${name}(${spec.components.map(describeSpec).join(", ")})`;
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
