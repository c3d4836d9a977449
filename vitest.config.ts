/**
 * How tests run: unit tests beside the code, tests of the whole and the type tests under test/.
 * T1 A program that imports "tidemark" gets src, never a dist that may be stale (condition `tidemark-source`).
 * T2 test/package/pack.test.ts is left out: it builds, and needs the registry (`npm run pack:test`).
 */
import { configDefaults, defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

const condition = "tidemark-source";

const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: [condition, "node", "default"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "labs/**/*.test.ts", "bench/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/package/pack.test.ts"],
    // Threads start faster than processes; a test that needs a process of its own spawns one.
    pool: "threads",
    execArgv: [`--conditions=${condition}`],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});

export default config;
