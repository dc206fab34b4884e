import { evaluate } from "../../model/evaluate.js";
import { scheduleOfDesign, simulateDesign } from "../../model/schedule/of-design.js";
import { dependencyCauses, dramCauses, type ScheduleResult, type StallCause } from "../../model/schedule/result.js";
import { type Table, textTable } from "../../report/table.js";
import { lengthLabel, percent } from "../../report/units.js";
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
}

/** `fusemax schedule`: simulates every combination and prints the table, or JSON. */
export function reportSchedules(options: ScheduleOptions): void {
  const rows: Row[] = [];
  for (const name of options.design) {
    for (const ports of options.ports ?? [undefined]) {
      const compiled = designFor(name, options, ports);
      for (const model of options.model) {
        for (const seq of options.seq) {
          const sizes = sizesFor(model, seq, options);
          const { machine, frequencyHz } = scheduleOfDesign(compiled, sizes);
          const { latencySeconds, utilization } = evaluate(compiled, sizes);
          rows.push({
            design: compiled.design.label,
            model: sizes.model,
            seq,
            ports: Number.isFinite(machine.readPorts) ? machine.readPorts : unlimited,
            published: {
              cycles: Math.round(latencySeconds * frequencyHz),
              util2d: utilization["2d"] ?? 0,
              util1d: utilization["1d"] ?? 0,
            },
            simulated: simulateDesign(compiled, sizes, { memory: options.memory }),
          });
        }
      }
    }
  }
  process.stdout.write(options.json === true ? json(rows, options) : text(rows, options));
}

function json(rows: readonly Row[], { memory }: ScheduleOptions): string {
  const results = rows.map(({ simulated, ...row }) => {
    const { schedule, ...result } = simulated;
    return { ...row, simulated: { schedule: schedule.name, lags: schedule.lags, ...result } };
  });
  return `${JSON.stringify({ schema: "fusemax.schedule/1", memory, results }, null, 2)}\n`;
}

function text(rows: readonly Row[], { memory }: ScheduleOptions): string {
  const machine = memory === "ideal" ? "operands always there" : "operands from DRAM";
  const heading = `Simulated cycle by cycle, ${machine}, beside the published evaluation. Shares are of the 2D array's cycles.`;
  return `${heading}\n\n${textTable(table(rows))}\n`;
}

function table(rows: readonly Row[]): Table {
  const columns = [
    "design",
    "model",
    "seq",
    "ports",
    "schedule",
    "published cycles",
    "simulated",
    "ratio",
    "2D published",
    "simulated",
    "1D simulated",
    "epoch",
    "fill+drain",
    "idle",
    "waits",
    "DRAM",
    "port",
    "PE regs",
    "1D regs",
  ];
  return { columns, rows: rows.map(cells) };
}

function cells({ design, model, seq, ports, published, simulated }: Row): readonly (string | number)[] {
  const { arrays, latencyCycles, epoch, registers, schedule } = simulated;
  const share = (...causes: readonly StallCause[]): string =>
    percent(causes.reduce((sum, cause) => sum + arrays["2d"].stalls[cause], 0) / latencyCycles);
  const lags = Object.entries(schedule.lags).filter(([, lag]) => lag > 0);
  return [
    design,
    model,
    lengthLabel(seq),
    ports,
    `${schedule.name}${lags.length === 0 ? "" : ` ${lags.map(([letter, lag]) => `${letter}=${lag}`).join(" ")}`}`,
    published.cycles,
    latencyCycles,
    (latencyCycles / published.cycles).toFixed(4),
    percent(published.util2d),
    percent(arrays["2d"].busyCycles / latencyCycles),
    percent(arrays["1d"].busyCycles / latencyCycles),
    epoch === null ? "-" : (epoch.cycles / epoch.tiles).toFixed(2),
    share("fill", "drain"),
    share("idle"),
    share(...dependencyCauses),
    share(...dramCauses),
    share("port"),
    registers.pe,
    registers.lane,
  ];
}
