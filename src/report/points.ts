import { line } from "d3-shape";
import { numberScale, type Plot, type Scale, written, xLabel, xTick } from "./axis.js";
import type { PointPanel } from "./figure.js";
import { seriesColour, seriesDash, seriesMarker } from "./series.js";
import { escapeText, round, tag } from "./svg.js";
import { plain } from "./units.js";

/** The upright line of a panel's mark. */
function upright({ mark }: PointPanel, x: Scale, { width, height, theme }: Plot): string[] {
  if (mark === undefined || x(mark.x) < 0 || x(mark.x) > width) return [];
  const at = round(x(mark.x));
  const words = `<title>${escapeText(`chosen: ${mark.label}`)}</title>`;
  return [tag("line", { x1: at, x2: at, y1: 0, y2: height, stroke: theme.muted, "stroke-width": 1.5 }, words)];
}

/** The points of a panel, the lines that join them, and their x axis. */
export function points(panel: PointPanel, plot: Plot): string[] {
  const { figure, y, width, height, theme } = plot;
  const xs = panel.lines.flatMap(l => l.points.map(p => p.x));
  const x = numberScale(panel.x, xs, [0, width], Math.max(3, Math.floor(width / 80)));
  const path = line<{ readonly x: number; readonly y: number }>(
    p => round(x(p.x)),
    p => round(y(p.y)),
  );
  const marks = panel.lines.flatMap(({ series, points, joined, faint, bare }) => {
    const fill = seriesColour(figure, theme, series);
    const dashed = seriesDash(figure, series);
    const dash = dashed === "none" ? {} : { "stroke-dasharray": dashed };
    const drawn = joined
      ? [tag("path", { d: path([...points]) ?? "", fill: "none", stroke: fill, "stroke-width": 2, ...dash })]
      : [];
    const dots = points.flatMap(p => {
      const at = `translate(${round(x(p.x))},${round(y(p.y))})`;
      const tooltip = `<title>${escapeText(`${figure.series[series] ?? ""} ${p.title ?? p.label ?? ""}: ${plain(p.x)}, ${plain(p.y)}`)}</title>`;
      const opacity = faint === true ? { opacity: 0.3 } : {};
      const marked = tag("path", { d: seriesMarker(figure, series, 48), transform: at, fill, ...opacity }, tooltip);
      const dot = bare === true ? tag("circle", { r: 1, transform: at, fill }, tooltip) : marked;
      if (p.label === undefined) return [dot];
      const name = {
        x: round(x(p.x) + 7),
        y: round(y(p.y) + (bare === true ? 15 : -6)),
        fill: theme.muted,
        "font-size": 11,
      };
      return [dot, tag("text", name, escapeText(p.label))];
    });
    return [...drawn, ...dots];
  });
  const floor = tag("line", { x1: 0, x2: round(width), y1: height, y2: height, stroke: theme.muted });
  // Ticks at the ends lean inwards, so that neighbouring panels' numbers stay apart.
  const lean = (at: number): string => (at < 8 ? "start" : at > width - 8 ? "end" : "middle");
  const ticks = x.ticks.map(tick => xTick(x(tick), written(panel.x, tick), plot, lean(x(tick))));
  return [floor, ...upright(panel, x, plot), ...marks, ...ticks, xLabel(panel.x.label, plot)];
}
