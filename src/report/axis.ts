import { scaleLinear, scaleLog } from "d3-scale";
import type { Axis, Figure } from "./figure.js";
import { escapeText, round, tag } from "./svg.js";
import type { Theme } from "./theme.js";
import { plain } from "./units.js";

/** Where a value is, in pixels, and the ticks to draw. */
export type Scale = ((value: number) => number) & { readonly ticks: readonly number[] };

/** The plotting area of one panel. */
export interface Plot {
  readonly figure: Figure;
  readonly y: Scale;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
}

export const labelSize = 12.5;
export const tickSize = 11.5;

/** A scale over the values onto `range` pixels, with about `wanted` ticks. */
export function numberScale(
  axis: Axis,
  values: readonly number[],
  range: readonly [number, number],
  wanted: number,
): Scale {
  const usable = values.filter(v => Number.isFinite(v) && (axis.scale !== "log" || v > 0));
  if (axis.fit === true && usable.length > 0) return fittedScale(axis, usable, range, wanted);
  const largest = usable.reduce((a, b) => Math.max(a, b), axis.scale === "log" ? 1e-300 : 0);
  const high = axis.max ?? largest;
  if (axis.scale === "log") {
    const low = axis.min ?? usable.reduce((a, b) => Math.min(a, b), high);
    const scale = scaleLog([low, high > low ? high : low * 10], range);
    if (axis.min === undefined && axis.max === undefined && axis.ticks === undefined) scale.nice();
    if (axis.ticks !== undefined) return Object.assign((v: number) => scale(v), { ticks: thinned(axis.ticks, wanted) });
    const all = scale.ticks(wanted);
    const decades = all.filter(t => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
    return Object.assign((v: number) => scale(v), { ticks: decades.length >= 2 ? decades : all });
  }
  const low = axis.min ?? usable.reduce((a, b) => Math.min(a, b), 0);
  const scale = scaleLinear([low, high === 0 ? 1 : high], range);
  if (axis.max === undefined) scale.nice(wanted);
  const all = scale.ticks(wanted);
  const ticks = axis.whole === true ? all.filter(Number.isInteger) : all;
  return Object.assign((v: number) => scale(v), { ticks });
}

/** The share of the axis that is left free at either end. */
const room = 0.06;

/** A scale over the data alone. Ticks are decades where there are enough, else round numbers. */
function fittedScale(
  { scale: kind }: Axis,
  values: readonly number[],
  range: readonly [number, number],
  wanted: number,
): Scale {
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  if (kind !== "log") {
    const free = high > low ? (high - low) * room : Math.abs(high) / 2 || 0.5;
    const scale = scaleLinear([low - free, high + free], range);
    return Object.assign((v: number) => scale(v), { ticks: scale.ticks(wanted) });
  }
  const factor = high > low ? (high / low) ** room : 1.5;
  const domain: [number, number] = [low / factor, high * factor];
  const scale = scaleLog(domain, range);
  const steps = [[1], [1, 2, 5]].map(digits => logTicks(domain, digits)).find(ticks => ticks.length >= 3);
  return Object.assign((v: number) => scale(v), { ticks: steps ?? scaleLinear(domain, range).ticks(wanted) });
}

/** The numbers of a domain that are one of a few digits times a power of ten. */
function logTicks([low, high]: readonly [number, number], digits: readonly number[]): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  return decades.flatMap(power => digits.map(d => Number(`${d}e${power}`))).filter(t => t >= low && t <= high);
}

/** Every n-th tick, so that no more than about `wanted` are left. */
const thinned = (ticks: readonly number[], wanted: number): readonly number[] =>
  ticks.filter((_, i) => i % Math.ceil(ticks.length / (wanted + 1)) === 0);

/** The scale that some panels of a figure share. */
export function yScale({ y, rule }: Figure, panels: Figure["panels"], height: number): Scale {
  const values = panels.flatMap(panel => {
    if (panel.kind === "points") return panel.lines.flatMap(l => l.points.map(p => p.y));
    if (panel.stacked !== true) return panel.values.flat().filter(v => v !== undefined);
    return panel.groups.map((_, g) => panel.values.reduce((sum, series) => sum + (series[g] ?? 0), 0));
  });
  return numberScale(y, rule === undefined ? values : [...values, rule], [height, 0], 5);
}

/** A tick's number as the axis writes it. */
export const written = (axis: Axis, value: number): string => axis.format?.(value) ?? plain(value);

/** The grid across a panel, with numbers and a label where `labelled`. */
export function yAxis({ figure: { y: axis }, y, width, height, theme }: Plot, labelled: boolean): string[] {
  const lines = y.ticks.map(tick =>
    tag("line", { x1: 0, x2: round(width), y1: round(y(tick)), y2: round(y(tick)), stroke: theme.grid }),
  );
  if (!labelled) return lines;
  const ticks = y.ticks.map(tick => {
    const at = { x: -7, y: round(y(tick) + 4), fill: theme.muted, "font-size": tickSize, "text-anchor": "end" };
    return tag("text", at, escapeText(written(axis, tick)));
  });
  const transform = `translate(-46,${height / 2}) rotate(-90)`;
  const label = { transform, fill: theme.text, "font-size": labelSize, "text-anchor": "middle" };
  return [...lines, ...ticks, tag("text", label, escapeText(axis.label))];
}

/** What runs along the bottom of a panel; `below` pixels under its usual place. */
export function xLabel(text: string, { width, height, theme }: Plot, below = 0): string {
  const y = height + below + 38;
  const at = { x: round(width / 2), y, fill: theme.text, "font-size": labelSize, "text-anchor": "middle" };
  return tag("text", at, escapeText(text));
}

/** A number or a name under the panel. */
export function xTick(x: number, text: string, { height, theme }: Plot, anchor = "middle"): string {
  const at = { x: round(x), y: height + 18, fill: theme.muted, "font-size": tickSize, "text-anchor": anchor };
  return tag("text", at, escapeText(text));
}
