import { scaleBand, scaleLinear, scaleLog } from "d3-scale";
import {
  line,
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolTriangle,
  symbolWye,
} from "d3-shape";
import { escapeText, round, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";

/** An axis over numbers. The domain is taken from the data where it is not given; linear axes begin at 0. */
export interface Axis {
  readonly label: string;
  readonly scale?: "linear" | "log";
  readonly min?: number;
  readonly max?: number;
  /** Where ticks may stand; those that fit are drawn. The domain then ends where the data ends. */
  readonly ticks?: readonly number[];
  /** How ticks are written. */
  readonly format?: (value: number) => string;
}

/** Bars over groups: beside each other, one per series, or on top of each other. */
export interface BarPanel {
  readonly kind: "bars";
  readonly title: string;
  readonly groups: readonly string[];
  readonly groupLabel: string;
  readonly stacked?: boolean;
  /** Values by series, then group. A missing one is no bar. */
  readonly values: readonly (readonly (number | undefined)[])[];
}

/** Points over two numbers, joined by a line or not. */
export interface PointPanel {
  readonly kind: "points";
  readonly title: string;
  readonly x: Axis;
  readonly lines: readonly PointSeries[];
}

export interface PointSeries {
  /** Which of the figure's series this is: its colour, marker and legend entry. */
  readonly series: number;
  readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[];
  readonly joined: boolean;
  /** Drawn pale, as a background to the others. */
  readonly faint?: boolean;
}

/** A chart: panels side by side over one y axis, one legend for all. */
export interface Figure {
  readonly title: string;
  /** A line under the title: what is shown, and from where. */
  readonly note?: string;
  readonly series: readonly string[];
  readonly y: Axis;
  readonly panels: readonly (BarPanel | PointPanel)[];
  /** A line across every panel, such as the value of a baseline. */
  readonly rule?: number;
  readonly width?: number;
  /** Height of the panels' plotting area. */
  readonly plotHeight?: number;
  /** Panels in a row; all of them when not given. */
  readonly panelsPerRow?: number;
  /** False to leave title and note out: where they stand beside the chart already. */
  readonly heading?: boolean;
  readonly theme?: Theme;
}

const font = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\"";
const margin = { left: 62, right: 26, panelTop: 26, panelBottom: 48 };
/** Mean width of a character relative to the font's size, for laying out legends. */
const characterWidth = 0.58;
const markers = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolWye];

/** Draws a figure as an SVG document. Every mark carries its value as a tooltip. */
export function chart(figure: Figure): string {
  const { panels, theme = light, width = 1080, plotHeight = 240, heading: headed = true } = figure;
  const perRow = Math.min(panels.length, figure.panelsPerRow ?? panels.length);
  const rows = Math.ceil(panels.length / perRow);
  const legend = legendMarks(figure, theme, width);
  const headingHeight = !headed ? 4 : figure.note === undefined ? 40 : 62;
  const top = headingHeight + legend.height;
  const panelWidth = (width - margin.left - margin.right) / perRow;
  const slanted = Math.max(0, ...panels.map(panel => slantHeight(panel, panelWidth - (perRow > 1 ? 22 : 0))));
  const panelHeight = margin.panelTop + plotHeight + margin.panelBottom + slanted;
  const height = top + rows * panelHeight + 6;
  const y = yScale(figure, plotHeight);
  const body = panels.map((panel, i) => {
    const column = i % perRow;
    const at = `translate(${round(margin.left + column * panelWidth)},${round(top + Math.floor(i / perRow) * panelHeight + margin.panelTop)})`;
    const inner = panelWidth - (perRow > 1 ? 22 : 0);
    return tag("g", { transform: at }, [
      ...yAxis(figure, y, inner, plotHeight, column === 0, theme),
      tag("text", { x: 0, y: -9, fill: theme.text, "font-size": 13, "font-weight": 600 }, escapeText(panel.title)),
      ...(panel.kind === "bars"
        ? bars(panel, figure, y, inner, plotHeight, slanted, theme)
        : points(panel, figure, y, inner, plotHeight, theme)),
      ...rule(figure, y, inner, theme),
    ]);
  });
  const heading = !headed
    ? []
    : [
        tag("text", { x: 16, y: 26, fill: theme.text, "font-size": 17, "font-weight": 600 }, escapeText(figure.title)),
        ...(figure.note === undefined
          ? []
          : [tag("text", { x: 16, y: 47, fill: theme.muted, "font-size": 12.5 }, escapeText(figure.note))]),
      ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${round(height)}" viewBox="0 0 ${width} ${round(height)}" role="img" aria-label="${escapeText(figure.title)}" ${font}>`,
    `<title>${escapeText(figure.title)}</title>`,
    tag("rect", { width, height: round(height), fill: theme.background }),
    ...heading,
    tag("g", { transform: `translate(16,${headingHeight - (headingHeight === 62 ? 2 : 0)})` }, legend.marks),
    ...body,
    "</svg>\n",
  ].join("\n");
}

