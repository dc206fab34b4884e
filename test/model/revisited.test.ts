import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { invoke } from "../cli/invoke.js";

/**
 * Law: a number in a table of docs/fusemax-revisited.md is what the command in its row prints. Beside it, unseen by readers,
 * is where in the command's JSON (`r`) it is; `head` finds a headline. The digits that are shown are compared.
 */
const page = readFileSync(new URL("../../docs/fusemax-revisited.md", import.meta.url), "utf8");

interface Held {
  readonly command: string;
  readonly shown: string;
  readonly where: string;
}

const rows = page.split("\n").filter(line => line.startsWith("| ") && line.includes("<!--"));
const held: readonly Held[] = rows.flatMap(row => {
  const [, command = ""] = /`([^`]*)` \|$/.exec(row) ?? [];
  return [...row.matchAll(/\| ([\d.,%]+) <!-- (.*?) -->/g)].map(([, shown = "", where = ""]) => ({
    command,
    shown,
    where,
  }));
});

const folder = mkdtempSync(join(tmpdir(), "fusemax-revisited-"));
const before = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

interface Headline {
  readonly what: string;
  readonly base: string;
  readonly ours: number;
}

const answers = new Map<string, unknown>();
async function answerOf(command: string): Promise<unknown> {
  if (!answers.has(command)) answers.set(command, JSON.parse((await invoke(...command.split(" "))).stdout));
  return answers.get(command);
}

describe("docs/fusemax-revisited.md", () => {
  it("has a command for every number of its tables", () => {
    expect(held.length).toBeGreaterThanOrEqual(30);
    for (const { command, where } of held) expect(command, where).toMatch(/--json$/);
    const cells = page.split("\n").filter(line => line.startsWith("| ") && !/^\| -/.test(line));
    for (const cell of cells.flatMap(line => line.split(" | ")))
      if (/^[\d.,]+%?$/.test(cell)) expect.fail(`${cell} has no command`);
  });

  it.each(held.map(own => [own.command, own.shown, own.where] as const))("%s: %s", async (command, shown, where) => {
    const r = await answerOf(command);
    const head = (what: string, base: string): number | undefined =>
      (r as { readonly headlines: readonly Headline[] }).headlines.find(h => h.what === what && h.base === base)?.ours;
    const value: unknown = new Function("r", "head", `return ${where};`)(r, head);
    const isShare = shown.endsWith("%");
    const digits = shown.replaceAll(/[,%]/g, "").split(".")[1]?.length ?? 0;
    expect(typeof value).toBe("number");
    expect((Number(value) * (isShare ? 100 : 1)).toFixed(digits)).toBe(shown.replaceAll(/[,%]/g, ""));
  });
});
