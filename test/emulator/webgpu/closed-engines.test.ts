import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { findSwiftShaderArchive } from "../../../src/platform/swiftshader.js";

const built = resolve(import.meta.dirname, "../../../dist/node.js");

/** Opens, uses and closes an engine again and again; prints threads and resident bytes after each. */
const script = `
import { chooseEngine, emulate, formats, generateNormal, noMask } from ${JSON.stringify(built)};
import { readdirSync } from "node:fs";
const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 64, keys: 64, headDim: 16, valueDim: 16 };
const problem = { shape, mask: noMask, tile: { m0: 16, p0: 16 }, format: formats.bf16, scale: 0.25 };
const [q, k, v] = ["q", "k", "v"].map(name => generateNormal(0, name, 64 * 16));
const found = [];
for (let i = 0; i < 12; i++) {
  const { engine } = await chooseEngine("webgpu", "bf16");
  await emulate(problem, { q, k, v }, { engine });
  await engine.close();
  found.push({ threads: readdirSync("/proc/self/task").length, bytes: process.memoryUsage.rss() });
}
console.log(JSON.stringify(found));
process.exit(0);
`;

// Before, each engine left two threads and some 12 MB behind.
it.skipIf(findSwiftShaderArchive() === null || !existsSync("/proc/self/task"))(
  "law: an engine that is closed is gone, with its threads and its memory",
  () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const found = JSON.parse(stdout) as { readonly threads: number; readonly bytes: number }[];
    const [first, last] = [found[1], found.at(-1)];
    expect(last?.threads, stdout).toBeLessThanOrEqual(first?.threads ?? 0);
    expect((last?.bytes ?? 0) - (first?.bytes ?? 0), stdout).toBeLessThan(100e6);
  },
  180_000,
);
