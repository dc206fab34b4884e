import type { Cascade } from "../einsum/cascade.js";
import { readTogether, streamPlan, trafficBound } from "../einsum/traffic-bound.js";
import { SpecError, UsageError } from "../errors.js";
import type { Accounting } from "../model/accounting.js";
import { type AttentionPoint, attentionPoints, type PointRequest } from "../model/attention-point.js";
import { bufferBytes, bufferPatch } from "../model/buffer.js";
import { type CompiledDesign, compileDesign } from "../model/compile.js";
import { accountingText } from "../model/corrections.js";
import { tensorRolesOf } from "../model/element-roles.js";
import { evaluate } from "../model/evaluate.js";
import { type Sizes, symbolValues } from "../model/sizes.js";
import type { Design } from "../spec/design.js";
import type { Phase, Workload } from "../spec/workload.js";
import { chart } from "./chart.js";
import type { Figure, PointPanel } from "./figure.js";
import { type Table, textTable } from "./table.js";
import { bytes, lengthLabel } from "./units.js";

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
  readonly queries: number;
  readonly keys: number;
  /** Query rows of a key/value head: the sequence's, times the query heads that share it. */
  readonly rows: number;
  /** Q, K, V read once, AV written once. */
  readonly compulsoryBytes: number;
  readonly bounds: Readonly<Record<string, CascadeBound>>;
  /** By design, what the model says; null where its tiles do not fit the buffer. */
  readonly modelled: Readonly<Record<string, number | null>>;
}

export interface CascadeBound {
  readonly bytes: number;
  /** Tensors that the mapping at the bound writes to DRAM between passes. */
  readonly spilled: readonly string[];
  /** Query rows for which K and V are read once more. */
  readonly rowsPerBlock: number;
}

