/** The test of the published package: on its own, because it builds, and installs from the registry. */
import { defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: { root: import.meta.dirname, include: ["pack.test.ts"], testTimeout: 180_000, hookTimeout: 300_000 },
});

export default config;
