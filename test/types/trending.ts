/** The program of the design page, as a user writes it: it has to type-check without annotations of its own. */
import {
  afterProcessingTime,
  afterWatermark,
  countPerElement,
  pipeline,
  seconds,
  slidingWindows,
  topPerWindow,
  windowInto,
  withTimestamps,
  type Pipeline,
  type Program,
  type Sink,
  type Source,
  stepTransform,
  type PCollection,
} from "tidemark";
import { z } from "zod";

interface Tweet {
  readonly text: string;
  readonly eventTimeMs: number;
}

declare function textSource(path: string): Source<string>;
declare function textSink(path: string): Sink<string>;
const text = {
  read: (path: string): ((p: Pipeline, name?: string) => PCollection<string>) =>
    stepTransform((p: Pipeline, name = "ReadText") => p.read(name, textSource(path))),
  write: (path: string): ((lines: PCollection<string>, name?: string) => void) =>
    stepTransform((lines: PCollection<string>, name = "WriteText") => lines.write(name, textSink(path))),
};

const trending: Program<{ input: string; output: string; every?: number | undefined }> = pipeline(import.meta, {
  name: "trending",
  options: z.object({ input: z.string(), output: z.string(), every: z.number().default(5) }), // any Standard Schema
  build(p, options) {
    p.apply(text.read(options.input))
      .map("Parse", (line) => JSON.parse(line) as Tweet)
      .apply(withTimestamps((tweet) => tweet.eventTimeMs))
      .flatMap("Tags", (tweet) => tweet.text.match(/[#@]+[\p{L}\p{N}_]+/gu) ?? []) // \w would miss #서울
      .apply(
        windowInto(slidingWindows({ size: seconds(60), every: seconds(options.every) }), {
          trigger: afterWatermark({ early: afterProcessingTime(seconds(1)) }),
          accumulation: "accumulating",
          allowedLateness: seconds(30),
        }),
      )
      .apply(countPerElement())
      .apply(topPerWindow(10))
      .map("Format", (top, { window, pane }) => JSON.stringify({ window, pane, top }))
      .apply(text.write(options.output));
  },
});
export default trending;
