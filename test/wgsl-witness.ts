import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/**
 * A test run in which no WGSL was executed must fail: suites that ran a kernel and compared what it computed leave a
 * line in a file, and the end of a whole run looks for it. A run of some files only, by a filter, need not have any.
 */
const variable = "FUSEMAX_WGSL_WITNESS";

/** Called where a kernel's results have come back from an adapter. */
export function sawWgsl(adapter: string): void {
  const path = process.env[variable];
  if (path !== undefined) appendFileSync(path, `${adapter}\n`);
}

export default function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-wgsl-"));
  const path = join(folder, "adapters");
  writeFileSync(path, "");
  process.env[variable] = path;
  return async () => {
    const adapters = readFileSync(path, "utf8").split("\n").filter(Boolean);
    rmSync(folder, { recursive: true, force: true });
    const { vitest } = project;
    const { testFiles } = await project.globTestFiles();
    const ran = new Set(vitest.state.getPaths());
    const whole = testFiles.every(file => ran.has(file)) && vitest.config.testNamePattern === undefined;
    if (adapters.length === 0 && whole) throw new Error("no WGSL was executed in this test run");
    const expected = process.env["FUSEMAX_EXPECT_ADAPTER"];
    if (expected !== undefined && !adapters.some(name => name.includes(expected))) {
      throw new Error(`no WGSL was executed on ${expected}`);
    }
    for (const adapter of new Set(adapters)) {
      const runs = adapters.filter(name => name === adapter).length;
      process.stdout.write(`WGSL ran on ${adapter}: ${runs} sessions\n`);
    }
  };
}
