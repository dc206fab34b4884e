import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const filesOf = (names: readonly string[]): string[] =>
  names.map(name => (name.endsWith(".ts") ? `test/${name}` : `test/${name}/**/*.test.ts`));

/** Pure functions and readers of files: they share a process and its compiled modules, which a third of their time went into. */
const pure = filesOf([
  "attention",
  "einsum",
  "io",
  "model",
  "numerics",
  "program",
  "reference",
  "report",
  "schedule",
  "spec",
]);

/** Command lines within this process: they share one, too. */
const commands = filesOf(["bench", "cli", "examples"]);

/** What looks at time, ends processes, or puts a module in the place of another: alone on the machine. */
const alone = filesOf([
  "explorer",
  "cli/process.test.ts",
  "cli/interrupts.test.ts",
  "cli/kills.test.ts",
  "cli/finite.test.ts",
]);

/** Workers beyond one for each of two cores gain nothing: engines have threads of their own. */
const together = 2;

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
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Groups run one after the other.
    projects: [
      {
        extends: true,
        test: {
          name: "engines",
          include: ["test/**/*.test.ts"],
          exclude: [...pure, ...commands, ...alone],
          globalSetup: ["test/wgsl-witness.ts"],
          maxWorkers: together,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "commands",
          include: commands,
          exclude: alone,
          isolate: false,
          maxWorkers: together,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "pure", include: pure, isolate: false, maxWorkers: together, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
