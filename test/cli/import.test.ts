import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-import-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

// FuseMax's scores, 4K tokens of XLM, in Timeloop's dialect: 256 × 256 PEs, keys along rows, queries along columns.
const architecture = file(
  "arch.yaml",
  `architecture:
  version: 0.4
  nodes:
  - !Container
    name: chip
    attributes: { global_cycle_seconds: 1.0638297873e-9, technology: 16nm }
  - !Component { name: Memory, class: DRAM, attributes: { width: 64, datawidth: 16 } }
  - !Component
    name: Buffer
    class: smartbuffer_SRAM
    attributes: { depth: 32768, width: 4096, datawidth: 16 }
  - !Container { name: column, spatial: { meshX: 256 } }
  - !Container { name: row, spatial: { meshY: 256 } }
  - !Parallel
    nodes:
    - !Component
      name: registers
      class: storage
      subclass: aladdin_register
      attributes: { depth: 16, width: 16, datawidth: 16 }
  - !Component { name: unit, class: intmac, attributes: { width: 16 } }
`,
);
const problem = file(
  "problem.yaml",
  `problem:
  version: "0.4"
  shape:
    name: scores
    dimensions: [B, E, H, M, N, P]
    data_spaces:
    - { name: Q, projection: [[[B]], [[E]], [[H]], [[P]]] }
    - { name: K, projection: [[[B]], [[E]], [[H]], [[M]], [[N]]] }
    - { name: QK, projection: [[[B]], [[H]], [[M]], [[N]], [[P]]], read_write: True }
  instance: { B: 64, E: 256, H: 16, M: 16, N: 256, P: 4096 }
`,
);
const mapping = file(
  "mapping.yaml",
  `mapping:
- { target: Memory, type: temporal, factors: [B=64, H=16, M=16], permutation: [M, H, B] }
- { target: Memory, type: dataspace, keep: [Q, K], bypass: [QK] }
- { target: Buffer, type: temporal, factors: [E=256, P=16], permutation: [E, P] }
- { target: Buffer, type: dataspace, keep: [Q, K], bypass: [QK] }
- { target: column, type: spatial, factors: P=256, permutation: P, split: 1 }
- { target: row, type: spatial, factors: N=256, permutation: N, split: 0 }
`,
);

describe("fusemax import timeloop", () => {
  it("counts what Timeloop does for FuseMax's scores (statistics of the paper's artifact)", async () => {
    const out = join(folder, "found");
    const { code, stderr } = await invoke("import", "timeloop", architecture, problem, mapping, "--out", out);
    expect([code, stderr]).toEqual([0, ""]);
    expect(readdirSync(out).sort()).toEqual([
      "QK.cascade",
      "architecture.yaml",
      "binding.yaml",
      "design.yaml",
      "mapping.yaml",
    ]);
    const args = ["model", "--design", join(out, "design.yaml"), "--counts"];
    const [{ accesses, cycles }] = JSON.parse((await invoke(...args, "--json")).stdout).results;
    expect(cycles).toEqual([{ einsum: "QK", array: "unit", cycles: 67_108_864 }]);
    // Timeloop prints words of one instance.
    const perInstance = Object.fromEntries(
      accesses.map(
        (a: Record<"reads" | "updates" | "fills" | "instances", number> & Record<"level" | "tensor", string>) => [
          `${a.level} ${a.tensor}`,
          [a.reads, a.updates, a.fills].map(words => words / a.instances),
        ],
      ),
    );
    expect(perInstance).toEqual({
      "Memory Q": [1_073_741_824, 0, 0],
      "Memory K": [1_073_741_824, 0, 0],
      "Buffer Q": [17_179_869_184, 0, 1_073_741_824],
      "Buffer K": [17_179_869_184, 0, 1_073_741_824],
      "registers Q": [67_108_864, 0, 67_108_864],
      "registers K": [67_108_864, 0, 67_108_864],
      "registers QK": [66_846_720, 67_108_864, 0],
    });
    const { columns, rows } = parseCsv((await invoke(...args, "--csv")).stdout);
    expect(rows.at(-1)?.[columns.indexOf("count")]).toBe("67108864");
    const { stdout } = await invoke(...args);
    expect(stdout).toMatch(/^QK +registers +QK +65,536 +4,380,866,641,920 +4,398,046,511,104 +0 /m);
    expect(stdout).toMatch(/^QK +unit +67,108,864$/m);
  });

  it("models a part of a whole that moves nothing through DRAM", async () => {
    const text = readFileSync(mapping, "utf8").replace(
      "keep: [Q, K], bypass: [QK] }",
      "keep: [], bypass: [Q, K, QK] }",
    );
    const out = join(folder, "inner");
    await invoke("import", "timeloop", architecture, problem, file("inner.yaml", text), "--out", out);
    const { code, stdout } = await invoke("model", "--design", join(out, "design.yaml"), "--json");
    expect(code).toBe(0);
    const [result] = JSON.parse(stdout).results;
    expect(result).toMatchObject({ cycles: 67_108_864, trafficBytes: 0 });
    expect(result).not.toHaveProperty("operationsPerByte");
  });

  it("prints the files without --out", async () => {
    const { code, stdout } = await invoke("import", "timeloop", architecture, problem, mapping);
    expect(code).toBe(0);
    for (const name of ["architecture.yaml", "QK.cascade", "mapping.yaml", "binding.yaml", "design.yaml"]) {
      expect(stdout).toContain(`# ${name}\n`);
    }
    expect(stdout).toContain("QK[b,h,m,n,p] = Q[b,e,h,p] * K[b,e,h,m,n]");
  });

  it("says in one line what has no counterpart, and writes nothing", async () => {
    const window = file(
      "window.yaml",
      "problem:\n  shape:\n    name: w\n    dimensions: [P, R]\n    data_spaces:\n    - {name: I, projection: [[[P], [R]]]}\n    - {name: O, projection: [[[P], [R]]], read_write: True}\n  instance: {P: 4, R: 2}\n",
    );
    const out = join(folder, "none");
    const { code, stdout, stderr } = await invoke("import", "timeloop", architecture, window, mapping, "--out", out);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^fusemax: .*window\.yaml:7:\d+ \S+: got the sum P \+ R in what is written, which has no counterpart here; [^\n]+\n$/,
    );
    expect(readdirSync(folder)).not.toContain("none");
    const own = file("architecture.yaml", readFileSync(architecture, "utf8"));
    const over = await invoke("import", "timeloop", own, problem, mapping, "--out", folder);
    expect(over.code).toBe(2);
    expect(over.stderr).toMatch(
      /^fusemax: --out: got .*architecture\.yaml, the input .*; expected a folder of its own\n$/,
    );
    expect(readFileSync(own, "utf8")).toBe(readFileSync(architecture, "utf8"));
    expect(readdirSync(folder)).not.toContain("design.yaml");
    expect((await invoke("import", "timeloop", architecture, problem, join(folder, "missing.yaml"))).code).toBe(2);
    expect((await invoke("import", "timeloop", mapping, problem, mapping)).stderr).toMatch(
      /^fusemax: .*no architecture/,
    );
  });
});
