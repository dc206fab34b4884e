import { useId, useMemo, useRef, useState } from "preact/hooks";
import { csvText } from "../../src/io/csv.js";
import { chart } from "../../src/report/chart.js";
import type { Figure } from "../../src/report/figure.js";
import { figureTable } from "../../src/report/figure-table.js";
import type { Table } from "../../src/report/table.js";
import { useTheme, useWidth } from "../use-media.js";
import { useWhenNear } from "../use-when-near.js";
import { DataTable } from "./data-table.js";
import { useMarks } from "./marks.js";
import { save } from "./save.js";

/** What a picture is of: the settings by name, which its files carry. */
export type Context = Readonly<Record<string, string | number>>;

/** The table with the context in columns of their own, the same in each row. */
const inContext = ({ columns, rows }: Table, context: Context): Table => ({
  columns: [...Object.keys(context), ...columns],
  rows: rows.map(row => [...Object.values(context), ...row]),
});

interface CardProps {
  readonly title: string;
  /** The picture as SVG text of our own making, never the visitor's. */
  readonly svg: string;
  /** The picture as a file: laid out for paper rather than for the page. */
  readonly exported: () => string;
  /** The numbers behind the picture. */
  readonly table: () => Table;
  readonly context?: Context;
  /** What the picture is called among others. */
  readonly file: string;
  readonly wide?: boolean;
  /** Shows what was asked before, while what is asked now is computed. */
  readonly stale?: boolean;
  /** What is seen, in a paragraph, with the paper's section. */
  readonly children: preact.ComponentChildren;
  readonly drawing?: { current: HTMLDivElement | null };
}

/** Words of a context as a part of a file's name: "bert-64K". */
const nameOf = (file: string, context: Context): string =>
  [file, ...["model", "seq"].flatMap(key => (key in context ? [String(context[key])] : []))]
    .join("-")
    .replace(/[^\w.+-]+/g, "-");

/** A picture with its explanation, its numbers and its exports. */
export function Card({ title, svg, exported, table, context = {}, file, wide, stale, children, drawing }: CardProps) {
  const id = useId();
  const own = useRef<HTMLDivElement>(null);
  const { said, ...handlers } = useMarks();
  const name = nameOf(file, context);
  return (
    <figure class={`card ${wide ? "wide" : ""} ${stale ? "stale" : ""}`} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {/* biome-ignore lint/a11y/useSemanticElements: a picture to walk through with the arrow keys */}
      <div
        ref={drawing ?? own}
        class="chart"
        data-chart={file}
        role="group"
        aria-label={`${title}, chart: arrow keys go from mark to mark`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its marks must be reached by keyboard
        tabIndex={0}
        {...handlers}
        dangerouslySetInnerHTML={{ __html: svg }}
      />
      <p class="said" role="status">
        {said}
      </p>
      <figcaption>{children}</figcaption>
      <Numbers title={title} table={table} />
      <p class="exports">
        <button type="button" onClick={() => save(`${name}.svg`, "image/svg+xml", exported())}>
          Save SVG<span class="hidden"> of {title}</span>
        </button>
        <button type="button" onClick={() => save(`${name}.csv`, "text/csv", csvText(inContext(table(), context)))}>
          Save CSV<span class="hidden"> of {title}</span>
        </button>
      </p>
    </figure>
  );
}

/** The picture's numbers for those who do not see it, and for those who want to read them. */
export function Numbers({ title, table }: { readonly title: string; readonly table: () => Table }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        Its numbers<span class="hidden">: {title}</span>
      </summary>
      {open && <DataTable caption={title} table={table()} />}
    </details>
  );
}

interface ChartProps {
  /** Its title is over the card; `width` and `theme` are set here. */
  readonly figure: Figure;
  readonly context?: Context;
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
  const drawn = useWhenNear(drawing, figure);
  const svg = useMemo(() => {
    if (width === null) return "";
    const panelsPerRow = Math.max(1, Math.floor(width / 280));
    return chart({ ...drawn, panelsPerRow, heading: false, width, theme });
  }, [drawn, width, theme]);
  const table = () => figureTable(figure);
  return (
    <Card title={figure.title} svg={svg} exported={() => chart(figure)} table={table} drawing={drawing} {...card}>
      {children}
    </Card>
  );
}