const colour = (theme: Theme, series: number): string => theme.palette[series % theme.palette.length] as string;

function legendMarks({ series, panels }: Figure, theme: Theme, width: number) {
  const withMarkers = panels.some(panel => panel.kind === "points");
  let x = 0;
  let y = 0;
  const marks = series.map((name, i) => {
    const space = 24 + name.length * 12.5 * characterWidth + 14;
    if (x > 0 && x + space > width - 32) {
      x = 0;
      y += 20;
    }
    const at = { x, y };
    x += space;
    const swatch = withMarkers
      ? tag("path", {
          d: marker(i, 70),
          transform: `translate(${round(at.x + 7)},${at.y + 9})`,
          fill: colour(theme, i),
        })
      : tag("rect", { x: round(at.x), y: at.y + 3, width: 14, height: 12, fill: colour(theme, i) });
    return [
      swatch,
      tag("text", { x: round(at.x + 20), y: at.y + 13.5, fill: theme.text, "font-size": 12.5 }, escapeText(name)),
    ];
  });
  return { marks: series.length > 1 ? marks.flat() : [], height: series.length > 1 ? y + 24 : 0 };
}

const marker = (series: number, size: number): string => symbol(markers[series % markers.length], size)() ?? "";

type Scale = ((value: number) => number) & { readonly ticks: readonly number[] };

