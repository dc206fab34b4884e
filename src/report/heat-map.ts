import { escapeText, round, svgFigure, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";

/** A grid of values as colours. */
export interface HeatMap {
  readonly title: string;
  /** Row-major, `columns` values per row. NaN is drawn as nothing. */
  readonly values: ArrayLike<number>;
  readonly columns: number;
  readonly rowLabel: string;
  readonly columnLabel: string;
  /** Labels for some rows, by row. */
  readonly rowTicks?: ReadonlyMap<number, string>;
  /** Labels for some columns, by column; the first and the last without it. */
  readonly columnTicks?: ReadonlyMap<number, string>;
  readonly valueLabel: string;
  /** What a cell is, by cell: tooltips of cells that are few enough to have any. */
  readonly cellTitles?: readonly string[];
  /** A cell with a frame. */
  readonly marked?: number;
  readonly theme?: Theme;
  readonly width?: number;
  /** Height of a row; chosen so that the map is about as high as wide when not given. */
  readonly rowHeight?: number;
  readonly heading?: boolean;
}

/** Dark to light in steps of equal lightness, told apart by people of every colour vision (viridis, matplotlib 1.5). */
const steps = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"] as const;

/** Where the plot of a heat map lies in its drawing. */
export function heatMapPlot({ values, columns, width = 640, rowHeight, heading = true }: HeatMap) {
  const rows = Math.ceil(values.length / columns);
  const left = 64;
  const plotWidth = width - left - 12;
  const height = Math.max(1, rowHeight ?? Math.min(24, plotWidth / Math.max(1, rows))) * rows;
  return { left, top: heading ? 44 : 8, width: plotWidth, height, rows };
}

/** Draws a heat map; the colours' steps are equal in the logarithm of the value. */
export function heatMap(map: HeatMap): string {
  const { title, values, columns, theme = light, width = 640, heading = true } = map;
  const plot = heatMapPlot(map);
  const [cellWidth, cellHeight] = [plot.width / columns, plot.height / Math.max(1, plot.rows)];
  const bounds = logSteps(values);
  const paths = steps.map((): string[] => []);
  const zeros: string[] = [];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (Number.isNaN(value)) continue;
    const x = round((i % columns) * cellWidth);
    const y = round(Math.floor(i / columns) * cellHeight);
    const cells = value === 0 ? zeros : paths[stepOf(value, bounds)];
    cells?.push(`M${x} ${y}h${round(cellWidth + 0.3)}v${round(cellHeight + 0.3)}h${-round(cellWidth + 0.3)}z`);
  }
  const cellAt = (i: number, inside: string, more: Readonly<Record<string, string | number>> = {}): string => {
    const at = { x: round((i % columns) * cellWidth), y: round(Math.floor(i / columns) * cellHeight) };
    const size = { width: round(cellWidth), height: round(cellHeight) };
    return tag("rect", { ...at, ...size, fill: "none", "pointer-events": "all", ...more }, inside);
  };
  const label = { fill: theme.text, "font-size": 12.5, "text-anchor": "middle" };
  const small = { fill: theme.muted, "font-size": 11.5 };
  const bottom = plot.top + plot.height;
  const height = round(bottom + 86);
  const keyWidth = Math.min(52, plot.width / steps.length);
  return svgFigure({ width, height }, title, theme, [
    ...(heading
      ? [tag("text", { x: 16, y: 26, fill: theme.text, "font-size": 17, "font-weight": 600 }, escapeText(title))]
      : []),
    tag("g", { transform: `translate(${plot.left},${round(plot.top)})` }, [
      ...(zeros.length > 0 ? [tag("path", { d: zeros.join(""), fill: theme.grid })] : []),
      ...paths.flatMap((cells, i) =>
        cells.length > 0 ? [tag("path", { d: cells.join(""), fill: steps[i] as string })] : [],
      ),
      ...[...(map.rowTicks ?? [])].map(([row, text]) =>
        tag(
          "text",
          { ...small, x: -6, y: round((row + 0.5) * cellHeight + 4), "text-anchor": "end" },
          escapeText(text),
        ),
      ),
      ...apart([...(map.columnTicks ?? new Map([0, columns - 1].map(c => [c, String(c)])))], cellWidth).map(
        ([c, text]) =>
          tag(
            "text",
            { ...small, x: round((c + 0.5) * cellWidth), y: round(plot.height + 15), "text-anchor": "middle" },
            escapeText(text),
          ),
      ),
      ...(map.cellTitles ?? []).map((title, i) => cellAt(i, `<title>${escapeText(title)}</title>`)),
      ...(map.marked === undefined ? [] : [cellAt(map.marked, "", { stroke: theme.text, "stroke-width": 3 })]),
    ]),
    tag("text", { ...label, x: round(plot.left + plot.width / 2), y: round(bottom + 28) }, escapeText(map.columnLabel)),
    tag(
      "text",
      { ...label, transform: `translate(14,${round(plot.top + plot.height / 2)}) rotate(-90)` },
      escapeText(map.rowLabel),
    ),
    tag("g", { transform: `translate(${plot.left},${round(bottom + 42)})` }, [
      ...steps.map((fill, i) =>
        tag("rect", { x: round(i * keyWidth), y: 0, width: round(keyWidth), height: 12, fill }),
      ),
      ...[0, steps.length / 2, steps.length].map(i =>
        tag(
          "text",
          {
            ...small,
            x: round(i * keyWidth),
            y: 26,
            "text-anchor": i === 0 ? "start" : i === steps.length ? "end" : "middle",
          },
          escapeText(boundText(bounds, i)),
        ),
      ),
      tag("text", { ...small, x: 0, y: 40 }, escapeText(map.valueLabel)),
      ...(zeros.length > 0 ? zeroKey(steps.length * keyWidth, theme) : []),
    ]),
  ]);
}

