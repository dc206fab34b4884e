import type { Design } from "../spec/design.js";
import { loadDesign, loadWorkload, type SpecSource } from "../spec/load.js";
import type { Workload } from "../spec/workload.js";
import { type Accounting, published } from "./accounting.js";
import { compileDesign } from "./compile.js";
import { type Evaluation, evaluate } from "./evaluate.js";
import { type ParetoPoint, paretoStudy } from "./pareto.js";
import { sizesOf } from "./sizes.js";

/** The paper's designs, in the order of its figures. */
export const paperDesigns = ["unfused", "flat", "cascade", "architecture", "fusemax"] as const;
export type PaperDesign = (typeof paperDesigns)[number];

/** The paper's workloads and lengths, in the order of its tables (section VI). */
export const paperWorkloads: readonly string[] = ["bert", "trxl", "t5", "xlm"];
export const paperLengths: readonly number[] = [2 ** 10, 2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, 2 ** 20];

/** Whose linear layers complete a design's attention to an encoder layer. */
export const linearOf: Readonly<Record<PaperDesign, "linear-flat" | "linear-fusemax">> = {
  unfused: "linear-flat",
  flat: "linear-flat",
  cascade: "linear-flat",
  architecture: "linear-fusemax",
  fusemax: "linear-fusemax",
};

/** One workload at one length on one design. */
export interface Point {
  readonly model: string;
  readonly seq: number;
  readonly evaluation: Evaluation;
}

/** The paper's whole evaluation: each design's 24 points, the linear layers', and the area-latency study. */
export interface PaperEvaluation {
  readonly designs: ReadonlyMap<string, { readonly design: Design; readonly points: readonly Point[] }>;
  readonly pareto: readonly ParetoPoint[];
}

/** Which of the paper's studies to run. */
export interface Studies {
  readonly attention: boolean;
  readonly endToEnd: boolean;
  readonly pareto: boolean;
}

/**
 * Evaluates the paper's designs, workloads and lengths. Throws SpecError when a spec is wrong.
 * @example
 * ```ts
 * import { paperEvaluation, specFiles } from "fusemax/node";
 *
 * const { designs } = paperEvaluation(specFiles, { attention: true, endToEnd: false, pareto: false });
 * console.log(designs.get("fusemax")?.points.length); // 24
 * ```
 */
export function paperEvaluation(
  source: SpecSource,
  studies: Studies,
  accounting: Accounting = published,
): PaperEvaluation {
  const workloads = paperWorkloads.map(name => loadWorkload(source, name));
  const linear = studies.endToEnd ? ["linear-flat", "linear-fusemax"] : [];
  const names = studies.attention || studies.endToEnd ? [...paperDesigns, ...linear] : [];
  const designs = new Map(
    names.map(name => {
      const design = loadDesign(source, name);
      return [name, { design, points: evaluatePoints(design, workloads, paperLengths, accounting) }];
    }),
  );
  const pareto = studies.pareto ? paretoStudy(loadDesign(source, "fusemax-scaled"), workloads, accounting) : [];
  return { designs, pareto };
}

/** A design at every length of every workload, the workload's own batch or the one given. */
export function evaluatePoints(
  design: Design,
  workloads: readonly Workload[],
  lengths: readonly number[],
  accounting: Accounting,
  batch?: number,
): readonly Point[] {
  const compiled = compileDesign(design, { corrections: accounting.corrections });
  return workloads.flatMap(workload =>
    lengths.map(seq => ({
      model: workload.name,
      seq,
      evaluation: evaluate(compiled, sizesOf(workload, seq, batch), accounting),
    })),
  );
}
