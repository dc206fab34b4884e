import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { formatNames } from "../../src/numerics/format.js";
import type { RunResult } from "../../src/report/run-result.js";
import { invoke } from "./invoke.js";

/**
 * Law: the engine never changes a bit, neither of the output nor of a tile's intermediates. Sizes divide nothing, and
 * the tile dumped is the ragged last one.
 */
const sizes = "--q-len 300 --kv-len 777 --head-dim 40 --value-dim 72 --heads 2 --array 64x32 --check none".split(" ");
const folder = mkdtempSync(join(tmpdir(), "fusemax-engines-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each(formatNames)("cpu, wasm and webgpu give the same sha256 and the same dump in %s", async format => {
  const found = [];
  for (const engine of ["cpu", "wasm", "webgpu"]) {
    const dump = join(folder, `${engine}.safetensors`);
    const tile = ["--dump-tile", "0,1,12,9", "--dump", dump];
    const { code, stdout, stderr } = await invoke(
      "run",
      "--json",
      "--engine",
      engine,
      "--format",
      format,
      ...sizes,
      ...tile,
    );
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout) as RunResult;
    expect(result.engine.name).toBe(engine);
    found.push({ sha256: result.output.sha256, dump: readFileSync(dump).toString("hex") });
  }
  expect(found[1]).toEqual(found[0]);
  expect(found[2]).toEqual(found[0]);
});
