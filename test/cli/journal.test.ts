import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { sweepIdentity } from "../../src/cli/sweep/identity.js";
import { openJournal } from "../../src/cli/sweep/journal.js";
import type { Block } from "../../src/cli/sweep/points.js";
import { readSweep } from "../../src/cli/sweep/request.js";
import { programIdentity } from "../../src/io/program-identity.js";
import { specFiles } from "../../src/io/spec-files.js";
import { accountingOf } from "../../src/model/corrections.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-journal-"));
const path = join(folder, "points");
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

const identity = { program: "1.0 code", specs: "specs", sweep: "sweep" };
const blocks: readonly Block[] = [0, 3, 6, 9].map(from => ({
  from,
  points: [0, 1, 2].map(i => ({ numbers: [from + i, null, 0.1], bound: "2d", estimated: false, error: "" })),
}));

async function write(...taken: readonly Block[]): Promise<Buffer> {
  const journal = await openJournal(path, identity);
  for (const block of taken) journal.append(block);
  return readFileSync(path);
}

describe("journal of a sweep", () => {
  it("law: whatever a disk has made of it, no point is wrong, and only what was damaged is lost", async () => {
    const whole = await write(...blocks);
    const lines = whole.toString().split("\n");
    const damage = fc.oneof(
      fc.record({ at: fc.nat(whole.length - 1), length: fc.constant(1), byte: fc.integer({ min: 0, max: 255 }) }),
      fc.record({
        at: fc.nat(whole.length - 1),
        length: fc.integer({ min: 1, max: whole.length }),
        byte: fc.constant(0),
      }),
    );
    await fc.assert(
      fc.asyncProperty(damage, fc.integer({ min: 0, max: whole.length }), async ({ at, length, byte }, cut) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(cut, 1)));
        bytes.fill(byte, Math.min(at, bytes.length), Math.min(at + length, bytes.length));
        writeFileSync(path, bytes);
        const text = bytes.toString();
        const intact = blocks.filter((_, n) =>
          text
            .split("\n")
            .slice(0, -1)
            .includes(lines[n + 1] ?? ""),
        );
        const known =
          text.startsWith(`${lines[0]}\n`) || intact.length > 0 || whole.subarray(0, bytes.length).equals(bytes);
        if (!known && !bytes.every(b => b === 0)) {
          await expect(openJournal(path, identity)).rejects.toThrow(/points: (is not a file|got points of)/);
          expect(readFileSync(path).equals(bytes)).toBe(true);
          return;
        }
        expect([...(await openJournal(path, identity)).blocks()]).toEqual(intact);
        const again = await openJournal(path, identity);
        expect([again.droppedBytes, ...again.blocks()]).toEqual([0, ...intact]);
        const more = { from: 12, points: blocks[0]?.points ?? [] };
        again.append(more);
        expect([...again.blocks()]).toEqual([...intact, more]);
        expect([...(await openJournal(path, identity)).blocks()]).toEqual([...intact, more]);
      }),
      { numRuns: 300 },
    );
  });

  it("refuses the points of another program, of other specs and of another sweep", async () => {
    await write(...blocks);
    const open = (other: object) => openJournal(path, { ...identity, ...other });
    await expect(open({ program: "2.0 code" })).rejects.toThrow(
      /got points of program 1.0 code; expected points of 2.0/,
    );
    await expect(open({ specs: "x" })).rejects.toThrow(/got points of other designs or workloads/);
    await expect(open({ sweep: "x" })).rejects.toThrow(/got points of another sweep/);
    for (const text of ["design,model\n", '{"schema":"fusemax.sweep-points/1","identity":"x"}\n', "null\n", "x"]) {
      writeFileSync(path, text);
      await expect(open({})).rejects.toThrow(/is not a file of finished points/);
      expect(readFileSync(path, "utf8")).toBe(text);
    }
  });

  it("takes no block of another sweep that came to lie in its file", async () => {
    const other = (await write(...blocks)).toString().split("\n")[2];
    rmSync(path);
    const journal = await openJournal(path, { ...identity, sweep: "another" });
    writeFileSync(path, `${readFileSync(path, "utf8")}${other}\n`);
    expect(journal.finished).toEqual([]);
    const again = await openJournal(path, { ...identity, sweep: "another" });
    expect(again.finished).toEqual([]);
    expect(again.droppedBytes).toBe(`${other}\n`.length);
  });

  it("knows a sweep by all parts of its designs", () => {
    const accounting = accountingOf("corrected", undefined);
    const named = {
      ...{
        designs: ["fusemax"],
        workloads: ["bert"],
        lengths: [1024],
        batch: undefined,
        axes: [],
        arithmetic: undefined,
      },
      ...{ phase: "prefill" as const, decodeQueries: 1 },
    };
    const request = { ...readSweep(specFiles, named), accounting };
    const [design] = request.designs;
    if (design === undefined) throw new Error("no design");
    const known = sweepIdentity(request);
    expect(known.program).toBe(programIdentity());
    for (const [name, part] of Object.entries(design)) {
      if (typeof part !== "object" || part === null || !("data" in part)) continue;
      const changed = { ...design, [name]: { ...part, data: { ...(part.data as object), another: 1 } } };
      expect(sweepIdentity({ ...request, designs: [changed] }).specs, name).not.toBe(known.specs);
    }
  });
});

it("computes again what was damaged, says so, and gives the same table", async () => {
  const args = ["sweep", "--set", "architecture.frequencyHz=1e6..2e9:1500", "--accounting", "published"];
  const { stdout: expected } = await invoke(...args);
  expect((await invoke(...args, "--resume", path)).stdout).toBe(expected);
  const bytes = readFileSync(path);
  const digit = bytes.indexOf("1", Math.floor((bytes.length * 3) / 4));
  bytes.write("2", digit);
  bytes.fill(0, 4096, 8192);
  writeFileSync(path, bytes.subarray(0, -100));
  const { code, stdout, stderr } = await invoke(...args, "--resume", path);
  expect(stderr).toMatch(/^fusemax: .*points: \S+ [KM]?i?B cut short or damaged, computed again\n/);
  expect({ code, stdout: stdout === expected }).toEqual({ code: 0, stdout: true });
});

it.each(["/dev/null", "/dev/full"])("says that %s keeps nothing", async device => {
  for (const command of [["sweep"], ["run", "--seq", "16"]]) {
    const { code, stderr } = await invoke(...command, "--resume", device);
    expect(stderr).toBe(
      `fusemax: --resume: got ${device}, a device or a pipe, which keeps nothing; expected a file that can be read again\n`,
    );
    expect(code).toBe(2);
  }
});
