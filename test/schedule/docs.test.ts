import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "../cli/invoke.js";

/**
 * docs/schedule.md shows what its commands print and draw, to the byte: each comment that holds a command is followed by the
 * command's output, and the files that it makes are the committed ones. `UPDATE_DOCS=1` writes them anew.
 */
const path = new URL("../../docs/schedule.md", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "fusemax-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const update = process.env["UPDATE_DOCS"] === "1";

const commands = [...readFileSync(path, "utf8").matchAll(/^<!-- fusemax (.*) -->$/gm)].map(m => m[1] ?? "");
const block = (command: string, output: string): string =>
  `<!-- fusemax ${command} -->\n\n\`\`\`text\n${output}\`\`\`\n`;

describe("docs/schedule.md", () => {
  it("has commands", () => expect(commands.length).toBeGreaterThan(10));

  it.each(commands.filter(command => command.startsWith("schedule ")))(
    "shows the output of fusemax %s",
    async command => {
      const { code, stdout } = await invoke(...command.split(" "));
      expect(code).toBe(0);
      const output = stdout.slice(stdout.indexOf("\n\n") + 2); // the words above the table are said once, in the text
      const text = readFileSync(path, "utf8");
      if (update) {
        const marker = `<!-- fusemax ${command} -->\n`;
        const after = text.slice(text.indexOf(marker) + marker.length).replace(/^\n```text\n[^`]*```\n/, "");
        writeFileSync(path, text.slice(0, text.indexOf(marker)) + block(command, output) + after);
      } else expect(text).toContain(block(command, output));
    },
  );

  it.each(commands.filter(command => command.startsWith("trace ")))("has the files of fusemax %s", async command => {
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
