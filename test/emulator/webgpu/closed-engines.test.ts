import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { findSwiftShaderArchive } from "../../../src/platform/swiftshader.js";

const built = resolve(import.meta.dirname, "../../../dist/node.js");

/** Opens, uses and closes an engine again and again; prints threads and resident bytes after each. */
const script = `
import { chooseEngine, emulate, formatArithmetics, generateNormal, noMask } from ${JSON.stringify(built)};
import { readdirSync } from "node:fs";
const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 64, keys: 64, headDim: 16, valueDim: 16 };
const problem = { shape, mask: noMask, tile: { m0: 16, p0: 16 }, arithmetic: formatArithmetics.bf16, scale: 0.25 };
const [q, k, v] = ["q", "k", "v"].map(name => generateNormal(0, name, 64 * 16));
const found = [];
for (let i = 0; i < 12; i++) {
  const { engine } = await chooseEngine("webgpu", formatArithmetics.bf16);
  await emulate(problem, { q, k, v }, { engine });
  await engine.close();
  gc();
  found.push({ threads: readdirSync("/proc/self/task").length, bytes: process.memoryUsage.rss() });
}
console.log(JSON.stringify(found));
process.exit(0);
`;

/** What each engine once left behind, with two threads. */
const leakedBytes = 12e6;

/** The middle of four: of the two in the middle, the smaller. */
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[1] ?? 0;

it.skipIf(findSwiftShaderArchive() === null || !existsSync("/proc/self/task"))(
  "law: an engine that is closed is gone, with its threads and its memory",
  () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--expose-gc", "--input-type=module", "-e", script],
      {
        encoding: "utf8",
      },
    );
    expect(status, stderr).toBe(0);
    const found = JSON.parse(stdout) as { readonly threads: number; readonly bytes: number }[];
    expect(found.at(-1)?.threads, stdout).toBeLessThanOrEqual(found[1]?.threads ?? 0);
    // Resident memory rises and falls by some 100 MB at random; the median of four is held to, eight engines apart.
    const bytes = found.map(each => each.bytes);
    expect(median(bytes.slice(-4)) - median(bytes.slice(0, 4)), stdout).toBeLessThan(8 * leakedBytes);
  },
  180_000,
);
