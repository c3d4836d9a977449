/** Trending hashtags of a replayed file, each pane as a line of a log that grows while the job runs. */
import { minutes, ndjson, pipeline, seconds } from "tidemark";
import { z } from "zod";
import { replay } from "../live-trending/replay.ts";
import { BY_EVENT_TIME, trending } from "../live-trending/trending.ts";

export default pipeline(import.meta, {
  name: "kill-me",
  options: z.object({
    input: z.string().describe("tweets as NDJSON, with text, eventTimeMs and arrivalMs"),
    output: z.string().describe("the log of panes, as NDJSON"),
    speed: z.number().default(12).describe("how many times as fast as they arrived"),
  }),
  build(p, { input, output, speed }) {
    const tweets = p.read("Tweets", replay(input, { speed }), { timestamps: BY_EVENT_TIME });
    const { top } = trending(tweets, { size: minutes(1), every: seconds(5), top: 10 });
    top
      .map("Format", (tags, { window, pane: { timing, index } }) => ({
        end: window.maxTimestamp + 1,
        timing,
        index,
        tags,
      }))
      .apply(ndjson.write(output, { append: true }));
  },
});
