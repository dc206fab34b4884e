import { howMany } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import type { Accounting } from "../../model/accounting.js";
import { accountingLine } from "../../model/corrections.js";
import { evaluate } from "../../model/evaluate.js";
import type { ScheduleResult, StallCause } from "../../model/schedule/result.js";
import { simulateDesign } from "../../model/schedule/simulate-design.js";
import { checkSettings } from "../../model/settings.js";
import { jsonText } from "../../report/finite.js";
import { type Table, textTable } from "../../report/table.js";
import { lengthLabel, percent } from "../../report/units.js";
import { arrayLabel } from "../../report/waterfall.js";
import { loadWorkload } from "../../spec/load.js";
import { namedArithmetic } from "../arithmetic.js";
import { conflict } from "../conflict.js";
import { designsWith } from "../model/designs.js";
import { maskingOf } from "../model/masking.js";
import { accountingOfCommand } from "../model/options.js";
import { chargedUnder, chargesScores, scoreChoice } from "../model/score-terms.js";
import { designFor, pointsFor, type ScheduledDesign, type SchedulePoint } from "./design.js";
import { type Ports, type ScheduleOptions, settingsOf, unlimited } from "./options.js";

/** One design, model, length and number of ports: simulated, and as its binding has it. */
interface Row {
  readonly design: string;
  readonly model: string;
  readonly layers: string | null;
  readonly phase: string;
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly seq: number;
  readonly ports: Ports;
  readonly binding: { readonly cycles: number; readonly utilization: Readonly<Record<string, number>> };
  readonly simulated: ScheduleResult;
  /** What the simulation took, the search for lags included. */
  readonly seconds: number;
}

/** `fusemax schedule`: simulates every combination and prints the table, or JSON. */
export async function reportSchedules(options: ScheduleOptions): Promise<void> {
  if (options.kvLens !== undefined && options.batch !== undefined) {
    throw conflict("--kv-lens", "--batch");
  }
  const { designs, patches } = designsWith(options.design, options.set ?? [], namedArithmetic(options));
  const models = options.model.map(name => loadWorkload(specFiles, name, "--model"));
  const asked = scoreChoice(options, models);
  const besides = settingsOf(options) + (chargesScores(asked, models) ? 1 : 0);
  const { accounting, byDefault } = accountingOfCommand(options, designs, besides);
  const { scores, notes } = chargedUnder(accounting, asked, models);
  const masking = await maskingOf(options.mask);
  const lengths = options.kvLens === undefined ? options.seq : [Math.max(...options.kvLens)];
  const points = options.model.flatMap(model =>
    lengths.flatMap(seq => pointsFor(model, seq, options, masking, scores)),
  );
  const scheduled = designs.flatMap(design =>
    (options.ports ?? [undefined]).flatMap(ports =>
      (options.lag ?? [undefined]).map(lag =>
        designFor(design, options, patches, accounting.corrections, { ports, lag }, points, scores),
      ),
    ),
  );
  const rows = scheduled.flatMap(design => points.map(point => rowOf(design, point, options, accounting)));
  const said = new Set([...notes, ...scheduled.flatMap(own => own.notes), ...checkSettings(patches, scheduled)]);
  for (const note of said) process.stderr.write(`fusemax: ${note}\n`);
  const heading = accountingLine(accounting, byDefault);
  process.stdout.write(options.json === true ? json(rows, options, accounting) : text(rows, options, heading));
  process.stderr.write(`fusemax: ${speed(rows)}\n`);
}

function rowOf(
  { of }: ScheduledDesign,
  point: SchedulePoint,
  { memory }: ScheduleOptions,
  accounting: Accounting,
): Row {
  const compiled = of(point.terms);
  const { seq, sizes, mask, model, kind, phase, batch, queries, keys } = point;
  const corrections = accounting.corrections.filter(name => name !== "schedule");
  const asBound = evaluate(compiled, sizes, { ...accounting, corrections }, [], mask);
  const began = performance.now();
  const simulated = simulateDesign(compiled, { sizes, mask }, { memory, corrections });
  const seconds = (performance.now() - began) / 1000;
  const ports = compiled.architecture.timing?.bufferReadRows ?? unlimited;
  return {
    ...{ design: compiled.design.label, model, layers: kind.name, phase, batch, queries, keys, seq },
    ports: typeof ports === "number" ? ports : ports === unlimited ? unlimited : Number(ports),
    binding: { cycles: Math.round(asBound.cycles), utilization: asBound.utilization },
    simulated,
    seconds,
  };
}

