import { FusemaxError } from "../../src/errors.js";
import { attentionPoints } from "../../src/model/attention-point.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { workloadOf } from "../cost/designs.js";
import { messageOf } from "../message.js";
import type { State } from "../state.js";
import type { OwnDesign } from "./own.js";
import { loadOwn } from "./source.js";

export interface CheckRequest {
  readonly own: OwnDesign;
  readonly state: State;
}

/** Where a design's files are wrong. */
export interface Fault {
  readonly message: string;
  /** Of the visitor's files; null where the fault has no place in them. */
  readonly file: string | null;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The line, with a caret under the place; null without one. */
  readonly excerpt: string | null;
}

/** What can be done with a design, or what is wrong with it. */
export type Check = { readonly id: OwnDesign["id"] } & (
  | { readonly fault: Fault }
  | {
      readonly fault: null;
      /** Why it cannot be simulated, or cannot compute what is set under Cost; null where it can. */
      readonly unfit: Fault | null;
      /** Why it cannot be simulated cycle by cycle; null where it can. */
      readonly unscheduled: string | null;
    }
);

/** Reads the files and compiles the design, then tries it at the settings of Cost, and its schedule. */
export function checkDesign({ own, state }: CheckRequest): Check {
  const { id } = own;
  const found = attempt(own, () => {
    const design = loadOwn(own);
    return { design, compiled: compileDesign(design) };
  });
  if ("fault" in found) return { id, fault: found.fault };
  const { design, compiled } = found;
  const points = attentionPoints(workloadOf(state), {
    ...{ phase: state.phase, seq: state.seq, batch: state.batch, decodeQueries: 1 },
  });
  const tried = attempt(own, () => {
    for (const { sizes, mask } of points.slice(0, 1)) evaluate(compiled, sizes, undefined, [], mask);
    return {};
  });
  const scheduled = attempt(own, () => {
    scheduleOfDesign(compiled, { sizes: triedSizes });
    return {};
  });
  return {
    id,
    fault: null,
    // Without a schedule of its own a design need not work tile by tile.
    unfit: (design.schedule === undefined ? null : faultIn(scheduled)) ?? faultIn(tried),
    unscheduled: faultIn(scheduled)?.message ?? null,
  };
}

const faultIn = (tried: object | { readonly fault: Fault }): Fault | null => ("fault" in tried ? tried.fault : null);

/** An attention of BERT at which a schedule is tried. */
const triedSizes = {
  ...{ B: 1, H: 12, E: 64, F: 64, M: 4096, queries: 4096 },
  ...{ modelDim: 768, feedForward: 3072 },
};

function attempt<T extends object>(own: OwnDesign, work: () => T): T | { readonly fault: Fault } {
  try {
    return work();
  } catch (error) {
    if (error instanceof FusemaxError) return { fault: faultOf(error, own) };
    throw error;
  }
}

/** "architecture.yaml:12:5 levels.dram" -> the file, 12 and 5. */
export function faultOf(error: FusemaxError, { files }: OwnDesign): Fault {
  const message = messageOf(error);
  const [, named = "", line = "1", column = "1"] = /^([^:]+):(\d+):(\d+)/.exec(error.complaint.where) ?? [];
  const file = Object.hasOwn(files, named) ? named : null;
  const place = { file, line: Number(line), column: Number(column) };
  const written = file === null ? undefined : files[file]?.split("\n")[place.line - 1];
  return { message, ...place, excerpt: written === undefined ? null : excerptOf(written, place.column) };
}

/** How much of a long line is shown to the left of the caret. */
const reach = 40;

function excerptOf(line: string, column: number): string {
  const from = Math.max(0, column - 1 - reach);
  return `${line.slice(from, from + 2 * reach)}\n${line.slice(from, column - 1).replace(/[^\t]/g, " ")}^`;
}
