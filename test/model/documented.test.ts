import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { correctionNames } from "../../src/model/corrections.js";
import { invoke } from "../cli/invoke.js";

/** Law: what docs/model.md shows is what the commands that it names print today. */
const folder = mkdtempSync(join(tmpdir(), "fusemax-documented-"));
afterAll(() => rmSync(folder, { recursive: true }));
const page = readFileSync(new URL("../../docs/model.md", import.meta.url), "utf8");

describe("docs/model.md", () => {
  it("has the table of fusemax reproduce corrections", async () => {
    await invoke("reproduce", "corrections", "--out", folder);
    const { columns, rows } = parseCsv(readFileSync(join(folder, "corrections.csv"), "utf8"));
    const cells = (line: string): string[] =>
      line
        .split("|")
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll("`", ""));
    const shown = page
      .split("\n")
      .filter(line => line.startsWith("| "))
      .map(cells);
    const documented = shown.filter(
      ([name]) => name !== undefined && ["published", ...correctionNames, "all"].includes(name),
    );
    expect(shown.some(line => line.join() === columns.join())).toBe(true);
    expect(documented.map(([name]) => name)).toEqual(rows.map(([name]) => name));
    documented.forEach((line, r) => {
      line.slice(1).forEach((cell, c) => {
        const value = Number(rows[r]?.[c + 1]);
        expect(value >= 10 ? value.toFixed(2) : value.toFixed(3), `${line[0]}, ${columns[c + 1]}`).toBe(cell);
      });
    });
  });

  it("shows the figures of fusemax reproduce, to the byte", async () => {
    await invoke("reproduce", "--out", folder);
    const figures = new URL("../../docs/model/", import.meta.url);
    for (const name of readdirSync(figures)) {
      expect(readFileSync(join(folder, name), "utf8"), name).toBe(readFileSync(new URL(name, figures), "utf8"));
    }
  });
});
