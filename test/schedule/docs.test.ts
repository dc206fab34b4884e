import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "../cli/invoke.js";

/**
 * docs/schedule.md shows what its commands print and draw, to the byte: each `$ fusemax` is followed by the table that it
 * prints, and the files of each `fusemax trace` are the committed ones. `UPDATE_DOCS=1` writes them anew.
 */
const path = new URL("../../docs/schedule.md", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "fusemax-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const update = process.env["UPDATE_DOCS"] === "1";

const text = (): string => readFileSync(path, "utf8");
const tables = [...text().matchAll(/^```text\n\$ fusemax (.*)\n/gm)].map(m => m[1] ?? "");
const drawings = [...text().matchAll(/^fusemax (trace .*)$/gm)].map(m => m[1] ?? "");

describe("docs/schedule.md", () => {
  it("has commands", () => expect(tables.length * drawings.length).toBeGreaterThan(10));

  it.each(tables)("shows the output of fusemax %s", async command => {
    const { code, stdout } = await invoke(...command.split(" "));
    expect(code).toBe(0);
    const output = stdout.slice(stdout.indexOf("\n\n") + 2); // the words above the table are said once, in the text
    const opening = `\`\`\`text\n$ fusemax ${command}\n`;
    const start = text().indexOf(opening) + opening.length;
    const end = text().indexOf("```\n", start);
    if (update) writeFileSync(path, text().slice(0, start) + output + text().slice(end));
    else expect(text().slice(start, end)).toBe(output);
  });

  it.each(drawings)("has the files of fusemax %s", async command => {
    const [options = "", files = ""] = command.split(" --out ");
    for (const file of files.split(" ")) {
      const made = join(folder, basename(file));
      const { code } = await invoke(...options.split(" "), "--out", made);
      expect(code).toBe(0);
      const committed = new URL(`../../${file}`, import.meta.url);
      if (update) writeFileSync(committed, readFileSync(made));
      expect(readFileSync(made, "utf8")).toBe(readFileSync(committed, "utf8"));
    }
  });
});
