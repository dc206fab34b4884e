import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { mergeRanges, openRowsFile } from "../../src/io/rows-file.js";
import { runIdentity } from "../../src/io/run-identity.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-rows-"));
const path = join(folder, "run.rows");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

const shape = { batch: 1, heads: 2, kvHeads: 1, queries: 5, keys: 3, headDim: 2, valueDim: 2 };
const problem: AttentionProblem = {
  shape,
  mask: noMask,
  tile: { m0: 2, p0: 2 },
  arithmetic: formatArithmetics.bf16,
  scale: 0.5,
};
const operands = { q: new Float32Array(20).fill(1), k: new Float32Array(6), v: new Float32Array(6) };
const identity = await runIdentity(problem, operands);
const rows = 10;
const width = 2;
const values = Float32Array.from({ length: rows * width }, (_, i) => i + 1);
const valuesOf = (start: number, end: number) => values.slice(start * width, end * width);

/** What the file gives back: the output and the finished ranges. */
async function reopen(id = identity) {
  const output = new Float32Array(rows * width);
  const file = await openRowsFile(path, id, { first: 0, width, values: output });
  await file.close();
  return { output, finished: file.finished, saturated: file.saturated, droppedBytes: file.droppedBytes };
}

async function write(...ranges: readonly (readonly [number, number])[]) {
  const file = await openRowsFile(path, identity, { first: 0, width, values: new Float32Array(rows * width) });
  await Promise.all(
    ranges.map(([start, end]) => file.append({ start, end, saturated: 2 ** start }, valuesOf(start, end))),
  );
  await file.close();
}