function speed(rows: readonly Row[]): string {
  const sum = (count: (row: Row) => number): number => rows.reduce((all, row) => all + count(row), 0);
  const tiles = sum(({ simulated }) => simulated.tiles);
  const seconds = sum(row => row.seconds);
  const stepped = sum(({ simulated }) => simulated.tilesStepped);
  const rate = (tiles / seconds).toPrecision(3);
  return `${howMany(tiles, "tile")} in ${seconds.toFixed(3)} s, ${rate} a second; ${stepped} stepped through, the others repeat`;
}

function json(rows: readonly Row[], { memory }: ScheduleOptions, { name, corrections }: Accounting): string {
  const results = rows.map(({ simulated, seconds: _, ...row }) => {
    const { schedule, causes: __, ...result } = simulated;
    return { ...row, simulated: { schedule: schedule.name, lags: schedule.lags, ...result } };
  });
  return jsonText({ schema: "fusemax.schedule/2", accounting: name, corrections, memory, results }, 2);
}

function text(rows: readonly Row[], options: ScheduleOptions, accounting: string): string {
  const machine = options.memory === "ideal" ? "operands always there" : "operands from DRAM";
  const heading = [
    accounting,
    `Cycles by simulation, ${machine}, beside what the design's binding says. An array's share: cycles in which it issues`,
    "an operation. The last columns say why the first array issued none. regs: entries used in a PE of each array.",
  ];
  return `${heading.join("\n")}\n\n${textTable(table(rows))}\n`;
}

/** The arrays of all rows, by name: designs may have others. */
function table(rows: readonly Row[]): Table {
  const arrays = [...new Set(rows.flatMap(({ simulated }) => Object.keys(simulated.arrays)))];
  const first = (row: Row): string => Object.keys(row.simulated.arrays)[0] ?? "";
  const label = (array: string): string => arrayLabel(array).replace(/ array$/, "");
  const columns: readonly (readonly [name: string, cell: (row: Row) => string | number])[] = [
    ["design", row => row.design],
    ["model", row => row.model],
    ["seq", row => lengthLabel(row.seq)],
    ["ports", row => row.ports],
    ["schedule", row => row.simulated.schedule.name],
    ["lags", row => lagsText(row.simulated)],
    ["binding", row => row.binding.cycles],
    ["simulated", row => row.simulated.latencyCycles],
    ["ratio", row => (row.simulated.latencyCycles / row.binding.cycles).toFixed(4)],
    ["bound", row => percent(row.binding.utilization[first(row)] ?? 0)],
    ...arrays.map(array => [label(array), (row: Row) => busy(row, array)] as const),
    ["epoch", ({ simulated: { epoch } }) => (epoch === null ? "-" : (epoch.cycles / epoch.tiles).toFixed(2))],
    ["fill, drain", row => share(row, first(row), "fill", "drain")],
    ["idle", row => share(row, first(row), "idle")],
    ["waits", row => share(row, first(row), ...row.simulated.causes.arrays)],
    ["DRAM", row => share(row, first(row), ...row.simulated.causes.dram)],
    ["port", row => share(row, first(row), "port")],
    ["regs", ({ simulated: { registers } }) => Object.values(registers).join(", ") || "-"],
  ];
  return { columns: columns.map(([name]) => name), rows: rows.map(row => columns.map(([, cell]) => cell(row))) };
}

const lagsText = ({ schedule }: ScheduleResult): string =>
  Object.entries(schedule.lags)
    .filter(([, lag]) => lag > 0)
    .map(([letter, lag]) => `${letter}=${lag}`)
    .join(" ");

function busy({ simulated }: Row, array: string): string {
  const time = simulated.arrays[array];
  return time === undefined ? "-" : percent(time.busyCycles / simulated.latencyCycles);
}

function share({ simulated: { arrays, latencyCycles } }: Row, array: string, ...causes: readonly StallCause[]): string {
  const cycles = causes.reduce((sum, cause) => sum + (arrays[array]?.stalls[cause] ?? 0), 0);
  return `${((100 * cycles) / latencyCycles).toFixed(2)}%`;
}
