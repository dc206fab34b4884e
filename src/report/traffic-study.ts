import { visibleRows } from "../attention/visible-rows.js";
import type { Cascade } from "../einsum/cascade.js";
import { readTogether, type StreamPlan, streamPlan } from "../einsum/stream-plan.js";
import { type SeenKeys, type TrafficBound, trafficBound } from "../einsum/traffic-bound.js";
import { SpecError, UsageError } from "../errors.js";
import type { Accounting } from "../model/accounting.js";
import { type AttentionPoint, attentionPoints, type Masking } from "../model/attention-point.js";
import { bufferBytes, bufferPatch } from "../model/buffer.js";
import { type CompiledDesign, compileDesign } from "../model/compile.js";
import { tensorRolesOf } from "../model/element-roles.js";
import { evaluate } from "../model/evaluate.js";
import { type Sizes, symbolValues } from "../model/sizes.js";
import type { Design } from "../spec/design.js";
import type { Phase, Workload } from "../spec/workload.js";

/** What `fusemax traffic-bound` compares. */
export interface TrafficStudyRequest {
  readonly cascades: readonly Cascade[];
  /** Designs of the model; each is compared with the bound of its own cascade. */
  readonly designs: readonly Design[];
  readonly workload: Workload;
  readonly lengths: readonly number[];
  readonly batch: number;
  readonly phase: Phase;
  /** Queries at once in decode. */
  readonly decodeQueries: number;
  readonly accounting: Accounting;
  /** Other masks, which intersect with the workload's. */
  readonly masking?: Masking;
  /** One size for all; without it each design has its own. */
  readonly bufferBytes?: number;
}

export interface TrafficStudy {
  readonly schema: "fusemax.traffic-bound/1";
  readonly model: string;
  readonly batch: number;
  readonly phase: Phase;
  /** How the designs are modelled. */
  readonly accounting: Accounting["name"];
  readonly corrections: readonly string[];
  /** Which mappings the bounds hold for. */
  readonly covers: string;
  readonly panels: readonly TrafficPanel[];
}

/** One buffer size. */
export interface TrafficPanel {
  readonly bufferBytes: number;
  /** The designs that have it, and the cascade of each. */
  readonly designs: readonly { readonly design: string; readonly cascade: string }[];
  readonly points: readonly TrafficPoint[];
}

export interface TrafficPoint {
  readonly seq: number;
  /** Which kind of the model's layers, where their masks differ; else null. */
  readonly layers: string | null;
  readonly queries: number;
  readonly keys: number;
  /** Query rows of a key/value head: the sequence's, times the query heads that share it. */
  readonly rows: number;
  /** Q, K, V read once, AV written once: of rows and keys that a mask leaves. */
  readonly compulsoryBytes: number;
  readonly bounds: Readonly<Record<string, CascadeBound>>;
  /** By design, what the model says; null where its tiles do not fit the buffer. */
  readonly modelled: Readonly<Record<string, number | null>>;
}

export interface CascadeBound {
  readonly bytes: number;
  /** Tensors that the mapping at the bound writes to DRAM between passes. */
  readonly spilled: readonly string[];
  /** Query rows for which K and V are read once more; their mean under a mask. */
  readonly rowsPerBlock: number;
}

export const coveredMappings =
  "mappings that compute every point once, take the queries in blocks, run through the keys that a block sees pass by pass, " +
  "and hold a block's live fibers in the buffer or spill them; and for any other, such as one that splits the keys, where it is what is compulsory";

/** The rank that is streamed, and the one that is cut into blocks. */
const attentionRanks = { streamed: "M", rows: "P" } as const;

/**
 * Computes the bounds and, beside them, the modelled traffic. Throws SpecError, UsageError.
 * @example
 * ```ts
 * import { accountingOf, loadCascade, loadWorkload, specFiles, trafficStudy } from "fusemax/node";
 *
 * const { panels } = trafficStudy({
 *   cascades: [loadCascade("attention-3-pass"), loadCascade("attention-1-pass")],
 *   designs: [],
 *   workload: loadWorkload(specFiles, "bert"),
 *   lengths: [65536],
 *   batch: 1,
 *   phase: "prefill",
 *   decodeQueries: 1,
 *   accounting: accountingOf("corrected", undefined),
 *   bufferBytes: 2 ** 20,
 * });
 * console.log(panels[0]?.points[0]?.bounds["attention-1-pass"]?.bytes); // 3614441472
 * ```
 */