export const coveredMappings =
  "mappings that compute every point once, take the queries in blocks, run through all keys for each block pass by pass, " +
  "and hold a block's live fibers in the buffer or spill them";

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
 * console.log(panels[0]?.points[0]?.bounds["attention-1-pass"]?.bytes); // 3472883712
 * ```
 */
export function trafficStudy(request: TrafficStudyRequest): TrafficStudy {
  const { cascades, designs, workload, lengths, batch, phase, decodeQueries, accounting } = request;
  const plans = new Map(cascades.map(cascade => [cascade.name, streamPlan(cascade, attentionRanks)]));
  const compiled = designs.map(design => ({
    design,
    model: compileDesign(design, {
      corrections: accounting.corrections,
      patches: request.bufferBytes === undefined ? [] : [bufferPatch(design, request.bufferBytes)],
    }),
  }));
  const sizes = lengths.map(seq => ({ seq, at: wholeSizes(workload, { seq, batch, phase, decodeQueries }) }));
  const bufferOf = new Map(
    compiled.map(({ design, model }) => [design.name, sizes[0] ? bufferBytes(model, sizes[0].at) : 0]),
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
        points: sizes.map(({ seq, at }): TrafficPoint => {
          const heads = at.B * at.H;
          // Heads that share keys are rows of one matrix of queries.
          const rows = at.queries * (at.group ?? 1);
          const sizes: Readonly<Record<string, number>> = { P: rows, M: at.M, E: at.E, F: at.F };
          const found = [...plans].map(([name, plan]) => {
            const own = at.valuesInKeys === 1 ? readTogether(plan, "K", "V") : plan;
            return [name, trafficBound(own, sizeIn(name, sizes), buffer, elementSizes.get(name)?.(at))] as const;
          });
          return {
            seq,
            queries: at.queries,
            keys: at.M,
            rows,
            compulsoryBytes: (found[0]?.[1].compulsoryWords ?? 0) * heads,
            bounds: Object.fromEntries(
              found.map(([name, { words, spilled, rowsPerBlock }]) => [
                name,
                { bytes: words * heads, spilled, rowsPerBlock },
              ]),
            ),
            modelled: Object.fromEntries(
              here.map(({ design, model }) => [design.name, trafficOf(() => evaluate(model, at, accounting))]),
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

/** The sizes of a workload whose queries see every key. Throws UsageError for a mask: the bounds know none. */
function wholeSizes(workload: Workload, request: PointRequest): Sizes {
  const points = attentionPoints(workload, request);
  const masked = points.find(({ mask }) => mask !== undefined);
  if (masked !== undefined) {
    const kind = masked.kind.name === null ? "" : ` ${masked.kind.name} layers`;
    throw new UsageError({
      where: "--model",
      got: `${workload.name}, whose mask hides keys${kind === "" ? "" : ` in its${kind}`}`,
      expected: "a workload whose queries see every key",
      fix: "--no-mask bounds it as if they did",
    });
  }
  return (points[0] as AttentionPoint).sizes;
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

/** A line a length and buffer: bounds, modelled traffic, and how far above its cascade's bound each design is. */
export function trafficTable({ panels, ...study }: TrafficStudy): Table {
  const accounting = accountingWords(study);
  const cascades = Object.keys(panels[0]?.points[0]?.bounds ?? {});
  const designs = panels.flatMap(panel => panel.designs);
  return {
    columns: [
      "seq",
      "buffer_bytes",
      "compulsory",
      ...cascades,
      ...designs.map(d => `${d.design}_modelled`),
      "accounting",
    ],
    rows: panels.flatMap(({ bufferBytes, points }) =>
      points.map(point => [
        point.seq,
        bufferBytes,
        point.compulsoryBytes,
        ...cascades.map(name => point.bounds[name]?.bytes ?? ""),
        ...designs.map(({ design }) => point.modelled[design] ?? ""),
        accounting,
      ]),
    ),
  };
}

const mebibytes = (size: number): string =>
  size < 2 ** 20 ? `${size / 2 ** 10} KiB` : `${Number((size / 2 ** 20).toPrecision(6))} MiB`;

const subject = ({ model, phase, batch }: TrafficStudy): string =>
  `${model}${phase === "decode" ? ", decode" : ""}, batch ${batch}`;

const accountingWords = ({ accounting: name, corrections }: Pick<TrafficStudy, "accounting" | "corrections">): string =>
  accountingText({ name, corrections, mapping: "published" });

/** The study for people. */
export function trafficText(study: TrafficStudy): string {
  const blocks = study.panels.map(({ bufferBytes, designs, points }) => {
    const cascades = Object.keys(points[0]?.bounds ?? {});
    const table: Table = {
      columns: ["seq", "compulsory", ...cascades, ...designs.map(d => `${d.design}, modelled`)],
      rows: points.map(point => [
        lengthLabel(point.seq),
        bytes(point.compulsoryBytes),
        ...cascades.map(name => boundText(point.bounds[name], point.rows)),
        ...designs.map(({ design, cascade }) => modelledText(point, design, cascade)),
      ]),
    };
    return `${mebibytes(bufferBytes)} buffer\n\n${textTable(table)}`;
  });
  return [
    `Least DRAM traffic of attention by cascade: ${subject(study)}; accounting: ${accountingWords(study)}`,
    ...wrap(`It holds for ${study.covers}.`),
    ...wrap(
      "In brackets, what the mapping at the bound does: query rows per block, for each of which K and V are read once more, or " +
        "what it spills between passes; nothing where K and V are read once.",
    ),
    "",
    blocks.join("\n\n"),
    "",
  ].join("\n");
}

/** Lines of at most a hundred characters. */
function wrap(text: string): string[] {
  return text.match(/.{1,100}(?: |$)/g)?.map(line => line.trimEnd()) ?? [text];
}

function modelledText(point: TrafficPoint, design: string, cascade: string): string {
  const modelled = point.modelled[design] ?? null;
  const bound = point.bounds[cascade]?.bytes;
  if (modelled === null) return "does not fit";
  return bound === undefined ? bytes(modelled) : `${bytes(modelled)} (${(modelled / bound).toFixed(2)} x bound)`;
}

function boundText(bound: CascadeBound | undefined, rows: number): string {
  if (bound === undefined) return "";
  const { bytes: least, spilled, rowsPerBlock } = bound;
  if (spilled.length > 0) return `${bytes(least)} (spills ${spilled.join(", ")})`;
  return rowsPerBlock >= rows ? bytes(least) : `${bytes(least)} (${Math.floor(rowsPerBlock)} a block)`;
}

/** The bounds over sequence length, a panel a buffer size, with the modelled traffic as points. */
export function trafficFigure(study: TrafficStudy): string {
  const cascades = Object.keys(study.panels[0]?.points[0]?.bounds ?? {});
  const designs = study.panels.flatMap(panel => panel.designs);
  const series = [...cascades.map(name => `bound: ${name}`), ...designs.map(d => `${d.design}, modelled`)];
  const panels = study.panels.map((panel): PointPanel => {
    const own = panel.designs.map(d => d.design);
    const lengths = panel.points.map(p => p.seq);
    return {
      kind: "points",
      title: `${mebibytes(panel.bufferBytes)} buffer`,
      x: {
        label: "sequence length",
        min: Math.log2(Math.min(...lengths)),
        max: Math.log2(Math.max(...lengths)),
        format: power => lengthLabel(2 ** power),
      },
      lines: [
        ...cascades.map((name, series) => ({
          series,
          joined: true,
          points: panel.points.map(p => ({ x: Math.log2(p.seq), y: p.bounds[name]?.bytes ?? 0 })),
        })),
        ...own.map(design => ({
          series: cascades.length + designs.findIndex(d => d.design === design),
          joined: false,
          points: panel.points.flatMap(p => {
            const y = p.modelled[design] ?? null;
            return y === null ? [] : [{ x: Math.log2(p.seq), y }];
          }),
        })),
      ],
    };
  });
  const figure: Figure = {
    title: `Least DRAM traffic of attention by cascade, ${subject(study)}`,
    note: `Lines: bounds for mappings that stream the keys per block of queries; lone marks: the model (accounting: ${accountingWords(study)}).`,
    series,
    y: { label: "DRAM traffic", scale: "log", format: size => bytes(size).replace(/\.0+ /, " ") },
    panels,
  };
  return chart(figure);
}
