import { useMemo, useRef, useState } from "preact/hooks";
import { heatMap, heatMapPlot } from "../../src/report/heat-map.js";
import { DataTable } from "../parts/data-table.js";
import { Card, Chart } from "../parts/figure.js";
import { useTheme, useWidth } from "../use-media.js";
import { Download } from "./download.js";
import { arithmeticsTable, errorHistogram, errorMap, errorsTable, rowName } from "./figures.js";
import type { RunOutcome } from "./request.js";
import type { Result } from "./session.js";

interface ResultsProps {
  readonly results: readonly Result[];
  readonly shown: Result;
  readonly show: (arithmetic: string) => void;
  /** What the shown result is of, where the settings are others by now. */
  readonly stale: string | null;
}

export function Results({ results, shown, show, stale }: ResultsProps) {
  const { engine, error, shape } = shown;
  const { worst } = error;
  return (
    <section class="card wide">
      <h2>Results</h2>
      {stale !== null && (
        <p class="notes" data-stale>
          For {stale}: the settings have changed since. Run again for the settings as they are now.
        </p>
      )}
      <p>
        Computed by engine {engine.name}
        {engine.adapter !== null && ` on ${engine.adapter}`} ({engine.reason}). sha256 of AV [1, {shape.heads},{" "}
        {shape.queries}, {shape.valueDim}] in {shown.arithmetic}: <code data-sha256>{shown.sha256}</code>
      </p>
      <Download result={shown} />
      <DataTable caption="Arithmetics side by side" table={arithmeticsTable(results)} />
      {results.length > 1 && (
        <div class="exports">
          {results.map(({ arithmetic }) => (
            <button
              key={arithmetic}
              type="button"
              aria-pressed={arithmetic === shown.arithmetic}
              onClick={() => show(arithmetic)}
            >
              Show {arithmetic}
            </button>
          ))}
        </div>
      )}
      <p class="quiet">
        Errors over {error.checkedRows} output rows against float64 attention on the same rounded inputs. “3-pass” is
        plain attention in the same arithmetic (FuseMax, Eq. 33 to 38): the difference is what tiling and the array's
        own exponential cost.
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
        file={`error-map-${outcome.arithmetic}`}
        drawing={drawing}
      >
        How far each element is from float64 attention: a row is an output row of the {rows.length} that were compared,
        a column a feature. Even colours mean that errors are the arithmetic's own rounding; a bright row is a query
        whose scores are hard on it. FuseMax never published such a map. {at !== "" && <strong>{at}</strong>}
      </Card>
    </div>
  );
}

export function Histogram({ outcome }: { readonly outcome: RunOutcome }) {
  const figure = useMemo(() => errorHistogram(outcome), [outcome]);
  return (
    <Chart figure={figure} file={`error-histogram-${outcome.arithmetic}`}>
      The same errors by size, in halves of a decade. “exact” are elements equal to the float64 result to the last bit.
    </Chart>
  );
}
