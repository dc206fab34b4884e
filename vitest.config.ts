import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const filesOf = (names: readonly string[]): string[] =>
  names.map(name => (name.endsWith(".ts") ? `test/${name}` : `test/${name}/**/*.test.ts`));

/** What starts from the package as it is installed, with libraries and environments of its own: a process for each file. */
const apart = ["test/*.test.ts", ...filesOf(["platform"])];

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
    // A page that waits for its part on a busy machine takes longer than the second that is the default.
    expect: { poll: { timeout: 30_000 } },
    // Groups run one after the other.
    projects: [
      {
        extends: true,
        test: {
          // Two processes and the modules that they compiled, which a third of the time went into where each file had its own.
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [...apart, ...alone],
          globalSetup: ["test/wgsl-witness.ts"],
          isolate: false,
          maxWorkers: together,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "apart", include: apart, maxWorkers: together, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
