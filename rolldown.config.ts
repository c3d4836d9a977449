/**
 * The JavaScript that is published: a few files in place of one for each module, which halves the time to the first element
 * (bench/README.md). `tsc` writes the declarations beside them.
 * All code lies in dist/lib, as deep below the package as a folder of src: `import.meta.url` means the same in both.
 */
import { defineConfig } from "rolldown";

/** Packages that a program has where it uses their connectors. */
const external = ["pg"];
const shared = { platform: "node", logLevel: "warn", tsconfig: "tsconfig.build.json", external } as const;
const output = { dir: "dist", format: "esm", sourcemap: true, entryFileNames: "[name].js" } as const;

export default defineConfig([
  {
    ...shared,
    input: { index: "src/index.ts", "testing/index": "src/testing/index.ts", "cli/main": "src/cli/main.ts" },
    output: {
      ...output,
      chunkFileNames: "lib/[name].js",
      codeSplitting: {
        groups: [
          // Loads node:sqlite, which only jobs with checkpoints need.
          {
            name: "checkpoints",
            test: /\/src\/platform\/(sqlite-checkpoints|checkpoint-reader|checkpoint-rows|checkpoint-folder|owner-lock)/,
            priority: 5,
          },
          { name: "tidemark", test: /\/src\/(?!cli\/|testing\/)/, priority: 3 },
          { name: "testing", test: /\/src\/testing\//, priority: 2 },
          { name: "cli", test: /\/src\/cli\/(?!main|node-version)/, priority: 1 },
        ],
      },
    },
  },
  // A thread's own file: it loads no more of Tidemark than it needs.
  { ...shared, input: { "lib/checkpoint-writer": "src/platform/checkpoint-writer.ts" }, output },
]);
