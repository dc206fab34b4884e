import { scaleBand } from "d3-scale";
import { type Plot, tickSize, xLabel, xTick } from "./axis.js";
import type { BarPanel } from "./figure.js";
import { characterWidth, seriesColour } from "./series.js";
import { escapeText, round, tag } from "./svg.js";
import { plain } from "./units.js";

const bands = (panel: BarPanel, width: number) =>
  scaleBand(panel.groups.map(String), [0, width]).paddingInner(0.22).paddingOuter(0.12);

/** Where the labels of groups are wider than their bands they are slanted, which takes this much more height. */
export function slantHeight(panel: BarPanel, width: number): number {
  const widest = Math.max(0, ...panel.groups.map(label => label.length * tickSize * characterWidth));
  return widest <= bands(panel, width).step() ? 0 : Math.ceil(widest * 0.6);
}

/** Where a bar would be that has no value. */
function missing(middle: number, named: string, { height, theme }: Plot): string {
  const at = { transform: `translate(${round(middle + 4)},${height - 6}) rotate(-90)`, fill: theme.muted };
  const tooltip = `<title>${escapeText(`${named}: no value`)}</title>`;
  return tag("text", { ...at, "font-size": tickSize }, `no value${tooltip}`);
}

/** The bars of a panel, their floor and their groups' names, slanted where `slanted` is more than 0. */
export function bars(panel: BarPanel, plot: Plot, slanted: number): string[] {
  const { figure, y, width, height, theme } = plot;
  const x = bands(panel, width);
  const slots = panel.stacked === true ? 1 : panel.values.length;
  const slot = x.bandwidth() / slots;
  const base = figure.y.scale === "log" ? height : y(0);
  const marks = panel.groups.flatMap((group, g) => {
    let below = 0;
    const isEmpty = panel.stacked === true && panel.values.every(series => series[g] === undefined);
    if (isEmpty) return [missing((x(group) ?? 0) + slot / 2, group, plot)];
    return panel.values.flatMap((series, s) => {
      const value = series[g];
      if (value === undefined || !Number.isFinite(value)) {
        const named = `${figure.series[s] ?? ""}, ${panel.title} ${group}`;
        return panel.stacked === true ? [] : [missing((x(group) ?? 0) + (s + 0.5) * slot, named, plot)];
      }
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
      return [tag("rect", { ...box, fill: seriesColour(figure, theme, s) }, tooltip)];
    });
  });
  const ticks = panel.groups.map(group => {
    const middle = (x(group) ?? 0) + x.bandwidth() / 2;
    if (slanted === 0) return xTick(middle, group, plot);
    const at = { transform: `translate(${round(middle + 4)},${height + 14}) rotate(-37)`, "text-anchor": "end" };
    return tag("text", { ...at, fill: theme.muted, "font-size": tickSize }, escapeText(group));
  });
  const floor = tag("line", { x1: 0, x2: round(width), y1: round(base), y2: round(base), stroke: theme.muted });
  return [...marks, floor, ...ticks, xLabel(panel.groupLabel, plot, slanted)];
}
