import { useMemo, useRef, useState } from "preact/hooks";
import type { FormatName } from "../../src/numerics/format.js";
import { heatMap, heatMapPlot } from "../../src/report/heat-map.js";
import { DataTable } from "../parts/data-table.js";
import { Card, Chart } from "../parts/figure.js";
import { useTheme, useWidth } from "../use-media.js";
import { errorHistogram, errorMap, errorsTable, formatsTable, rowName } from "./figures.js";
import type { RunOutcome } from "./request.js";

interface FormatsProps {
  readonly outcomes: readonly RunOutcome[];
  readonly shown: RunOutcome;
  readonly show: (format: FormatName) => void;
}

export function Formats({ outcomes, shown, show }: FormatsProps) {
  const { engine, error, shape } = shown;
  const { worst } = error;
  return (
    <section class="card wide">
      <h2>Results</h2>
      <p>
        Computed by engine {engine.name}
        {engine.adapter !== null && ` on ${engine.adapter}`} ({engine.reason}). sha256 of AV [1, {shape.heads},{" "}
        {shape.queries}, {shape.valueDim}] in {shown.format}: <code data-sha256>{shown.sha256}</code>
      </p>
      <DataTable caption="Formats side by side" table={formatsTable(outcomes)} />
      {outcomes.length > 1 && (
        <div class="exports">
          {outcomes.map(({ format }) => (
            <button key={format} type="button" aria-pressed={format === shown.format} onClick={() => show(format)}>
              Show {format}
            </button>
          ))}
        </div>
      )}
      <p class="quiet">
        Errors over {error.checkedRows} output rows against float64 attention on the same rounded inputs. “3-pass” is
        plain attention in the same formats (FuseMax, Eq. 33 to 38): the difference is what tiling and the array's own
        exponential cost.
        {worst !== null &&
          ` The worst element is head ${worst.h}, query ${worst.p}, feature ${worst.f}: ${worst.got} for ${worst.expected}.`}
      </p>
    </section>
  );
}

export function ErrorMap({ outcome }: { readonly outcome: RunOutcome }) {
  const drawing = useRef<HTMLDivElement>(null);
  const width = useWidth(drawing);
  const theme = useTheme();
  const [at, setAt] = useState("");
  const map = useMemo(() => errorMap(outcome), [outcome]);
  const shown = useMemo(() => ({ ...map, heading: false, width: width ?? 400, theme }), [map, width, theme]);
  const svg = useMemo(() => (width === null ? "" : heatMap(shown)), [shown, width]);
  const { rows, errors, shape } = outcome;
  const follow = (event: PointerEvent) => {
    const picture = drawing.current?.querySelector("svg");
    if (picture === null || picture === undefined) return;
    const box = picture.getBoundingClientRect();
    const plot = heatMapPlot(shown);
    const scale = shown.width / box.width;
    const f = Math.floor((((event.clientX - box.left) * scale - plot.left) / plot.width) * shape.valueDim);
    const i = Math.floor((((event.clientY - box.top) * scale - plot.top) / plot.height) * plot.rows);
    const row = rows[i];
    const inside = row !== undefined && f >= 0 && f < shape.valueDim;
    setAt(
      inside
        ? `${map.rowLabel} ${rowName(outcome, row)}, feature ${f}: ${(errors[i * shape.valueDim + f] ?? 0).toExponential(3)}`
        : "",
    );
  };
  return (
    <div class="hoverable" onPointerMove={follow} onPointerLeave={() => setAt("")}>
      <Card
        title={map.title}
        svg={svg}
        exported={() => heatMap(map)}
        table={() => errorsTable(outcome)}
        file={`error-map-${outcome.format}`}
        drawing={drawing}
      >
        How far each element is from float64 attention: a row is an output row of the {rows.length} that were compared,
        a column a feature. Even colours mean that errors are the format's own rounding; a bright row is a query whose
        scores are hard on it. FuseMax never published such a map. {at !== "" && <strong>{at}</strong>}
      </Card>
    </div>
  );
}

export function Histogram({ outcome }: { readonly outcome: RunOutcome }) {
  const figure = useMemo(() => errorHistogram(outcome), [outcome]);
  const table = () => {
    const [panel] = figure.panels;
    if (panel?.kind !== "bars") return { columns: [], rows: [] };
    return {
      columns: ["absoluteError", "elements"],
      rows: panel.groups.map((group, i) => [group, panel.values[0]?.[i] ?? 0]),
    };
  };
  return (
    <Chart figure={figure} table={table} file={`error-histogram-${outcome.format}`}>
      The same errors by size, in halves of a decade. “exact” are elements equal to the float64 result to the last bit.
    </Chart>
  );
}
