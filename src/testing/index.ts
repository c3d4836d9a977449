/** Testing pipelines: scripted sources, assertions, simulated time. Works inside any test runner. */
export { assertThat, type Assertion } from "./assert-that.ts";
export { checkSink, type SinkCheck } from "./check-sink.ts";
export { type Collected, collectSink } from "./collect.ts";
export { playScript, type PlayOptions } from "./play.ts";
export { runTest, type TestMetrics, type TestOptions } from "./run-test.ts";
export { simulate, type SimulatedFaults, type Simulation, type SimulationOptions } from "./simulate.ts";
export { simulatedJobClock } from "./simulated-job-clock.ts";
export { at, testStream, type TestStreamBuilder } from "./test-stream.ts";
