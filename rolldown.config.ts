/**
 * The JavaScript that is published: a few files in place of one for each module, which halves the time to the first element
 * (bench/README.md). `tsc` writes the declarations beside them.
 * All code lies in dist/lib, as deep below the package as a folder of src: `import.meta.url` means the same in both.
 */
import { defineConfig } from "rolldown";

export default defineConfig({
  input: {
    index: "src/index.ts",
    "testing/index": "src/testing/index.ts",
    "cli/main": "src/cli/main.ts",
    "lib/checkpoint-writer": "src/platform/checkpoint-writer.ts",
  },
  platform: "node",
  logLevel: "warn",
  tsconfig: "tsconfig.build.json",
  output: {
    dir: "dist",
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "lib/[name].js",
    codeSplitting: {
      groups: [
        // Loads node:sqlite, which only jobs with checkpoints need; its thread loads nothing else.
        { name: "checkpoints", test: /\/src\/platform\/(sqlite-checkpoints|owner-lock)/, priority: 5 },
        { name: "checkpoint-thread", test: /\/src\/platform\/checkpoint-writer/, priority: 5 },
        { name: "tidemark", test: /\/src\/(?!cli\/|testing\/)/, priority: 3 },
        { name: "testing", test: /\/src\/testing\//, priority: 2 },
        { name: "cli", test: /\/src\/cli\/(?!main|node-version)/, priority: 1 },
      ],
    },
  },
});
