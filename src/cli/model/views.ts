import { FusemaxError, howMany } from "../../errors.js";
import { csvText } from "../../io/csv.js";
import { actionTable } from "../../model/action-table.js";
import type { AttentionPoint } from "../../model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../model/compile.js";
import { type Evaluation, evaluate, type MappedDesign, mapDesign } from "../../model/evaluate.js";
import { FieldReads } from "../../model/field-reads.js";
import { levelRates } from "../../model/level-rates.js";
import { perTerms } from "../../model/per-terms.js";
import { checkSettings } from "../../model/settings.js";
import { usedInstances } from "../../model/used-instances.js";
import { type CountedPoint, countsTable, countsText } from "../../report/action-tables.js";
import { jsonText } from "../../report/finite.js";
import { loopNestText } from "../../report/loop-nest-text.js";
import { type ModelRequest, pointsOf } from "../../report/model-result.js";
import { operationsOf, roofline } from "../../report/roofline.js";
import { lengthLabel } from "../../report/units.js";

/** A design at one point, with what is behind its results. */
interface ViewedPoint {
  readonly design: string;
  readonly compiled: CompiledDesign;
  readonly model: string;
  readonly seq: number;
  readonly point: AttentionPoint;
  readonly mapped: MappedDesign;
  readonly evaluation: Evaluation;
}

/** A view of results as text for standard output or a file, and lines for people. */
export interface View {
  readonly text: string;
  readonly notes: readonly string[];
}

/** Every design at every point that it can run. Throws where none can run any. */
function viewedPoints(request: ModelRequest): {
  readonly points: readonly ViewedPoint[];
  readonly notes: readonly string[];
} {
  const { designs, accounting, patches = [] } = request;
  const asked = pointsOf(request);
  const compiled = designs.map(design => {
    const reads = new FieldReads();
    const recorded = patches.length === 0 ? {} : { reads };
    const options = { corrections: accounting.corrections, patches, ...recorded };
    const all = asked.map(({ point }) => point.terms);
    return { name: design.name, reads, ...perTerms(design, all, request.scores, own => compileDesign(own, options)) };
  });
  const points: ViewedPoint[] = [];
  const notes: string[] = [];
  let first: unknown;
  for (const { workload, seq, point } of asked) {
    for (const { name, of } of compiled) {
      try {
        const design = of(point.terms);
        const mapped = mapDesign(design, point.sizes, accounting, [], point.mask);
        const evaluation = evaluate(design, point.sizes, accounting, [], point.mask);
        points.push({ design: name, compiled: design, model: workload.name, seq, point, mapped, evaluation });
      } catch (error) {
        if (!(error instanceof FusemaxError)) throw error;
        first ??= error;
        notes.push(`${name} cannot run ${workload.name} at ${howMany(lengthLabel(seq), "token")}: ${error.message}`);
      }
    }
  }
  if (points.length === 0 && first !== undefined) throw first;
  const ran = compiled.filter(({ name }) => points.some(({ design }) => design === name));
  notes.push(...compiled.flatMap(own => own.notes));
  return { points, notes: [...notes, ...checkSettings(patches, ran)] };
}

const headOf = ({ design, model, layers, seq }: Pick<CountedPoint, "design" | "model" | "layers" | "seq">): string =>
  `${design}: ${model}${layers === null ? "" : `, ${howMany(layers, "layer")}`}, ${howMany(lengthLabel(seq), "token")}`;

/** `--counts`: every action of every Einsum. */
export function countsView(request: ModelRequest, form: "text" | "csv" | "json", accounting: string): View {
  const { points, notes } = viewedPoints(request);
  const allInstances = request.accounting.corrections.includes("register-energy");
  const counted = points.map(({ design, compiled, model, seq, point, mapped, evaluation }): CountedPoint => {
    const { counts } = evaluation;
    const table = actionTable(compiled, counts, mapped.values, request.accounting);
    const { operations } = table;
    const laid = new Map(mapped.einsums.map(each => [each.einsum.name, each]));
    const accesses = table.accesses.map(row => {
      const own = laid.get(row.einsum);
      const all = own === undefined ? 1 : usedInstances(compiled, own, row.level, mapped.values);
      return { ...row, instances: allInstances ? all : 1 };
    });
    const cycles = counts.map(({ name: einsum, array, cycles }) => ({ einsum, array, cycles }));
    const at = { design, model, layers: point.kind.name, seq, allInstances, cycles };
    if (!evaluation.missing.includes("energyPj")) return { ...at, accesses, operations };
    const without = <T extends { readonly energyPj: number }>({ energyPj: _, ...rest }: T) => rest;
    return { ...at, accesses: accesses.map(without), operations: operations.map(without) };
  });
  const { name, corrections } = request.accounting;
  const text =
    form === "json"
      ? jsonText({ schema: "fusemax.counts/1", accounting: name, corrections, results: counted })
      : form === "csv"
        ? csvText(countsTable(counted, accounting))
        : countsText(counted, accounting, headOf);
  return { text, notes };
}

/** `--loop-nest`: the mapping of every Einsum as loops. */
export function loopNestView(request: ModelRequest, accounting: string): View {
  const { points, notes } = viewedPoints(request);
  const parts = points.map(
    ({ design, compiled, model, seq, point, mapped }) =>
      `${headOf({ design, model, layers: point.kind.name, seq })}\n\n${loopNestText(compiled, mapped)}`,
  );
  const legend =
    "At each level the words of a tile of what it keeps, in one instance; [0:16,4): sixteen steps, the last time four.";
  return { text: `${[accounting, legend, ...parts].join("\n\n")}\n`, notes };
}

/** `--roofline`: what every level and the arrays allow, and what is reached. */
export function rooflineView(request: ModelRequest, accounting: string): View {
  const { points, notes } = viewedPoints(request);
  const drawn = points.map(({ design, compiled, model, seq, mapped, evaluation }) => ({
    design,
    model,
    seq,
    operations: operationsOf(evaluation),
    seconds: evaluation.latencySeconds,
    ...levelRates(compiled, mapped, evaluation),
  }));
  return { text: roofline(drawn, accounting), notes };
}
