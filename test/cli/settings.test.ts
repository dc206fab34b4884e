import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-settings-"));
afterAll(() => rmSync(folder, { recursive: true }));
const spec = (kind: string): string => readFileSync(new URL(`../../specs/${kind}`, import.meta.url), "utf8");
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
/** 45nm with multiply-accumulates of 1 pJ. */
const cheap = file(
  "cheap.yaml",
  spec("technologies/45nm.yaml").replace(/mac: \{ energyPj: [\d.]+/, "mac: { energyPj: 1"),
);
file("cheap-arch.yaml", spec("architectures/fusemax.yaml").replace("technology: 45nm", "technology: ./cheap.yaml"));
const cheapDesign = file(
  "cheap-design.yaml",
  spec("designs/fusemax.yaml").replace("architecture: fusemax", "architecture: ./cheap-arch.yaml"),
);

interface Answer {
  readonly accounting: string;
  readonly results: readonly { readonly cycles: number; readonly energyPj: number }[];
}
const model = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await invoke("model", "--seq", "1K", ...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  const { accounting, results } = JSON.parse(stdout) as Answer;
  return { accounting, results, cycles: results[0]?.cycles ?? 0, energyPj: results[0]?.energyPj ?? 0 };
};
const fusemax = (...args: readonly string[]) => model("--design", "fusemax", ...args);

describe("a setting takes effect", () => {
  it("of the architecture's technology, by its file, as a design with it does", async () => {
    const set = await fusemax("--set", `architecture.technology=${cheap}`);
    const own = await model("--design", cheapDesign);
    expect(set).toEqual(own);
    expect(set.energyPj).toBeLessThan(0.5 * (await fusemax("--accounting", "corrected")).energyPj);
    const named = await fusemax("--set", "architecture.technology=45nm");
    expect(named.energyPj).toBe((await fusemax("--accounting", "corrected")).energyPj);
  });

  it("multiplies a number that takes no formula", async () => {
    const energies: number[] = [];
    for (const factor of [1, 2]) {
      const setting = `technology.operations.mac.energyPj*=${factor}`;
      energies.push((await fusemax("--accounting", "published", "--set", setting)).energyPj);
    }
    const [once = 0, twice = 0] = energies;
    const alone = (await fusemax("--accounting", "published", "--set", "technology.operations.mac.energyPj=0"))
      .energyPj;
    expect(twice - once).toBeCloseTo(once - alone, -3);
    expect(twice).toBeGreaterThan(1.5 * once);
  });

  it("after the corrections: they do not undo it", async () => {
    const slow = await fusemax("--accounting", "corrected", "--set", "architecture.arrays.1d.operations.divide=400");
    expect(slow.cycles).toBeGreaterThan(2 * (await fusemax("--accounting", "corrected")).cycles);
  });

  it("of one name alone where YAML shares a block under two", async () => {
    const design = ["--design", "linear-flat", "--accounting", "published"];
    const { results } = await model(...design);
    const set = await model(...design, "--set", "mapping.einsums.Q.operations.mac=2");
    const einsums = (answer: { readonly results: Answer["results"] }) =>
      (answer.results[0] as unknown as { einsums: Record<string, { energyPj: number }> }).einsums;
    const [before, after] = [einsums({ results }), einsums(set)];
    expect(after["Q"]?.energyPj).toBeGreaterThan(before["Q"]?.energyPj ?? 0);
    expect(after["K"]?.energyPj).toBe(before["K"]?.energyPj);
  });

  it("of the technology, also of a whole layer's products", async () => {
    const layer = async (...args: readonly string[]): Promise<number> => {
      const { results } = await fusemax("--layer", ...args);
      return (results[0] as unknown as { layer: { products: Record<string, { energyPj: number }> } }).layer.products[
        "query"
      ]?.energyPj as number;
    };
    expect(await layer("--set", "technology.operations.mac.energyPj*=2")).toBeGreaterThan(
      1.2 * (await layer("--accounting", "corrected")),
    );
  });
});

describe("a setting without effect is refused", () => {
  it.each([
    ["architecture.timing.dramLatencyCycles=5000", /the model streams from DRAM at its bandwidth/],
    ["architecture.name=mine", /it is a word for people/],
    ["mapping.source=mine", /it is a word for people/],
    ["binding.name=mine", /it is a word for people/],
    ["binding.phases.0.name=mine", /it is a word for people/],
    ["mapping.tensors.Q.0=E", /got a field that the design's cascade gives/],
    ["technology.name=mine", /it is a word for people/],
    ["technology.operations.exp.energyPj=1", /no Einsum does this operation there/],
    ["architecture.technology=./nowhere.yaml", /nowhere\.yaml: no such file/],
    [
      "architecture.technology=7nm",
      /--set architecture\.technology: got "7nm"; expected one of 45nm, none or a YAML file/,
    ],
    [
      "architecture.technology*=2",
      /--set architecture\.technology: got \*=; expected = and a technology's name or file/,
    ],
  ])("%s", async (setting, message) => {
    const { code, stdout, stderr } = await invoke("model", "--design", "fusemax", "--seq", "1K", "--set", setting);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  it.each([
    [
      "model --design fusemax --correct flat-mapper",
      /--correct: got "flat-mapper", which fixes nothing of fusemax; expected one that does: register-energy, first-reads/,
    ],
    ["sweep --design fusemax --correct exp-cost", /--correct: got "exp-cost", which fixes nothing of fusemax/],
    ["passes --rank M", /--rank: needs a cascade: a file, or a name of the library/],
    ["passes --shape M=4", /--shape: needs a cascade/],
    ["passes attention-1-pass --element-bytes 4", /--element-bytes: needs --shape M=4096/],
    ["reproduce corrections --accounting corrected", /--accounting: got the study corrections; expected another study/],
    ["reproduce corrections --mapping search", /--mapping: got the study corrections/],
  ])("%s", async (command, message) => {
    const { code, stdout, stderr } = await invoke(...command.split(" "));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  it("of a field that is given two values", async () => {
    const twice = ["architecture.parameters.D=64", "architecture.parameters.D=128"];
    const { code, stderr } = await invoke("model", "--set", ...twice);
    expect([code, stderr]).toEqual([2, "fusemax: --set architecture.parameters.D: got two values; expected one\n"]);
  });

  it("of the published time, which has no schedule", async () => {
    const { code, stderr } = await invoke(
      ...["model", "--design", "fusemax", "--accounting", "published", "--set", "architecture.timing.bufferReadRows=1"],
    );
    expect([code, stderr]).toEqual([2, expect.stringMatching(/only a schedule's simulation reads it/)]);
  });

  it("of a formula that nobody names", async () => {
    const unused = file(
      "unused.yaml",
      spec("architectures/fusemax.yaml").replace("  columns: D\n", "  columns: D\n  spare: 7\n  echo: spare\n"),
    );
    const design = file(
      "unused-design.yaml",
      spec("designs/fusemax.yaml").replace("architecture: fusemax", `architecture: ${unused}`),
    );
    for (const name of ["spare", "echo"]) {
      const { code, stderr } = await invoke("model", "--design", design, "--set", `architecture.parameters.${name}=8`);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/no formula that is used names it/)]);
    }
    expect((await invoke("model", "--design", design, "--set", "architecture.parameters.D=128")).code).toBe(0);
  });

  it("of a sweep, before it is swept", async () => {
    for (const [field, message] of [
      ["workload.modelDim=1,2", /attention does not depend on it/],
      ["architecture.timing.dramLatencyCycles=1,2", /the model streams from DRAM/],
      ["technology.operations.exp.energyPj=1,2", /no Einsum does this operation there/],
    ] as const) {
      const { code, stdout, stderr } = await invoke("sweep", "--set", field);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
  });

  it("and where only some designs read it, a line names the others", async () => {
    for (const command of ["model", "sweep"]) {
      const { code, stderr } = await invoke(
        ...[command, "--design", "fusemax,flat", "--seq", "1K", "--set", "technology.operations.exp.energyPj=1"],
      );
      expect(code).toBe(0);
      expect(stderr).toBe(
        "fusemax: --set technology.operations.exp.energyPj moves nothing of fusemax, which never reads it\n",
      );
    }
  });
});

describe("what a field takes is the schema's", () => {
  it.each([
    [
      "technology.operations.mac.energyPj=abc",
      /--set technology\.operations\.mac\.energyPj: got "abc"; expected a number/,
    ],
    ["technology.operations.mac.energyPj=-1", /got -1; expected a number of at least 0/],
    ["technology.operations.mac.energyPj=1*2", /got "1\*2"; expected a number/],
    ["technology.operations.mac.energyPj=1e400", /got "1e400"; expected a number/],
    ["technology.energyDecimals=2.5", /got 2\.5; expected a whole number/],
    ["technology.energyDecimals*=x", /expected a/],
    [
      "technology.registerFile.readPj=-5",
      /--set technology\.registerFile\.readPj: got -5; expected a number of at least 0/,
    ],
    [
      "technology.sram.decoderPj=log2(0)",
      /--set technology\.sram\.decoderPj: got -Infinity; expected a number of at least 0/,
    ],
    ["architecture.wordBits=2*8", /--set architecture\.wordBits: got "2\*8"; expected a number/],
    ["architecture.wordBits=-16", /got -16; expected a number above 0/],
    ["architecture.frequencyHz=1e400", /--set architecture\.frequencyHz: got 1e400 at character 1/],
    ["architecture.frequencyHz=-5", /--set architecture\.frequencyHz: got -5; expected a number above 0/],
    [
      "architecture.frequencyHz=abc",
      /--set architecture\.frequencyHz: got the unknown name 'abc'; expected one of \S.* and \d+ others in the design's sizes/,
    ],
    ["architecture.arrays.2d.operations.mac=-1", /got -1 cycles; expected a number of at least 0/],
    ["mapping.einsums.QK.operations.mac=-1", /got -1; expected a number of at least 0/],
    ["architecture.levels.buffer.kind=dram", /--set architecture\.levels\.buffer|unknown key/],
    ["mapping.tables=1", /the field 'mapping\.tables'/],
    ["architecture.parameters.__proto__=1", /the field 'architecture\.parameters\.__proto__'/],
    ["technology.operations.mac.energyPj=1e308", /energyPj: got Infinity; expected a finite number/],
  ])("%s", async (setting, message) => {
    const { code, stdout, stderr } = await invoke("model", "--design", "fusemax", "--seq", "1K", "--set", setting);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });
});

describe("the accounting where nobody names one", () => {
  const first = async (...args: readonly string[]): Promise<string> =>
    (await invoke(...args)).stdout.split("\n")[0] ?? "";

  it("is published for the paper's designs as they ship, whatever the workload", async () => {
    expect(await first("model", "--seq", "1K")).toBe("Accounting: published (the paper's designs as they ship)");
    expect((await fusemax("--model", "gpt-2")).accounting).toBe("published");
  });

  it("is corrected with a setting, a design of one's own or another than the paper's", async () => {
    const own =
      "(a design, a setting or scores that are not the paper's; --accounting published computes as the authors did)";
    const mine = file("mine.yaml", spec("designs/fusemax.yaml"));
    for (const args of [
      ["--design", "fusemax", "--set", "architecture.parameters.D=256"],
      ["--design", mine],
      ["--design", "fusemax", mine],
      ["--design", "fusemax", "--set", "architecture.technology=45nm"],
    ]) {
      expect(await first("model", "--seq", "1K", ...args)).toBe(`Accounting: corrected ${own}`);
      expect((await model(...args)).accounting).toBe("corrected");
    }
  });

  it("gives way to one that is named", async () => {
    const set = ["--design", "fusemax", "--seq", "1K", "--set", "architecture.parameters.D=128"];
    expect(await first("model", ...set, "--accounting", "published")).toBe("Accounting: published");
    expect(await first("model", ...set, "--correct", "divider")).toBe("Accounting: published with divider");
  });

  it("stands in every row of CSV", async () => {
    for (const [args, word] of [
      [["model", "--design", "fusemax", "--csv"], "published"],
      [["model", "--design", "fusemax", "--set", "architecture.parameters.D=128", "--csv"], "corrected"],
      [["sweep"], "published"],
      [["sweep", "--set", "architecture.parameters.D=128"], "corrected"],
    ] as const) {
      const { columns, rows } = parseCsv((await invoke(...args, "--seq", "1K")).stdout);
      expect(rows.map(row => row[columns.indexOf("accounting")])).toEqual(rows.map(() => word));
    }
  });
});
