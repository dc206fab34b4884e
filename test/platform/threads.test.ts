import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { sampleRows } from "../../src/emulator/check.js";
import { type ComparedRow, compareHere } from "../../src/emulator/compared-rows.js";
import { generateHere, type NormalStretch } from "../../src/emulator/generate.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { generateOnThreads } from "../../src/platform/generate-on-threads.js";
import { onThreads } from "../../src/platform/threads.js";
import { makeOperands } from "../properties/arbitrary.js";

const tasks: readonly NormalStretch[] = Array.from({ length: 9 }, (_, i) => ({
  seed: 7,
  name: "k",
  length: 100 + i,
  spread: 1.5,
  start: i * 1000,
}));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("work on threads", () => {
  it("gives the generated values of one thread, in the order of the tasks", async () => {
    expect(await all(generateOnThreads(tasks))).toEqual(await all(generateHere(tasks)));
  });

  it("gives the compared rows of one thread, on operands and on inputs as given", async () => {
    const shape = { batch: 2, heads: 4, kvHeads: 2, queries: 5, keys: 300, headDim: 7, valueDim: 3 };
    const mask = { ...noMask, left: 200, right: 0 };
    const problem = { shape, mask, tile: { m0: 64, p0: 4 }, arithmetic: formatArithmetics["bf16-strict"], scale: 0.4 };
    const rows = sampleRows(problem, 20);
    const operands = makeOperands(shape, "bf16-strict", "normal", 5);
    for (const tensors of [{ operands }, { inputs: operands }]) {
      const here = await all(compareHere({ problem, rows, tensors }));
      expect(here.map(({ baseline }) => baseline !== null)).toEqual(rows.map(() => "operands" in tensors));
      expect(await all(onThreads<number, ComparedRow>("compare-worker.js", rows, { problem, tensors }))).toEqual(here);
    }
  });

  it("leaves no worker behind when the consumer stops early", async () => {
    const ports = (): number => process.getActiveResourcesInfo().filter(name => name === "MessagePort").length;
    const before = ports();
    for await (const values of generateOnThreads(tasks)) {
      expect(values.length).toBe(100);
      break;
    }
    expect(ports()).toBe(before);
  });

  it("says that a worker has ended, to each that waits for it and to who asks later", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-threads-"));
    const file = join(folder, "worker.mjs");
    writeFileSync(
      file,
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(3));",
    );
    const root = relative(resolve(import.meta.dirname, "../../dist/platform"), file);
    await expect(all(onThreads<number, number>(root, Array(40).keys()))).rejects.toThrow(
      "a worker thread ended with 3",
    );
    rmSync(folder, { recursive: true });
  });

  it("hands on what a worker throws", async () => {
    const broken = onThreads<number, ComparedRow>("compare-worker.js", [1], {
      problem: null,
      tensors: { inputs: null },
    });
    await expect(all(broken)).rejects.toThrow(TypeError);
  });
});
