/** Authoring pipelines: what programs see of this folder. */
export { PCollection } from "./collection.ts";
export { ElementwiseResult, KeyedParDoResult, KeyedResult, ParDoResult, type ParDoOutcome } from "./results.ts";
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
  CombineOptions,
  Element,
  FilterOptions,
  GroupOptions,
  ParDoOptions,
  StepOptions,
  WindowIntoOptions,
} from "./types.ts";
