import { parseCascade } from "../../src/einsum/cascade.js";
import { parseShape } from "../../src/einsum/shape.js";
import { CascadeError } from "../../src/einsum/source.js";
import { FusemaxError } from "../../src/errors.js";
import { type CascadeGraph, graphOf } from "../../src/report/cascade-graph.js";
import { type PassesReport, passesReport } from "../../src/report/passes.js";
import { messageOf } from "../message.js";

export interface AnalysisRequest {
  readonly name: string;
  readonly text: string;
  /** Sizes of ranks as the command line takes them, or nothing. */
  readonly shape: string;
}

/** What a text says, or what is wrong with it. */
export type Analysis =
  | {
      readonly report: PassesReport;
      readonly graph: CascadeGraph;
      /** By tensor its Einsum as it is written. */
      readonly lines: Readonly<Record<string, string>>;
    }
  | {
      readonly message: string;
      /** The line with a caret; null where the sizes are wrong, not the text. */
      readonly excerpt: string | null;
    };

export function analyse({ name, text, shape }: AnalysisRequest): Analysis {
  try {
    const cascade = parseCascade(text, name);
    const report = passesReport(cascade, shape.trim() === "" ? {} : { shape: parseShape(shape) });
    const steps = cascade.einsums.filter(({ iteration }) => iteration?.role !== "init");
    const lines = Object.fromEntries(steps.map(({ tensor, text }) => [tensor, text]));
    return { report, graph: graphOf(cascade), lines };
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    return { message: messageOf(error), excerpt: error instanceof CascadeError ? error.excerpt : null };
  }
}
