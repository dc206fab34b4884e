import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { csvCell, parseCsv } from "../../src/io/csv.js";
import { checkResult, jsonText } from "../../src/report/finite.js";
import { textTable } from "../../src/report/table.js";
import { energy, percent } from "../../src/report/units.js";
import { invoke } from "./invoke.js";

// No NaN and no Infinity leaves a command: the model is made to compute some.

const poison = vi.hoisted(() => ({ value: 0 }));
const poisoned = () => ({ trafficBytes: poison.value, latencySeconds: poison.value, cycles: poison.value });
vi.mock(import("../../src/model/evaluate.js"), async original => {
  const real = await original();
  return {
    ...real,
    evaluate: (...args: Parameters<typeof real.evaluate>) => {
      const found = real.evaluate(...args);
      return poison.value === 0 ? found : { ...found, ...poisoned() };
    },
  };
});
afterEach(() => {
  poison.value = 0;
});
const folder = mkdtempSync(join(tmpdir(), "fusemax-finite-"));
afterAll(() => rmSync(folder, { recursive: true }));

const light = ["--engine", "cpu", "--check", "none", "--seq", "8"];
const commands: readonly (readonly string[])[] = [
  ["model", "--seq", "1K"],
  ["model", "--seq", "1K", "--csv"],
  ["model", "--seq", "1K", "--json"],
  ["model", "--seq", "1K", "--layer"],
  ["run", ...light],
  ["run", ...light, "--json"],
  ["traffic-bound", "--seq", "1K"],
  ["traffic-bound", "--seq", "1K", "--csv"],
  ["traffic-bound", "--seq", "1K", "--json"],
  ["reproduce", "attention", "--out", join(folder, "a")],
  ["reproduce", "attention", "--out", join(folder, "b"), "--json"],
  ["schedule", "--seq", "1K"],
  ["schedule", "--seq", "1K", "--json"],
];

describe("a number that is none leaves no command", () => {
  it.each(
    commands.flatMap(command =>
      [Number.NaN, Number.POSITIVE_INFINITY].map(value => [command.join(" "), value] as const),
    ),
  )("%s, %d", async (command, value) => {
    poison.value = value;
    const { code, stdout, stderr } = await invoke(...command.split(" "));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/got (NaN|Infinity); expected a finite number; /);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("sweep says it of the point", async () => {
    poison.value = Number.NaN;
    const csv = parseCsv((await invoke("sweep", "--seq", "1K")).stdout);
    expect(csv.rows[0]?.at(-1)).toBe("cycles is no number");
    expect(csv.rows[0]?.[csv.columns.indexOf("latencySeconds")]).toBe("");
    const [point] = JSON.parse((await invoke("sweep", "--seq", "1K", "--json")).stdout).points;
    expect([point.error, "latencySeconds" in point]).toEqual(["cycles is no number", false]);
    const out = ["a.csv", "a.json", "a.svg"].map(name => join(folder, name));
    await invoke("sweep", "--seq", "1K", "--out", ...out);
    for (const file of out) {
      expect(readFileSync(file, "utf8")).not.toMatch(/NaN|Infinity|(?<!"layers"):null/);
      rmSync(file);
    }
  });
});

describe("the guard at the writer", () => {
  it("law: finds a number that is none wherever it stands, and names the place", () => {
    const tree = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(null, "NaN", true),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 5 }), tie("tree"), { maxKeys: 4 }),
      ),
    })).tree;
    fc.assert(
      fc.property(
        tree,
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        (value, none) => {
          expect(checkResult(value)).toBe(value);
          expect(JSON.parse(jsonText({ value }))).toEqual(JSON.parse(JSON.stringify({ value })));
          expect(() => jsonText({ value, bad: [value, { none }] })).toThrow(/^bad\.1\.none: got (NaN|-?Infinity); /);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("also in CSV, in tables and in words", () => {
    for (const none of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => csvCell(none)).toThrow(/expected a finite number/);
      expect(() => textTable({ columns: ["x"], rows: [[none]] })).toThrow(/^x: got/);
      expect(() => percent(none)).toThrow(/a share: got/);
      expect(() => energy(none)).toThrow(/expected a finite number/);
    }
  });
});

describe("other commands", () => {
  it("equal writes values that are no finite numbers as words", async () => {
    const { code, stdout } = await invoke("equal", "softmax", "softmax", "--scale", "1e308", "--json");
    expect(code).toBe(0);
    expect(stdout).toMatch(/"values":\["NaN","NaN"\]|"values":\[[\d.e-]+,[\d.e-]+\]/);
    expect(stdout).not.toMatch(/:(null,"inputs|\[null)/);
  });

  it.each([
    ["passes attention-1-pass --shape M=1e400", /M=1e400/],
    ["taxonomy --shape M=NaN", /NaN/],
    ["passes attention-3-pass --shape M=1024G,P=1024G,E=1024G --json", undefined],
    ["taxonomy --shape M=1024G,M0=256,P=1024G,E=64,F=64 --json", undefined],
  ])("%s", async (command, message) => {
    const { code, stdout, stderr } = await invoke(...command.split(" "));
    if (message === undefined) expect(code).toBe(0);
    else expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
    expect(stdout).not.toMatch(/NaN|Infinity|":null,"value/);
  });
});
