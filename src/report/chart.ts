import { labelSize, type Plot, yAxis, yScale } from "./axis.js";
import { bars, slantHeight } from "./bars.js";
import type { Figure } from "./figure.js";
import { points } from "./points.js";
import { characterWidth, seriesColour, seriesMarker } from "./series.js";
import { escapeText, round, svgFigure, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";

const margin = { left: 62, right: 26, panelTop: 26, panelBottom: 48 };
const panelGap = 22;
/** Where each panel has a y axis of its own. */
const axisGap = 72;

/**
 * Draws a figure as an SVG document. Every mark carries its value as a tooltip.
 * @example
 * ```ts
 * import { chart } from "fusemax";
 *
 * const svg = chart({
 *   title: "Passes over the keys",
 *   series: ["passes"],
 *   y: { label: "passes" },
 *   panels: [{ kind: "bars", title: "", groups: ["3-pass", "1-pass"], groupLabel: "cascade", values: [[3, 1]] }],
 * });
 * console.log(svg.startsWith("<svg")); // true
 * ```
 */
export function chart(figure: Figure): string {
  const { panels, theme = light, width = 1080, plotHeight = 240, heading: headed = true } = figure;
  const perRow = Math.min(panels.length, figure.panelsPerRow ?? panels.length);
  const rows = Math.ceil(panels.length / perRow);
  const legend = legendMarks(figure, theme, width);
  const note = noteLines(figure.note, width);
  const headingHeight = !headed ? 4 : note.length === 0 ? 40 : 62 + (note.length - 1) * lineHeight;
  const top = headingHeight + legend.height;
  const panelWidth = (width - margin.left - margin.right) / perRow;
  const inner = panelWidth - (perRow === 1 ? 0 : figure.ownY === true ? axisGap : panelGap);
  const slanted = Math.max(0, ...panels.map(panel => (panel.kind === "bars" ? slantHeight(panel, inner) : 0)));
  const panelHeight = margin.panelTop + plotHeight + margin.panelBottom + slanted;
  const height = round(top + rows * panelHeight + 6);
  const shared = yScale(figure, panels, plotHeight);
  const body = panels.map((panel, i) => {
    const own = figure.ownY === true ? yScale(figure, [panel], plotHeight) : shared;
    const plot: Plot = { figure, y: own, width: inner, height: plotHeight, theme };
    const column = i % perRow;
    const x = round(margin.left + column * panelWidth);
    const y = round(top + Math.floor(i / perRow) * panelHeight + margin.panelTop);
    return tag("g", { transform: `translate(${x},${y})` }, [
      ...yAxis(plot, column === 0 || figure.ownY === true),
      tag("text", { x: 0, y: -9, fill: theme.text, "font-size": 13, "font-weight": 600 }, escapeText(panel.title)),
      ...(panel.kind === "bars" ? bars(panel, plot, slanted) : points(panel, plot)),
      ...rule(plot),
    ]);
  });
  return svgFigure({ width, height }, figure.title, theme, [
    ...(headed ? heading(figure.title, note, theme) : []),
    tag("g", { transform: `translate(16,${headingHeight - (headed && note.length > 0 ? 2 : 0)})` }, legend.marks),
    ...body,
  ]);
}

const lineHeight = 17;
/** Of a line of words in the widest of the usual fonts, to its size; a legend's short names need more. */
const noteCharacterWidth = 0.51;

/** The note in lines that fit the figure, whatever font draws it. */
function noteLines(note: string | undefined, width: number): readonly string[] {
  const most = Math.floor((width - 32) / (labelSize * noteCharacterWidth));
  const lines: string[] = [];
  for (const word of note?.split(" ") ?? []) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function heading(title: string, note: readonly string[], theme: Theme): string[] {
  return [
    tag("text", { x: 16, y: 26, fill: theme.text, "font-size": 17, "font-weight": 600 }, escapeText(title)),
    ...note.map((line, i) =>
      tag("text", { x: 16, y: 47 + i * lineHeight, fill: theme.muted, "font-size": labelSize }, escapeText(line)),
    ),
  ];
}

function legendMarks(figure: Figure, theme: Theme, width: number) {
  const { series, panels, alwaysLegend = false } = figure;
  const withMarkers = panels.some(panel => panel.kind === "points");
  let x = 0;
  let y = 0;
  const marks = series.map((name, i) => {
    const space = 24 + name.length * labelSize * characterWidth + 14;
    if (x > 0 && x + space > width - 32) {
      x = 0;
      y += 20;
    }
    const at = { x, y };
    x += space;
    const fill = seriesColour(figure, theme, i);
    const middle = `translate(${round(at.x + 7)},${at.y + 9})`;
    const swatch = withMarkers
      ? tag("path", { d: seriesMarker(figure, i, 70), transform: middle, fill })
      : tag("rect", { x: round(at.x), y: at.y + 3, width: 14, height: 12, fill });
    const label = { x: round(at.x + 20), y: at.y + 13.5, fill: theme.text, "font-size": labelSize };
    return [swatch, tag("text", label, escapeText(name))];
  });
  const drawn = series.length > (alwaysLegend ? 0 : 1);
  return { marks: drawn ? marks.flat() : [], height: drawn ? y + 24 : 0 };
}

function rule({ figure, y, width, theme }: Plot): string[] {
  if (figure.rule === undefined) return [];
  const at = round(y(figure.rule));
  return [tag("line", { x1: 0, x2: round(width), y1: at, y2: at, stroke: theme.text, "stroke-dasharray": "5 4" })];
}
