import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fusemax$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) },
      { find: /^#fusemax\/(.*)$/, replacement: fileURLToPath(new URL("src/$1.ts", import.meta.url)) },
      { find: /^fusemax\/node$/, replacement: fileURLToPath(new URL("src/node.ts", import.meta.url)) },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/property-seed.ts"],
    globalSetup: ["test/wgsl-witness.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
