import { useMemo, useRef } from "preact/hooks";
import { ofArray } from "../../src/model/array-shares.js";
import { arrayInWords, arraysOf } from "../../src/report/array-names.js";
import { type Chip, chip, leastChipWidth } from "../../src/report/chip.js";
import type { Table } from "../../src/report/table.js";
import { bytes, percent } from "../../src/report/units.js";
import { isPaperDesign } from "../design/names.js";
import { Card, type Context } from "../parts/figure.js";
import { Term } from "../parts/term.js";
import { countedAs, type State } from "../state.js";
import { useTheme, useWidth } from "../use-media.js";
import { utilizationCaption } from "./captions.js";
import { bandwidthUnit, bandwidthWords } from "./designs.js";
import { hasPaperArrays, type Solved } from "./shares.js";

/** The machine of a design as it works on what is chosen. */
function chipOf({ label, design, evaluation }: Solved, state: State): Chip {
  const { utilization, bound, trafficBytes, latencySeconds, machine } = evaluation;
  const accounting = countedAs(state);
  return {
    title: `${label} at work`,
    dram: {
      name: "DRAM",
      size: `${Math.round(machine.dramBytesPerSecond / bandwidthUnit(accounting))} ${bandwidthWords(accounting)}`,
      busy: trafficBytes / machine.dramBytesPerSecond / latencySeconds,
      limits: bound === "dram",
    },
    buffer: { name: "buffer", size: bytes(evaluation.bufferBytes), busy: null, limits: bound === "buffer" },
    arrays: arraysOf([utilization]).map(array => ({
      name: arrayInWords(array),
      size: `${isPaperDesign(design) && array === "2d" ? `${state.rows} × ${state.columns}` : (machine.pes[array] ?? 0).toLocaleString("en")} PEs`,
      busy: ofArray(utilization, array),
      // Where arrays wait for each other none of them is the limit, and none is marked.
      limits: bound === array,
    })),
  };
}

const partsTable = ({ dram, buffer, arrays }: Chip): Table => ({
  columns: ["part", "size", "busy", "the limit"],
  rows: [dram, buffer, ...arrays].map(({ name, size, busy, limits }) => [
    name,
    size,
    busy === null ? "" : percent(busy),
    limits ? "yes" : "",
  ]),
});

/** The chip with its busy shares, what limits it lit. */
export function Machine(props: {
  readonly of: Solved;
  readonly state: State;
  readonly context: Context;
  readonly pinned?: boolean;
}) {
  const { of, state, context, pinned = false } = props;
  const drawing = useRef<HTMLDivElement>(null);
  const width = useWidth(drawing);
  const theme = useTheme();
  const drawn = useMemo(() => {
    const made = chipOf(of, state);
    return pinned ? { ...made, title: `${made.title}, pinned` } : made;
  }, [of, state, pinned]);
  const svg = useMemo(
    () => (width === null ? "" : chip({ ...drawn, theme, width: Math.min(640, Math.max(leastChipWidth, width)) })),
    [drawn, theme, width],
  );
  return (
    <Card
      title={drawn.title}
      svg={svg}
      exported={() => chip(drawn)}
      table={() => partsTable(drawn)}
      context={context}
      file={pinned ? "chip-pinned" : "chip"}
      drawing={drawing}
    >
      {hasPaperArrays(of) ? (
        <>
          The accelerator: a <Term of="2D array" /> of processing elements that multiplies, a <Term of="1D array" /> for
          what the 2D array cannot do,
        </>
      ) : (
        <>The accelerator: arrays of processing elements</>
      )}{" "}
      and a <Term of="global buffer">buffer</Term> between them and DRAM. Each part is filled as far as it is busy; the
      heavy frame is what limits it. {utilizationCaption([of])}
    </Card>
  );
}
