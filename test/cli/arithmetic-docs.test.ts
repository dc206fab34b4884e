import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { numberTypes } from "../../src/numerics/number-type.js";
import { operandsInWords, sumsInWords, writtenArithmetic } from "../../src/report/arithmetic.js";
import { loadArithmetic } from "../../src/spec/load.js";
import { invoke } from "./invoke.js";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const page = read("docs/arithmetic.md");
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => text);

/** The cells of the rows of a table, without `code` marks. */
const rowsOf = (text: string, heading: string): readonly (readonly string[])[] => {
  const [, table = ""] = text.split(heading);
  const rows: string[][] = [];
  for (const line of table.slice(table.indexOf("\n| ") + 1).split("\n")) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .split("|")
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll("`", "")),
    );
  }
  return rows.slice(2);
};

const folder = mkdtempSync(join(tmpdir(), "fusemax-arithmetic-docs-"));
const before = process.cwd();
process.chdir(folder);
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe("README.md", () => {
  it("lists the files of specs/arithmetic, as they are", () => {
    const rows = rowsOf(read("README.md"), "## Arithmetics");
    const expected = specFiles.names("arithmetic").map(name => {
      const arithmetic = loadArithmetic(specFiles, name);
      return [name, operandsInWords(arithmetic), sumsInWords(arithmetic)];
    });
    expect(rows.map(row => row.slice(0, 3))).toEqual(expected);
    for (const [name, , , what = ""] of rows) expect(what.length, name).toBeGreaterThan(10);
  });
});

describe("docs/arithmetic.md", () => {
  it("begins with a named file", () => {
    const [text = ""] = blocks("yaml");
    writeFileSync("first.yaml", text);
    const { source: _, ...first } = loadArithmetic(specFiles, "first.yaml");
    const { source: __, ...named } = loadArithmetic(specFiles, first.name);
    expect(first).toEqual(named);
  });

  it("has a line for each field", () => {
    const cells = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].map(([, cell = ""]) => cell);
    const named = cells.flatMap(cell => cell.match(/\w+/g) ?? []);
    const fields = Object.keys(writtenArithmetic(loadArithmetic(specFiles, "bf16")));
    for (const field of fields) expect(named).toContain(field);
  });

  it("has the types as they are", () => {
    const rows = rowsOf(page, "## Types");
    expect(rows.map(([name, bits, , , stored]) => [name, bits, stored])).toEqual(
      Object.values(numberTypes).map(({ name, significandBits, integer, storageBits }) => [
        name,
        integer ? "integers" : String(significandBits),
        String(storageBits),
      ]),
    );
    for (const [name = "", , exponent = "", largest] of rows) {
      const type = Object.values(numberTypes).find(one => one.name === name);
      if (exponent !== "") expect(Number(exponent.replace("−", "-")), name).toBe(type?.leastExponent);
      if (/^[\d.]+$/.test(largest ?? "")) expect(Number(largest), name).toBe(type?.largest);
    }
  });

  it("has a program that runs", () => {
    const [program = ""] = blocks("js");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: root,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(`${8 * 32} { q: 0, k: 0, v: 0, p: 0 }\n`);
  });

  const examples = blocks("console").map(text => {
    const [first = "", ...output] = text.split("\n");
    return [first.replace("$ fusemax ", ""), output.join("\n")] as const;
  });

  it("has examples", () => expect(examples.length).toBeGreaterThan(1));

  it.each(examples)("%s", async (command, output) => {
    const plain = ["q", "k", "v", "p"].map(name => `  ${name}: { type: bf16 }\n`).join("");
    writeFileSync("narrow.yaml", `name: narrow\nsource: mine\noperands:\n${plain}accumulator: bf16\nsums: running\n`);
    const { stdout, stderr } = await invoke(...command.split(" "));
    expect(stdout || stderr).toBe(output);
  });
});
