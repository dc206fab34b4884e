import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { emulatePlan } from "../../src/cli/run/emulate-plan.js";
import { loadOperands } from "../../src/cli/run/inputs.js";
import type { RunOptions } from "../../src/cli/run/options.js";
import { planRun } from "../../src/cli/run/plan.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { DeviceError } from "../../src/errors.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-faults-"));
afterAll(() => rmSync(folder, { recursive: true }));

const options: RunOptions = {
  seq: 64,
  headDim: 4,
  design: "fusemax",
  array: { m0: 16, p0: 16 },
  format: "bf16",
  engine: "auto",
  check: "none",
  json: true,
};

/** The twin, asked for eight rows at a time, on a device that is lost after a number of requests. */
function losing(requests: number): Engine {
  const cpu = cpuEngine();
  return {
    ...cpu,
    name: "webgpu",
    open: async (problem, operands) => {
      const session = await cpu.open(problem, operands);
      return {
        rowsPerRequest: 8,
        concurrency: 2,
        run: async range => {
          if (requests-- <= 0)
            throw new DeviceError({ where: "adapter", got: "a lost device", expected: "one that stays" });
          return session.run(range);
        },
        dump: at => session.dump(at),
        close: () => session.close(),
      };
    },
  };
}

async function emulate(engine: Engine, fallback: (() => Promise<Engine>) | undefined, resume?: string) {
  const notes: string[] = [];
  const asked = resume === undefined ? options : { ...options, resume };
  const plan = await planRun(asked);
  const { operands } = await loadOperands(plan.pieces, plan.problem, engine);
  const chosen = { engine, reason: "a test", notes: [], ...(fallback === undefined ? {} : { fallback }) };
  const run = emulatePlan(plan, operands, chosen, asked, line => notes.push(line));
  return { run, notes };
}

it("goes on with another engine from the last finished rows when the device is lost, and says so", async () => {
  const expected = await (await emulate(cpuEngine(), undefined)).run;
  const { run, notes } = await emulate(losing(3), async () => cpuEngine());
  expect((await run).av).toEqual(expected.av);
  expect((await run).engine.name).toBe("cpu");
  expect(notes).toEqual([
    "adapter: got a lost device; expected one that stays; going on with engine cpu from row 24 of 64",
  ]);
});

it("keeps finished rows when the device is lost for good, and a later run ends with the same bits", async () => {
  const resume = join(folder, "lost.rows");
  const { run } = await emulate(losing(5), undefined, resume);
  await expect(run).rejects.toThrow(DeviceError);
  const again = await emulate(cpuEngine(), undefined, resume);
  expect((await again.run).av).toEqual((await (await emulate(cpuEngine(), undefined)).run).av);
  expect((await again.run).resumedRows).toBe(40);
  expect(again.notes).toEqual([`going on from ${resume}: 40 of 64 rows are finished`]);
});