/** The key of values that are exactly zero, which have no logarithm. */
function zeroKey(right: number, theme: Theme): string[] {
  const at = { y: 40, fill: theme.muted, "font-size": 11.5, "text-anchor": "end" };
  return [
    tag("rect", { x: round(right - 112), y: 31, width: 12, height: 10, fill: theme.grid, stroke: theme.muted }),
    tag("text", { ...at, x: round(right) }, "0: no difference"),
  ];
}

/** The smallest twentieth of the values share the first colour, so that single lucky ones do not use up the scale. */
const lowQuantile = 0.05;

/** The logarithms that bound the colours. */
function logSteps(values: ArrayLike<number>): { readonly low: number; readonly high: number } {
  const positive = Float64Array.from(values)
    .filter(value => value > 0 && Number.isFinite(value))
    .sort();
  const [least, most] = [positive[Math.floor(positive.length * lowQuantile)], positive.at(-1)];
  if (least === undefined || most === undefined) return { low: -1, high: 0 };
  const high = Math.log10(most);
  return { low: Math.min(Math.log10(least), high - 0.5), high };
}

function stepOf(value: number, { low, high }: { readonly low: number; readonly high: number }): number {
  const at = Math.floor(((Math.log10(value) - low) / (high - low)) * steps.length);
  return Math.min(steps.length - 1, Math.max(0, at));
}

const boundText = ({ low, high }: { readonly low: number; readonly high: number }, i: number): string =>
  (10 ** (low + ((high - low) * i) / steps.length)).toExponential(1);

/** The width of a tick's character, in pixels, and the room between two ticks. */
const [tickCharacter, tickGap] = [6.6, 3];

/** Ticks under columns, without those that would run into the one before. */
function apart(ticks: readonly (readonly [column: number, text: string])[], cellWidth: number): typeof ticks {
  let end = Number.NEGATIVE_INFINITY;
  return ticks.filter(([column, text]) => {
    const half = (text.length * tickCharacter) / 2;
    const middle = (column + 0.5) * cellWidth;
    if (middle - half < end + tickGap) return false;
    end = middle + half;
    return true;
  });
}
