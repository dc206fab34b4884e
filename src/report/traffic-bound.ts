import { accountingText } from "../model/corrections.js";
import { chart } from "./chart.js";
import type { Figure, PointPanel } from "./figure.js";
import { type Table, textTable } from "./table.js";
import type { CascadeBound, TrafficPoint, TrafficStudy } from "./traffic-study.js";
import { bytes, lengthLabel } from "./units.js";

/** A line a length and buffer: bounds, modelled traffic, and how far above its cascade's bound each design is. */
export function trafficTable({ panels, ...study }: TrafficStudy): Table {
  const accounting = accountingWords(study);
  const cascades = Object.keys(panels[0]?.points[0]?.bounds ?? {});
  const designs = panels.flatMap(panel => panel.designs);
  return {
    columns: [
      "seq",
      "layers",
      "buffer_bytes",
      "compulsory",
      ...cascades,
      ...designs.map(d => `${d.design}_modelled`),
      "accounting",
    ],
    rows: panels.flatMap(({ bufferBytes, points }) =>
      points.map(point => [
        point.seq,
        point.layers ?? "",
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
        point.layers === null ? lengthLabel(point.seq) : `${lengthLabel(point.seq)} ${point.layers}`,
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
      lines: [...new Set(panel.points.map(p => p.layers))].flatMap(layers => {
        const points = panel.points.filter(p => p.layers === layers);
        return [
          ...cascades.map((name, series) => ({
            series,
            joined: true,
            points: points.map(p => ({ x: Math.log2(p.seq), y: p.bounds[name]?.bytes ?? 0 })),
          })),
          ...own.map(design => ({
            series: cascades.length + designs.findIndex(d => d.design === design),
            joined: false,
            points: points.flatMap(p => {
              const y = p.modelled[design] ?? null;
              return y === null ? [] : [{ x: Math.log2(p.seq), y }];
            }),
          })),
        ];
      }),
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