/** A scale over the values, with the ticks to draw. */
function numberScale(axis: Axis, values: readonly number[], range: readonly [number, number], wanted: number): Scale {
  const usable = values.filter(v => Number.isFinite(v) && (axis.scale !== "log" || v > 0));
  const high = axis.max ?? Math.max(...usable, axis.scale === "log" ? 1e-300 : 0);
  if (axis.scale === "log") {
    const low = axis.min ?? Math.min(...usable, high);
    const scale = scaleLog([low, high > low ? high : low * 10], range);
    if (axis.min === undefined && axis.max === undefined && axis.ticks === undefined) scale.nice();
    if (axis.ticks !== undefined) return Object.assign((v: number) => scale(v), { ticks: thinned(axis.ticks, wanted) });
    const all = scale.ticks(wanted);
    const decades = all.filter(t => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
    return Object.assign((v: number) => scale(v), { ticks: decades.length >= 2 ? decades : all });
  }
  const scale = scaleLinear([axis.min ?? Math.min(0, ...usable), high === 0 ? 1 : high], range);
  if (axis.max === undefined) scale.nice(wanted);
  return Object.assign((v: number) => scale(v), { ticks: scale.ticks(wanted) });
}

/** Every n-th tick, so that no more than about `wanted` are left. */
const thinned = (ticks: readonly number[], wanted: number): readonly number[] =>
  ticks.filter((_, i) => i % Math.ceil(ticks.length / (wanted + 1)) === 0);

function yScale({ y, panels, rule }: Figure, height: number): Scale {
  const values = panels.flatMap(panel => {
    if (panel.kind === "points") return panel.lines.flatMap(l => l.points.map(p => p.y));
    if (panel.stacked !== true) return panel.values.flat().filter(v => v !== undefined);
    return panel.groups.map((_, g) => panel.values.reduce((sum, series) => sum + (series[g] ?? 0), 0));
  });
  return numberScale(y, rule === undefined ? values : [...values, rule], [height, 0], 5);
}

const written = (axis: Axis, value: number): string => axis.format?.(value) ?? plain(value);
/** A number for a tick: no binary dust, an exponent only where it is shorter. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(6).replace(/\.?0+e\+?/, "e");
  return String(Number(value.toPrecision(6)));
}

function yAxis(
  { y: axis }: Figure,
  y: Scale,
  width: number,
  height: number,
  labelled: boolean,
  theme: Theme,
): string[] {
  const lines = y.ticks.map(tick =>
    tag("line", { x1: 0, x2: round(width), y1: round(y(tick)), y2: round(y(tick)), stroke: theme.grid }),
  );
  if (!labelled) return lines;
  const ticks = y.ticks.map(tick =>
    tag(
      "text",
      { x: -7, y: round(y(tick) + 4), fill: theme.muted, "font-size": 11.5, "text-anchor": "end" },
      escapeText(written(axis, tick)),
    ),
  );
  const label = tag(
    "text",
    {
      transform: `translate(-46,${height / 2}) rotate(-90)`,
      fill: theme.text,
      "font-size": 12.5,
      "text-anchor": "middle",
    },
    escapeText(axis.label),
  );
  return [...lines, ...ticks, label];
}

function xLabel(text: string, width: number, height: number, theme: Theme): string {
  const at = { x: round(width / 2), y: height + 38, fill: theme.text, "font-size": 12.5, "text-anchor": "middle" };
  return tag("text", at, escapeText(text));
}

const tickText = (x: number, height: number, text: string, theme: Theme, anchor = "middle"): string =>
  tag(
    "text",
    { x: round(x), y: height + 18, fill: theme.muted, "font-size": 11.5, "text-anchor": anchor },
    escapeText(text),
  );

const bands = (panel: BarPanel, width: number) =>
  scaleBand(panel.groups.map(String), [0, width]).paddingInner(0.22).paddingOuter(0.12);

const labelWidth = (label: string): number => label.length * 11.5 * characterWidth;

/** Where the labels of groups are wider than their bands they are slanted, which takes this much more height. */
function slantHeight(panel: BarPanel | PointPanel, width: number): number {
  if (panel.kind !== "bars") return 0;
  const widest = Math.max(0, ...panel.groups.map(labelWidth));
  return widest <= bands(panel, width).step() ? 0 : Math.ceil(widest * 0.6);
}

function bars(
  panel: BarPanel,
  figure: Figure,
  y: Scale,
  width: number,
  height: number,
  slanted: number,
  theme: Theme,
): string[] {
  const x = bands(panel, width);
  const slots = panel.stacked === true ? 1 : panel.values.length;
  const slot = x.bandwidth() / slots;
  const base = figure.y.scale === "log" ? height : y(0);
  const marks = panel.groups.flatMap((group, g) => {
    let below = 0;
    return panel.values.flatMap((series, s) => {
      const value = series[g];
      if (value === undefined || !Number.isFinite(value)) return [];
      const from = panel.stacked === true ? y(below) : base;
      const to = panel.stacked === true ? y(below + value) : y(value);
      below += value;
      const left = (x(group) ?? 0) + (panel.stacked === true ? 0 : s * slot);
      const tooltip = `<title>${escapeText(`${figure.series[s] ?? ""}, ${panel.title} ${group}: ${plain(value)}`)}</title>`;
      const box = {
        x: round(left),
        y: round(Math.min(from, to)),
        width: round(slot * (slots > 1 ? 0.94 : 1)),
        height: round(Math.abs(from - to)),
      };
      return [tag("rect", { ...box, fill: colour(theme, s) }, tooltip)];
    });
  });
  const ticks = panel.groups.map(group => {
    const middle = (x(group) ?? 0) + x.bandwidth() / 2;
    if (slanted === 0) return tickText(middle, height, group, theme);
    const at = { transform: `translate(${round(middle + 4)},${height + 14}) rotate(-37)`, "text-anchor": "end" };
    return tag("text", { ...at, fill: theme.muted, "font-size": 11.5 }, escapeText(group));
  });
  const floor = tag("line", { x1: 0, x2: round(width), y1: round(base), y2: round(base), stroke: theme.muted });
  return [...marks, floor, ...ticks, xLabel(panel.groupLabel, width, height + slanted, theme)];
}

function points(panel: PointPanel, figure: Figure, y: Scale, width: number, height: number, theme: Theme): string[] {
  const xs = panel.lines.flatMap(l => l.points.map(p => p.x));
  const x = numberScale(panel.x, xs, [0, width], Math.max(3, Math.floor(width / 80)));
  const path = line<{ readonly x: number; readonly y: number }>(
    p => round(x(p.x)),
    p => round(y(p.y)),
  );
  const marks = panel.lines.flatMap(({ series, points, joined, faint }) => {
    const fill = colour(theme, series);
    const drawn = joined
      ? [tag("path", { d: path([...points]) ?? "", fill: "none", stroke: fill, "stroke-width": 2 })]
      : [];
    const dots = points.flatMap(p => {
      const at = `translate(${round(x(p.x))},${round(y(p.y))})`;
      const tooltip = `<title>${escapeText(`${figure.series[series] ?? ""} ${p.label ?? ""}: ${plain(p.x)}, ${plain(p.y)}`)}</title>`;
      const opacity = faint === true ? { opacity: 0.3 } : {};
      const dot = tag("path", { d: marker(series, 48), transform: at, fill, ...opacity }, tooltip);
      if (p.label === undefined) return [dot];
      const name = { x: round(x(p.x) + 7), y: round(y(p.y) - 6), fill: theme.muted, "font-size": 11 };
      return [dot, tag("text", name, escapeText(p.label))];
    });
    return [...drawn, ...dots];
  });
  const floor = tag("line", { x1: 0, x2: round(width), y1: height, y2: height, stroke: theme.muted });
  // Ticks at the ends lean inwards, so that neighbouring panels' numbers stay apart.
  const lean = (at: number): string => (at < 8 ? "start" : at > width - 8 ? "end" : "middle");
  const ticks = x.ticks.map(tick => tickText(x(tick), height, written(panel.x, tick), theme, lean(x(tick))));
  return [floor, ...marks, ...ticks, xLabel(panel.x.label, width, height, theme)];
}

function rule({ rule: value }: Figure, y: Scale, width: number, theme: Theme): string[] {
  if (value === undefined) return [];
  const at = round(y(value));
  return [tag("line", { x1: 0, x2: round(width), y1: at, y2: at, stroke: theme.text, "stroke-dasharray": "5 4" })];
}
