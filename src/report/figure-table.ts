import type { BarPanel, Figure, PointPanel } from "./figure.js";
import type { Table } from "./table.js";

/** The numbers of a figure, those that its marks stand for, as a table: what the figure says without being seen. */
export function figureTable(figure: Figure): Table {
  const [first] = figure.panels;
  if (first?.kind === "points") return pointTable(figure, figure.panels.filter(isPoints));
  return barTable(figure, figure.panels.filter(isBars));
}

const isPoints = (panel: BarPanel | PointPanel): panel is PointPanel => panel.kind === "points";
const isBars = (panel: BarPanel | PointPanel): panel is BarPanel => panel.kind === "bars";

/** A row for each group, a column for each series. */
function barTable({ series, panels: all }: Figure, panels: readonly BarPanel[]): Table {
  const titles = all.length > 1;
  return {
    columns: [...(titles ? ["panel"] : []), panels[0]?.groupLabel || "of", ...series],
    rows: panels.flatMap(({ title, groups, values }) =>
      groups.map((group, g) => [...(titles ? [title] : []), group, ...series.map((_, s) => values[s]?.[g] ?? "")]),
    ),
  };
}

/** A row for each point. */
function pointTable({ series, y, panels: all }: Figure, panels: readonly PointPanel[]): Table {
  const titles = all.length > 1;
  return {
    columns: [...(titles ? ["panel"] : []), "series", panels[0]?.x.label ?? "x", y.label],
    rows: panels.flatMap(({ title, lines }) =>
      lines.flatMap(line =>
        line.points.map(point => [...(titles ? [title] : []), series[line.series] ?? "", point.x, point.y]),
      ),
    ),
  };
}