export function trafficStudy(request: TrafficStudyRequest): TrafficStudy {
  const { cascades, designs, workload, lengths, batch, phase, accounting } = request;
  const plans = new Map(cascades.map(cascade => [cascade.name, streamPlan(cascade, attentionRanks)]));
  const compiled = designs.map(design => ({
    design,
    model: compileDesign(design, {
      corrections: accounting.corrections,
      patches: request.bufferBytes === undefined ? [] : [bufferPatch(design, request.bufferBytes)],
    }),
  }));
  const points = lengths.flatMap(seq =>
    differing(attentionPoints(workload, { ...request, seq })).map(of => ({ seq, of, parts: partsOf(of) })),
  );
  const bufferOf = new Map(
    compiled.map(({ design, model }) => [design.name, points[0] ? bufferBytes(model, points[0].of.sizes) : 0]),
  );
  const buffers = request.bufferBytes === undefined ? [...new Set(bufferOf.values())] : [request.bufferBytes];
  checkOneWidth(compiled);
  const elementSizes = new Map(cascades.map(cascade => [cascade.name, elementBytesIn(cascade, compiled[0]?.model)]));
  const panels = buffers
    .sort((a, b) => b - a)
    .map((buffer): TrafficPanel => {
      const here = compiled.filter(({ design }) => bufferOf.get(design.name) === buffer);
      return {
        bufferBytes: buffer,
        designs: here.map(({ design }) => ({
          design: design.name,
          cascade: design.spec.data.cascade ?? "",
        })),
        points: points.map(({ seq, of: { kind, sizes: at, queries, group, mask }, parts }): TrafficPoint => {
          // Heads that share keys are rows of one matrix of queries.
          const rows = queries * group;
          const found = [...plans].map(([name, plan]) => {
            const own = at.valuesInKeys === 1 ? readTogether(plan, "K", "V") : plan;
            return [name, boundOf(name, own, parts, buffer, elementSizes.get(name)?.(at))] as const;
          });
          return {
            seq,
            layers: kind.name,
            queries,
            keys: at.M,
            rows,
            compulsoryBytes: found[0]?.[1].compulsoryWords ?? 0,
            bounds: Object.fromEntries(
              found.map(([name, { words, spilled, rowsPerBlock }]) => [name, { bytes: words, spilled, rowsPerBlock }]),
            ),
            modelled: Object.fromEntries(
              here.map(({ design, model }) => [
                design.name,
                trafficOf(() => evaluate(model, at, accounting, [], mask)),
              ]),
            ),
          };
        }),
      };
    });
  const { name, corrections } = accounting;
  return {
    ...{
      schema: "fusemax.traffic-bound/1" as const,
      model: workload.name,
      batch,
      phase,
      accounting: name,
      corrections,
    },
    covers: coveredMappings,
    panels,
  };
}

/** The bounds are counted in one width of words, or one arithmetic. Throws UsageError for designs of several. */
function checkOneWidth(compiled: readonly { readonly design: Design; readonly model: CompiledDesign }[]): void {
  const inWords = ({ words, wordBytes }: CompiledDesign): string =>
    words.arithmetic === undefined ? `words of ${8 * wordBytes} bits` : `words of ${words.arithmetic.name}`;
  const [first] = compiled;
  const other = compiled.find(({ model }) => first !== undefined && inWords(model) !== inWords(first.model));
  if (other === undefined || first === undefined) return;
  const got = `${other.design.name} with ${inWords(other.model)}, and ${first.design.name} of ${inWords(first.model)}`;
  throw new UsageError({ where: "--design", got, expected: "designs of one width, which the bounds are counted in" });
}

/** Bytes of an element of a cascade's tensors at given sizes, as the design charges them: 2 without one. */
function elementBytesIn(cascade: Cascade, model: CompiledDesign | undefined) {
  const roles = tensorRolesOf(cascade);
  return (at: Sizes): ((tensor: string) => number) => {
    const uniform = model?.wordBytes ?? 2;
    if (model?.elementBits === undefined) return () => uniform;
    const values = new Float64Array(model.program.size);
    const symbols = symbolValues(at);
    model.sizeSlots.forEach((slot, i) => {
      values[slot] = symbols[i] as number;
    });
    const bits = model.elementBits(values);
    return tensor => bits[roles.get(tensor) ?? "accumulator"] / 8;
  };
}

/** The kinds of a workload's layers whose masks differ; all as one where no mask hides a key. */
function differing(points: readonly AttentionPoint[]): readonly AttentionPoint[] {
  const [first] = points;
  if (first === undefined || points.some(({ mask }) => mask !== undefined)) return points;
  return [{ ...first, kind: { ...first.kind, name: null } }];
}

/** Sequences of heads that are alike, with what a mask leaves of one; all where there is none. */
interface Part {
  readonly count: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly seen?: SeenKeys;
}

function partsOf({ sizes: at, mask, group }: AttentionPoint): readonly Part[] {
  const of = (queries: number, keys: number) => ({ P: queries * group, M: keys, E: at.E, F: at.F });
  if (mask === undefined) return [{ count: at.B * at.H, sizes: of(at.queries, at.M) }];
  return mask.sequences.map(sequence => ({
    count: sequence.count * at.H,
    sizes: of(sequence.queries, sequence.keys),
    seen: visibleRows(mask, sequence, group),
  }));
}

/** The bound of all heads together; its block is the smallest of any. */
function boundOf(
  name: string,
  plan: StreamPlan,
  parts: readonly Part[],
  buffer: number,
  elementSize: ((tensor: string) => number) | undefined,
): TrafficBound {
  const all = parts.map(({ count, sizes, seen }) => {
    const found = trafficBound(plan, sizeIn(name, sizes), buffer, elementSize, seen);
    return { ...found, words: found.words * count, compulsoryWords: found.compulsoryWords * count };
  });
  return {
    words: all.reduce((sum, { words }) => sum + words, 0),
    compulsoryWords: all.reduce((sum, { compulsoryWords }) => sum + compulsoryWords, 0),
    spilled: [...new Set(all.flatMap(({ spilled }) => spilled))],
    rowsPerBlock: Math.min(...all.map(({ rowsPerBlock }) => rowsPerBlock)),
  };
}

/** The size of a rank of a cascade. Throws UsageError for one that attention does not have. */
const sizeIn =
  (cascade: string, sizes: Readonly<Record<string, number>>) =>
  (rank: string): number => {
    const size = sizes[rank];
    if (size !== undefined) return size;
    throw new UsageError({
      where: `--cascade ${cascade}`,
      got: `the rank ${rank}`,
      expected: `attention's ranks ${Object.keys(sizes).join(", ")}: a workload has no size for others`,
      fix: "rename it",
    });
  };

function trafficOf(run: () => { readonly trafficBytes: number }): number | null {
  try {
    return run().trafficBytes;
  } catch (error) {
    if (error instanceof SpecError) return null;
    throw error;
  }
}
