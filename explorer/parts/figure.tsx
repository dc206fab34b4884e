import { useId, useMemo, useRef } from "preact/hooks";
import { csvText } from "../../src/io/csv.js";
import { chart } from "../../src/report/chart.js";
import type { Figure } from "../../src/report/figure.js";
import type { Table } from "../../src/report/table.js";
import { useTheme, useWidth } from "../use-media.js";

/** Hands text to the visitor as a file. */
export function save(name: string, type: string, content: BlobPart): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

interface CardProps {
  readonly title: string;
  /** The picture as SVG text of our own making, never the visitor's. */
  readonly svg: string;
  /** The picture as a file: laid out for paper rather than for the page. */
  readonly exported: () => string;
  /** The numbers behind the picture. */
  readonly table: () => Table;
  /** The name of exported files, without extension. */
  readonly file: string;
  readonly wide?: boolean;
  /** Shows what was asked before, while what is asked now is computed. */
  readonly stale?: boolean;
  /** What is seen, in a paragraph, with the paper's section. */
  readonly children: preact.ComponentChildren;
  readonly drawing?: { current: HTMLDivElement | null };
}

/** A picture with its explanation and its exports. */
export function Card({ title, svg, exported, table, file, wide, stale, children, drawing }: CardProps) {
  const id = useId();
  const own = useRef<HTMLDivElement>(null);
  return (
    <figure class={`card ${wide ? "wide" : ""} ${stale ? "stale" : ""}`} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div ref={drawing ?? own} class="chart" data-chart={file} dangerouslySetInnerHTML={{ __html: svg }} />
      <figcaption>{children}</figcaption>
      <p class="exports">
        <button type="button" onClick={() => save(`${file}.svg`, "image/svg+xml", exported())}>
          Save SVG<span class="hidden"> of {title}</span>
        </button>
        <button type="button" onClick={() => save(`${file}.csv`, "text/csv", csvText(table()))}>
          Save CSV<span class="hidden"> of {title}</span>
        </button>
      </p>
    </figure>
  );
}

interface ChartProps {
  /** Its title stands over the card; `width` and `theme` are set here. */
  readonly figure: Figure;
  readonly table: () => Table;
  readonly file: string;
  readonly wide?: boolean;
  readonly stale?: boolean;
  readonly children: preact.ComponentChildren;
}

/** A chart of the library, laid out for the card's width in the page's colours. */
export function Chart({ figure, children, ...card }: ChartProps) {
  const drawing = useRef<HTMLDivElement>(null);
  const width = useWidth(drawing);
  const theme = useTheme();
  const svg = useMemo(() => {
    if (width === null) return "";
    const panelsPerRow = Math.max(1, Math.floor(width / 280));
    return chart({ ...figure, panelsPerRow, heading: false, width, theme });
  }, [figure, width, theme]);
  return (
    <Card title={figure.title} svg={svg} exported={() => chart(figure)} drawing={drawing} {...card}>
      {children}
    </Card>
  );
}
