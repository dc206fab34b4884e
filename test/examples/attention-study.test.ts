import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { capRows, shapeRows, studyRows } from "../../examples/attention-study/points.js";

/** Law: the numbers that docs/attention-today.md keeps are those that its command computes. */
const kept = readFileSync(new URL("../../docs/attention-today/numbers.txt", import.meta.url), "utf8");

describe("the study of today's attention", () => {
  it("keeps the speedups that it computes", () => {
    const rows = studyRows("corrected");
    const of = (label: string, phase: string, seq: number) => {
      const row = rows.find(own => own.label === label && own.phase === phase && own.seq === seq);
      if (row === undefined) throw new Error(`no row for ${label}`);
      const { unfused, flat, fusemax } = row.on;
      return [unfused, flat].map(base => (base.latencySeconds / fusemax.latencySeconds).toFixed(2));
    };
    const section = (phase: string): string =>
      kept.slice(kept.indexOf(`${phase}, corrected`), kept.indexOf(`${phase}, published`));
    for (const [label, phase, seq] of [
      ["GPT-2", "Prefill", 8192],
      ["Llama 3 8B", "Prefill", 131072],
      ["DeepSeek abs.", "Decode", 131072],
      ["Mistral 7B", "Decode", 8192],
    ] as const) {
      const [unfused, flat] = of(label, phase.toLowerCase(), seq);
      const line = new RegExp(`^${label.replace(".", "\\.")} +${seq / 1024}K +${unfused} +${flat} `, "m");
      expect(section(phase)).toMatch(line);
    }
  });

  it("keeps what Gemma 2's soft-cap costs, in its numbers and in the document's table", () => {
    const document = readFileSync(new URL("../../docs/attention-today.md", import.meta.url), "utf8");
    const rows = capRows(8192, "prefill");
    const [plain] = rows;
    if (plain === undefined) throw new Error("no row");
    for (const { scores, fusemax, flat } of rows) {
      const count = (value: number): string => Math.round(value).toLocaleString("en-US");
      const of = (a: number, b: number): string => (a / b).toFixed(2);
      const figures = [
        ...[count(fusemax.cycles), of(fusemax.cycles, plain.fusemax.cycles)],
        ...[count(flat.cycles), of(flat.cycles, plain.flat.cycles), of(flat.cycles, fusemax.cycles)],
      ];
      const row = document.split("\n").find(line => line.startsWith(`| ${scores}`));
      expect(row?.split(" | ").slice(1).join().replace(/ \|$/, "")).toBe(figures.join());
      for (const figure of figures) expect(kept.slice(kept.indexOf("Gemma 2, global layers"))).toContain(figure);
    }
    const [alone, slow, quick] = capRows(8192, "decode").map(({ fusemax }) =>
      Math.round(fusemax.cycles).toLocaleString("en-US"),
    );
    expect(document).toContain(`${slow} cycles at 8K in place of the ${alone} that`);
    expect(document).toContain(`with dividers of one cycle ${quick}.`);
  });

  it("finds that decode needs rows, and columns for one group of heads", () => {
    const time = (rows: number, columns: number): number => {
      const found = shapeRows("llama-3-70b", 8192).find(own => own.rows === rows && own.columns === columns);
      return found?.result.latencySeconds ?? Number.NaN;
    };
    expect(time(256, 8) / time(256, 256)).toBeCloseTo(1, 2);
    expect(time(256, 4)).toBeGreaterThan(1.5 * time(256, 8));
    expect(time(64, 256)).toBeGreaterThan(2 * time(256, 256));
  });
});
