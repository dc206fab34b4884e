import type { CompiledDesign } from "../../model/compile.js";
import { evaluate } from "../../model/evaluate.js";
import { scheduleOfDesign, simulateDesign } from "../../model/schedule/of-design.js";
import { dependencyCauses, dramCauses, type ScheduleResult, type StallCause } from "../../model/schedule/result.js";
import { jsonText } from "../../report/finite.js";
import { type Table, textTable } from "../../report/table.js";
import { lengthLabel, percent } from "../../report/units.js";
import type { ArrayName } from "../../spec/schedule/einsums.js";
import { designFor, sizesFor } from "./design.js";
import { type ScheduleOptions, unlimited } from "./options.js";

/** One design, model, length and number of ports: simulated, and as published. */
interface Row {
  readonly design: string;
  readonly model: string;
  readonly seq: number;
  readonly ports: number | typeof unlimited;
  readonly published: { readonly cycles: number; readonly util2d: number; readonly util1d: number };
  readonly simulated: ScheduleResult;
  /** What the simulation took, the search for lags included. */
  readonly seconds: number;
}

/** `fusemax schedule`: simulates every combination and prints the table, or JSON. */
export function reportSchedules(options: ScheduleOptions): void {
  const rows = options.design.flatMap(name =>
    (options.ports ?? [undefined]).flatMap(ports =>
      (options.lag ?? [undefined]).flatMap(lag => rowsOf(designFor(name, options, { ports, lag }), options)),
    ),
  );
  process.stdout.write(options.json === true ? json(rows, options) : text(rows, options));
  process.stderr.write(`fusemax: ${speed(rows)}\n`);
}

function rowsOf(compiled: CompiledDesign, options: ScheduleOptions): readonly Row[] {
  return options.model.flatMap(model =>
    options.seq.map(seq => {
      const sizes = sizesFor(model, seq, options);
      const { machine, frequencyHz } = scheduleOfDesign(compiled, sizes);
      const { latencySeconds, utilization } = evaluate(compiled, sizes);
      const began = performance.now();
      const simulated = simulateDesign(compiled, sizes, { memory: options.memory });
      const seconds = (performance.now() - began) / 1000;
      return {
        design: compiled.design.label,
        model: sizes.model,
        seq,
        ports: Number.isFinite(machine.readPorts) ? machine.readPorts : unlimited,
        published: {
          cycles: Math.round(latencySeconds * frequencyHz),
          util2d: utilization["2d"] ?? 0,
          util1d: utilization["1d"] ?? 0,
        },
        simulated,
        seconds,
      };
    }),
  );
}

function speed(rows: readonly Row[]): string {
  const sum = (count: (row: Row) => number): number => rows.reduce((all, row) => all + count(row), 0);
  const tiles = sum(({ simulated }) => simulated.tiles);
  const seconds = sum(row => row.seconds);
  const stepped = sum(({ simulated }) => simulated.tilesStepped);
  const rate = (tiles / seconds).toPrecision(3);
  return `${tiles} tiles in ${seconds.toFixed(3)} s, ${rate} a second; ${stepped} stepped through, the others repeat`;
}

function json(rows: readonly Row[], { memory }: ScheduleOptions): string {
  const results = rows.map(({ simulated, seconds: _, ...row }) => {
    const { schedule, ...result } = simulated;
    return { ...row, simulated: { schedule: schedule.name, lags: schedule.lags, ...result } };
  });
  return jsonText({ schema: "fusemax.schedule/1", memory, results }, 2);
}

function text(rows: readonly Row[], options: ScheduleOptions): string {
  const machine = options.memory === "ideal" ? "operands always there" : "operands from DRAM";
  const heading = [
    `Cycles by simulation, ${machine}, beside the published evaluation. 2D and 1D: cycles in which the array issues an`,
    "operation. The last columns say why the 2D array issued none. regs: entries used in a 2D and in a 1D PE.",
  ];
  return `${heading.join("\n")}\n\n${textTable(table(rows))}\n`;
}

const columns: readonly (readonly [name: string, cell: (row: Row) => string | number])[] = [
  ["design", row => row.design],
  ["model", row => row.model],
  ["seq", row => lengthLabel(row.seq)],
  ["ports", row => row.ports],
  ["schedule", row => row.simulated.schedule.name],
  ["lags", row => lagsText(row.simulated)],
  ["published", row => row.published.cycles],
  ["simulated", row => row.simulated.latencyCycles],
  ["ratio", row => (row.simulated.latencyCycles / row.published.cycles).toFixed(4)],
  ["2D publ.", row => percent(row.published.util2d)],
  ["2D", row => busy(row, "2d")],
  ["1D", row => busy(row, "1d")],
  ["epoch", ({ simulated: { epoch } }) => (epoch === null ? "-" : (epoch.cycles / epoch.tiles).toFixed(2))],
  ["fill, drain", row => share(row, "fill", "drain")],
  ["idle", row => share(row, "idle")],
  ["waits", row => share(row, ...dependencyCauses)],
  ["DRAM", row => share(row, ...dramCauses)],
  ["port", row => share(row, "port")],
  ["regs", ({ simulated: { registers } }) => `${registers.pe}, ${registers.lane}`],
];

const table = (rows: readonly Row[]): Table => ({
  columns: columns.map(([name]) => name),
  rows: rows.map(row => columns.map(([, cell]) => cell(row))),
});

const lagsText = ({ schedule }: ScheduleResult): string =>
  Object.entries(schedule.lags)
    .filter(([, lag]) => lag > 0)
    .map(([letter, lag]) => `${letter}=${lag}`)
    .join(" ");

const busy = ({ simulated }: Row, array: ArrayName): string =>
  percent(simulated.arrays[array].busyCycles / simulated.latencyCycles);

function share({ simulated: { arrays, latencyCycles } }: Row, ...causes: readonly StallCause[]): string {
  const cycles = causes.reduce((sum, cause) => sum + arrays["2d"].stalls[cause], 0);
  return `${((100 * cycles) / latencyCycles).toFixed(2)}%`;
}
