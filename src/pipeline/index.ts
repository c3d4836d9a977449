/** Authoring pipelines: what programs see of this folder. */
export {
  ElementwiseResult,
  KeyedParDoResult,
  KeyedResult,
  ParDoResult,
  PCollection,
  type ParDoOutcome,
} from "./collection.ts";
export { Pipeline, type CreateOptions, type ElementOf, type ReadOptions, type TestStreamOptions } from "./pipeline.ts";
export {
  isProgram,
  pipeline,
  type BuiltProgram,
  type ModuleMeta,
  type NoOptions,
  type Program,
  type ProgramDefinition,
} from "./program.ts";
export { stepTransform, transform, type Transform } from "./transform.ts";
export type {
  CallContext,
  Combiner,
  Element,
  FilterOptions,
  GroupOptions,
  ParDoOptions,
  StepOptions,
  WindowIntoOptions,
} from "./types.ts";
