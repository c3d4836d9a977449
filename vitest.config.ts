/**
 * How tests run: unit tests beside the code, whole-system tests and type tests under test/.
 * T1 A program that imports "tidemark" gets src, never a dist that may be stale (condition `tidemark-source`).
 * T2 test/package/pack.test.ts is left out: it needs a build and the registry (`npm run pack:test`).
 */
import { configDefaults, defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

const condition = "tidemark-source";

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: [condition] },
  ssr: { resolve: { conditions: [condition, "node", "import", "module", "default"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/package/pack.test.ts", "test/integration/**"],
    // Threads start in half the time of processes; tests that need a process of their own spawn one.
    pool: "threads",
    execArgv: [`--conditions=${condition}`],
    testTimeout: 20_000,
    typecheck: { enabled: true, checker: "tsc", tsconfig: "./tsconfig.json", include: ["test/types/**/*.test-d.ts"] },
  },
});

export default config;
