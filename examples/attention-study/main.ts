/**
 * The study of docs/attention-today.md: FuseMax, FLAT and Unfused on today's models. Writes its figures and numbers.
 *
 *   npm run study:attention [-- FOLDER]     (docs/attention-today)
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { textTable } from "fusemax";
import { ofArray } from "#fusemax/model/array-shares";
import { energies, shapes, speedups, uses } from "./figures.js";
import { capRows, type Row, shapeRows, studyRows } from "./points.js";

const folder = process.argv[2] ?? "docs/attention-today";
const corrected = studyRows("corrected");
const published = studyRows("published");
const shapesOf70b = shapeRows("llama-3-70b", 128 * 1024);

const ratio = (value: number): string => value.toFixed(2);
const bound: Readonly<Record<string, string>> = { dram: "DRAM", "1d": "1D", "2d": "2D", binding: "binding" };

function summary(rows: readonly Row[], phase: Row["phase"]): string {
  return textTable({
    columns: ["model", "tokens", "x Unfused", "x FLAT", "energy/Unf.", "energy/FLAT", "ops/byte", "2D useful", "bound"],
    rows: rows
      .filter(row => row.phase === phase)
      .map(({ label, seq, on: { unfused, flat, fusemax } }) => [
        label,
        `${seq / 1024}K`,
        ratio(unfused.latencySeconds / fusemax.latencySeconds),
        ratio(flat.latencySeconds / fusemax.latencySeconds),
        ratio(fusemax.energyPj / unfused.energyPj),
        ratio(fusemax.energyPj / flat.energyPj),
        fusemax.operationsPerByte?.toPrecision(3) ?? "",
        `${(100 * ofArray(fusemax.use, "2d").useful).toFixed(1)}%`,
        bound[fusemax.bound] ?? fusemax.bound,
      ]),
  });
}

function layers(rows: readonly Row[]): string {
  return textTable({
    columns: ["model", "phase", "tokens", "attention's share of the layer", "layer x Unfused", "layer x FLAT"],
    rows: rows.map(({ label, phase, seq, on: { unfused, flat, fusemax } }) => {
      const time = (of: Row["on"]["flat"]): number => of.layer?.latencySeconds ?? Number.NaN;
      return [
        label,
        phase,
        `${seq / 1024}K`,
        `${((100 * fusemax.latencySeconds) / time(fusemax)).toFixed(1)}%`,
        ratio(time(unfused) / time(fusemax)),
        ratio(time(flat) / time(fusemax)),
      ];
    }),
  });
}

const shapeTable = textTable({
  columns: ["rows", "columns", "PEs", "time", "2D useful", "area mm2", "energy mJ", "limited by"],
  rows: shapesOf70b.map(({ rows, columns, result }) => [
    rows,
    columns,
    rows * columns,
    `${(result.latencySeconds * 1e3).toFixed(3)} ms`,
    `${(100 * ofArray(result.use, "2d").useful).toFixed(1)}%`,
    (result.areaUm2 / 1e6).toFixed(1),
    (result.energyPj / 1e9).toFixed(1),
    bound[result.bound] ?? result.bound,
  ]),
});

function caps(phase: Row["phase"]): string {
  const rows = capRows(8 * 1024, phase);
  const [plain] = rows;
  return textTable({
    columns: [
      ...["scores", "FuseMax cycles", "x not capped", "2D useful", "1D busy", "energy mJ"],
      ...["FLAT cycles", "x not capped", "x FLAT"],
    ],
    rows: rows.map(({ scores, fusemax, flat }) => [
      scores,
      Math.round(fusemax.cycles).toLocaleString("en-US"),
      ratio(fusemax.cycles / (plain?.fusemax.cycles ?? Number.NaN)),
      `${(100 * ofArray(fusemax.use, "2d").useful).toFixed(1)}%`,
      `${(100 * ofArray(fusemax.utilization, "1d")).toFixed(1)}%`,
      (fusemax.energyPj / 1e9).toFixed(3),
      Math.round(flat.cycles).toLocaleString("en-US"),
      ratio(flat.cycles / (plain?.flat.cycles ?? Number.NaN)),
      ratio(flat.cycles / fusemax.cycles),
    ]),
  });
}

const text = [
  "Prefill, corrected accounting",
  summary(corrected, "prefill"),
  "Prefill, published accounting",
  summary(published, "prefill"),
  "Decode, corrected accounting",
  summary(corrected, "decode"),
  "Decode, published accounting",
  summary(published, "decode"),
  "Whole layers, corrected accounting",
  layers(corrected),
  "Decode of Llama 3 70B, 128K tokens, on other arrays",
  shapeTable,
  "Gemma 2, global layers, prefill of 8K tokens, corrected accounting: what its soft-cap costs",
  caps("prefill"),
  "Gemma 2, global layers, decode at 8K tokens, corrected accounting: what its soft-cap costs",
  caps("decode"),
].join("\n\n");

mkdirSync(folder, { recursive: true });
const files: Readonly<Record<string, string>> = {
  "numbers.txt": `${text}\n`,
  "prefill-speedup.svg": speedups(corrected, "prefill"),
  "decode-speedup.svg": speedups(corrected, "decode"),
  "energy.svg": energies(corrected, 128 * 1024),
  "pe-cycles.svg": uses(corrected),
  "decode-arrays.svg": shapes(shapesOf70b, "Decode of Llama 3 70B, 128K tokens: arrays of other shapes"),
};
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
process.stdout.write(`${text}\n\n${Object.keys(files).length} files in ${folder}\n`);
