import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests of pure functions: their files share a process and its compiled modules, which a third of their time goes into. */
const pure = ["attention", "einsum", "model", "numerics", "program", "reference", "report", "schedule", "spec"];
const pureFiles = pure.map(folder => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fusemax$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) },
      { find: /^#fusemax\/(.*)$/, replacement: fileURLToPath(new URL("src/$1.ts", import.meta.url)) },
      { find: /^fusemax\/node$/, replacement: fileURLToPath(new URL("src/node.ts", import.meta.url)) },
    ],
  },
  test: {
    setupFiles: ["test/property-seed.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "processes",
          include: ["test/**/*.test.ts"],
          exclude: pureFiles,
          globalSetup: ["test/wgsl-witness.ts"],
        },
      },
      { extends: true, test: { name: "pure", include: pureFiles, isolate: false } },
    ],
  },
});