describe("rows file", () => {
  it("gives back what was finished, in any order and in several sittings", async () => {
    await write([4, 6], [0, 2]);
    await write([2, 3], [6, 7]);
    const { output, finished, saturated, droppedBytes } = await reopen();
    expect(finished).toEqual([
      { start: 0, end: 3 },
      { start: 4, end: 7 },
    ]);
    expect([...output]).toEqual([...valuesOf(0, 3), 0, 0, ...valuesOf(4, 7), 0, 0, 0, 0, 0, 0]);
    expect(saturated).toBe(2 ** 4 + 2 ** 0 + 2 ** 2 + 2 ** 6);
    expect(droppedBytes).toBe(0);
  });

  it("computes again the rows of a record that overlaps one before it: its count is of all of them", async () => {
    await write([4, 6], [5, 7], [0, 2]);
    const kept = {
      finished: [
        { start: 0, end: 2 },
        { start: 4, end: 6 },
      ],
      saturated: 2 ** 4 + 2 ** 0,
    };
    expect(await reopen()).toMatchObject({ ...kept, droppedBytes: 40 + 2 * width * 4 });
    expect(await reopen()).toMatchObject({ ...kept, droppedBytes: 0 });
  });

  it("law: cut at any byte, it keeps every record that is whole and takes new ones", async () => {
    await write([0, 2]);
    const afterOne = statSync(path).size;
    await write([2, 5]);
    const whole = readFileSync(path);
    const header = whole.indexOf(0x0a) + 1;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async length => {
        writeFileSync(path, whole);
        truncateSync(path, length);
        const kept = length < afterOne ? [] : length < whole.length ? [{ start: 0, end: 2 }] : [{ start: 0, end: 5 }];
        const found = await reopen();
        expect(found.finished).toEqual(kept);
        const dropped =
          kept.length > 0 ? (length < whole.length ? length - afterOne : 0) : Math.max(0, length - header);
        expect(found.droppedBytes).toBe(dropped);
        await write([7, 9]);
        expect((await reopen()).finished).toEqual([...kept, { start: 7, end: 9 }]);
      }),
      { numRuns: 60 },
    );
  });

  it("computes again what a damaged record held, and keeps the others", async () => {
    await write([0, 2], [2, 4], [4, 6]);
    const bytes = readFileSync(path);
    const record = 40 + 2 * width * 4;
    const inSecondValues = bytes.length - record - 3;
    bytes.writeUInt8(bytes.readUInt8(inSecondValues) ^ 1, inSecondValues);
    writeFileSync(path, bytes);
    const { finished, droppedBytes } = await reopen();
    expect(finished).toEqual([
      { start: 0, end: 2 },
      { start: 4, end: 6 },
    ]);
    expect(droppedBytes).toBe(record);
    expect((await reopen()).droppedBytes).toBe(0);
  });

  it("law: whatever a disk has made of a byte, a page or the end, no row is wrong, and only what was damaged is lost", async () => {
    await write([0, 2], [2, 4], [4, 6], [6, 9]);
    const whole = readFileSync(path);
    const header = whole.indexOf(0x0a) + 1;
    const record = 40 + 2 * width * 4;
    const starts = [0, 1, 2, 3].map(n => header + n * record);
    const damage = fc.oneof(
      fc.record({ at: fc.nat(whole.length - 1), length: fc.constant(1), byte: fc.integer({ min: 0, max: 255 }) }),
      fc.record({
        at: fc.nat(whole.length - 1),
        length: fc.integer({ min: 1, max: whole.length }),
        byte: fc.constant(0),
      }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, length, byte }) => {
        const bytes = Buffer.from(whole);
        bytes.fill(byte, at, Math.min(at + length, bytes.length));
        writeFileSync(path, bytes);
        const intact = [0, 2, 4, 6].filter((_, n) => {
          const [from, to] = [starts[n] ?? 0, starts[n + 1] ?? whole.length];
          return bytes.subarray(from, to).equals(whole.subarray(from, to));
        });
        const headerIntact = bytes.subarray(0, header).equals(whole.subarray(0, header));
        if (!headerIntact && intact.length === 0 && !bytes.every(b => b === 0)) {
          await expect(reopen()).rejects.toThrow(/(is not a file of finished rows|got rows of)/);
          return;
        }
        const { output, finished, saturated, droppedBytes } = await reopen();
        for (const start of intact) expect(finished.some(r => r.start <= start && start < r.end)).toBe(true);
        // A record's rows and its count are kept or lost together: the rows tell the count.
        const kept = [0, 2, 4, 6].filter(n => finished.some(r => r.start <= n && n < r.end));
        expect(saturated).toBe(kept.reduce((sum, n) => sum + 2 ** n, 0));
        for (const { start, end } of finished) {
          expect([...output.slice(start * width, end * width)]).toEqual([...valuesOf(start, end)]);
        }
        if (!bytes.equals(whole) && !bytes.every(b => b === 0)) expect(droppedBytes).toBeGreaterThan(0);
        expect(await reopen()).toMatchObject({ output, finished, saturated, droppedBytes: 0 });
        await write([9, 10]);
        expect((await reopen()).finished.at(-1)?.end).toBe(10);
      }),
      { numRuns: 100 },
    );
  });

  it("refuses rows of another input, problem or contract, and says which", async () => {
    await write([0, 2]);
    const other = { ...operands, k: Float32Array.of(1, 0, 0, 0, 0, 0) };
    await expect(reopen(await runIdentity(problem, other))).rejects.toThrow(/rows of another input \(k differs\)/);
    const fp16 = await runIdentity({ ...problem, arithmetic: formatArithmetics.fp16 }, operands);
    await expect(reopen(fp16)).rejects.toThrow(
      /got rows of a run with format bf16; expected rows of this run, format fp16/,
    );
    await expect(reopen(await runIdentity({ ...problem, tile: { m0: 3, p0: 2 } }, operands))).rejects.toThrow(/m0 2/);
    await expect(reopen({ ...identity, contract: 2 })).rejects.toThrow(/got rows of a run with contract 1/);
    const causal = await runIdentity({ ...problem, mask: { ...noMask, right: 0 } }, operands);
    await expect(reopen(causal)).rejects.toThrow(/got rows of a run with right -1; expected rows of this run, right 0/);
    // The array's columns do not change a bit: the rows are the same.
    expect((await reopen(await runIdentity({ ...problem, tile: { m0: 2, p0: 99 } }, operands))).finished).toHaveLength(
      1,
    );
  });

  it("refuses another file and leaves it as it was", async () => {
    for (const text of ["not rows at all", "some text\n more", '{"schema":"other"}\n', "null\n"]) {
      writeFileSync(path, text);
      await expect(reopen()).rejects.toThrow(/is not a file of finished rows/);
      expect(readFileSync(path, "utf8")).toBe(text);
    }
    await expect(openRowsFile(folder, identity, { first: 0, width, values })).rejects.toThrow(/folder|regular file/);
  });

  it("drops what is no record at the end", async () => {
    await write([0, 2]);
    appendFileSync(path, "garbage of more than thirty-two bytes in all, to be sure");
    expect((await reopen()).finished).toEqual([{ start: 0, end: 2 }]);
  });

  it("refuses a device", async () => {
    const file = await openRowsFile("/dev/full", identity, {
      first: 0,
      width,
      values: new Float32Array(rows * width),
    }).catch(error => error);
    expect(String(file)).toMatch(
      /\/dev\/full: got a device, which is not a regular file; expected a file of finished rows/,
    );
  });
});

it("merges ranges", () => {
  const ranges = [
    { start: 4, end: 6 },
    { start: 0, end: 2 },
    { start: 1, end: 3 },
    { start: 6, end: 7 },
  ];
  expect(mergeRanges(ranges)).toEqual([
    { start: 0, end: 3 },
    { start: 4, end: 7 },
  ]);
});
