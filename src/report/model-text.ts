import { howMany } from "../errors.js";
import type { Workload } from "../spec/workload.js";
import { arrayInWords, arraysOf, short } from "./array-names.js";
import { elementBitsText } from "./element-bits.js";
import type { ModelFailure, ModelResult } from "./model-result.js";
import { textTable } from "./table.js";
import { area, bytes, energy, lengthLabel, percent, ratio, seconds } from "./units.js";

/** Beyond this many results the breakdowns are left to --json and --csv. */
const mostBreakdowns = 10;
/** A correction that moves nothing by more than this is left out of the note. */
const noEffect = 5e-5;

/** A part as a share of a whole; either may be unknown, and the whole nothing. */
const shareOf = (part: number | undefined, whole: number | undefined): string =>
  part === undefined || whole === undefined || whole === 0 ? "-" : percent(part / whole);

/** What is not known is a dash; `notes` says why. */
const known = (write: (value: number) => string, value: number | undefined): string =>
  value === undefined ? "-" : write(value);

/**
 * The results of `fusemax model` for people.
 * @param accounting the first line
 */
export function modelText(
  results: readonly ModelResult[],
  failures: readonly ModelFailure[],
  workloads: readonly Workload[],
  accounting: string,
): string {
  const parts = [accounting];
  for (const [point, of] of groupBy(results, headOf)) {
    const notes = notesOf(of, workloads);
    parts.push(`${point}\n${notes.map(note => `${note}\n`).join("")}\n${textTable(overview(of))}`);
    parts.push(...alone(of), ...estimates(of), ...words(of));
    const largest = new Set(of.map(({ largestArray }) => largestArray));
    const which = largest.size === 1 ? `the ${arrayInWords([...largest].join())}` : "the largest array";
    parts.push(`What ${which}'s PE-cycles are spent on (${useLegend})\n\n${textTable(uses(of))}`);
    if (of.some(({ layer }) => layer !== undefined)) parts.push(`The whole layer\n\n${textTable(layers(of))}`);
    if (results.length > mostBreakdowns) continue;
    if (of.some(result => Object.keys(result.components).length > 0)) {
      parts.push(`Energy by component\n\n${textTable(components(of))}`);
    }
    if (of.some(({ componentAreaUm2 }) => componentAreaUm2 !== undefined)) {
      parts.push(`Area by component\n\n${textTable(areas(of))}`);
    }
    for (const result of of) parts.push(`${result.design}, by Einsum\n\n${textTable(einsums(result))}`);
  }
  if (results.length > mostBreakdowns) parts.push("Energy by component and by Einsum: --json, --csv, or fewer points.");
  for (const { design, model, seq, message } of failures) {
    parts.push(`${design} cannot run ${model} at ${howMany(lengthLabel(seq), "token")}: ${message}`);
  }
  const left = uncorrected(results);
  if (left !== undefined) parts.push(left);
  return `${parts.join("\n\n")}\n`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return groups;
}

function headOf({ model, layers, phase, seq, batch }: ModelResult): string {
  const kind = layers === null ? "" : `, ${howMany(layers, "layer")}`;
  return `${model}${kind}, ${phase === "decode" ? "decode, " : ""}${howMany(lengthLabel(seq), "token")}, batch ${batch}`;
}

/** What a reader must know of a point, a line each. */
function notesOf(results: readonly ModelResult[], workloads: readonly Workload[]): readonly string[] {
  const [result] = results;
  const workload = workloads.find(({ name }) => name === result?.model);
  if (result === undefined || workload === undefined) return [];
  const { queries, keys, headsPerKey: group } = result;
  const counted = (n: number, one: string, many = `${one}s`): string =>
    `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
  const notes: string[] = [];
  if (group > 1 || queries !== keys) {
    const asked = counted(queries, "query", "queries");
    const rows = group === 1 ? asked : `${asked} x ${counted(group, "head")} = ${counted(queries * group, "row")}`;
    notes.push(`For each key head (${workload.kvHeads}): ${rows} against ${counted(keys, "key")}.`);
  }
  if (workload.valuesInKeys)
    notes.push("Each value is the first part of its key: a design that meets both at once reads one.");
  if (
    workload.context !== undefined &&
    Math.max(queries, workload.crossKeys === undefined ? keys : 0) > workload.context
  ) {
    notes.push(`${workload.name} was made for at most ${counted(workload.context, "position")}.`);
  }
  // Designs that have no place for a cap have a line of their own.
  const { softcap, bias } = (results.find(({ scores }) => scores.softcap !== null) ?? result).scores;
  if (softcap !== null) {
    notes.push(
      `Its scores are capped: 8 multiply-adds, 2 additions and a division each, ${divisions[softcap]} (CE, CN, CD, CR, CS by Einsum).`,
    );
  } else if (workload.softcap !== undefined) {
    notes.push(`The soft-cap of its scores is left out.`);
  }
  if (bias !== null) {
    notes.push(`A bias [${bias}] is added to its scores (SB by Einsum), which passes the buffer tile by tile.`);
  } else if (workload.bias !== undefined) {
    notes.push(`It adds ${workload.bias} to its scores, which is left out: --bias H,P,M charges it.`);
  }
  return notes;
}

const divisions = {
  divider: "on the nearest array with dividers",
  "multiply-adds": "done by multiply-adds where scores are made",
} as const;

/** A line for each design that is checked against nothing. */
const alone = (results: readonly ModelResult[]): readonly string[] =>
  results.flatMap(({ design, cascade }) =>
    cascade === null
      ? [
          `${design} names no cascade: what its Einsums read, write and do is what its mapping says, and passes and fusion are not checked.`,
        ]
      : [],
  );

/** A line for each buffer that the technology's table does not have. */
const estimates = (results: readonly ModelResult[]): readonly string[] =>
  results.flatMap(({ design, estimatedBuffers }) =>
    Object.entries(estimatedBuffers).map(
      ([buffer, how]) =>
        `${design}: the energy and area of ${buffer} are ${how === "interpolated" ? "interpolated between" : "extrapolated beyond"} CACTI's sizes.`,
    ),
  );

/** What words are charged, and what is not known or stands for something else; designs of which the same is said are together. */
function words(results: readonly ModelResult[]): readonly string[] {
  const said = results.flatMap(result => wordsOf(result).map(text => ({ text, design: result.design })));
  return [...groupBy(said, ({ text }) => text)].map(
    ([text, of]) => `${[...new Set(of.map(({ design }) => design))].join(", ")}: ${text}.`,
  );
}

function wordsOf({ arithmetic, elementBits, assumed, missing, lacking, wordBits }: ModelResult): readonly string[] {
  const unknown = `energy and area are not known: the technology has no ${lacking.join(", ")}`;
  if (elementBits === null) {
    if (missing.length === 0) return assumed === null ? [] : [assumed];
    if (lacking.every(part => !part.includes("-bit words"))) return [unknown];
    const got = `bytes are those of ${wordBits}-bit words; the technology has energy and area for others`;
    return [`${got}. A file with \`wordBits: ${wordBits}\` gives them (--set architecture.technology=FILE.yaml)`];
  }
  const charged = `${arithmetic} has ${elementBitsText(elementBits)}`;
  if (missing.length === 0) return assumed === null ? [charged] : [charged, assumed];
  const fix = "A file that gives them (`types`, and `bits` in its register files) is read";
  return [charged, `${unknown}. ${fix} with --set architecture.technology=FILE.yaml`];
}

const useLegend =
  "masked: scores in touched tiles that the mask hides; empty columns and rows: no query, key or feature there";

/** The largest array's time, by cause. */
function uses(results: readonly ModelResult[]) {
  const fanouts = [...new Set(results.flatMap(r => Object.keys(r.use[r.largestArray]?.unfilled ?? {})))];
  return {
    columns: ["design", "useful", "masked", ...fanouts.map(name => `empty ${name}s`), "wait for DRAM", "other waits"],
    rows: results.map(r => {
      const use = r.use[r.largestArray];
      if (use === undefined) return [r.design];
      const shares = [use.useful, use.masked, ...fanouts.map(name => use.unfilled[name] ?? 0), use.dram, use.binding];
      return [r.design, ...shares.map(percent)];
    }),
  };
}

function layers(results: readonly ModelResult[]) {
  const arrays = arraysOf(results.map(({ utilization }) => utilization));
  const busy = arrays.map(name => `${short(name)} busy`);
  const columns = ["design", "cycles", "latency", "of it attention", ...busy, "DRAM", "energy"];
  return {
    columns: [...columns, "of it attention", "limited by"],
    rows: results.flatMap(({ design, layer, latencySeconds, energyPj }) =>
      layer === undefined
        ? []
        : [
            [
              design,
              Math.round(layer.cycles).toLocaleString("en-US"),
              seconds(layer.latencySeconds),
              percent(latencySeconds / layer.latencySeconds),
              ...arrays.map(name => known(percent, layer.utilization[name])),
              bytes(layer.trafficBytes),
              known(energy, layer.energyPj),
              shareOf(energyPj, layer.energyPj),
              boundInWords(layer.bound),
            ],
          ],
    ),
  };
}

function overview(results: readonly ModelResult[]) {
  const arrays = arraysOf(results.map(({ utilization }) => utilization));
  const busy = arrays.map(name => `${short(name)} busy`);
  const rows = results.map(r => [
    r.design,
    r.cycles < 1e15 ? Math.round(r.cycles).toLocaleString("en-US") : r.cycles.toExponential(4),
    seconds(r.latencySeconds),
    ...arrays.map(name => known(percent, r.utilization[name])),
    bytes(r.trafficBytes),
    known(energy, r.energyPj),
    known(area, r.areaUm2),
    `${known(ratio, r.operationsPerByte)} of ${r.balanceOperationsPerByte.toFixed(0)}`,
    boundInWords(r.bound),
  ]);
  const costs = ["DRAM", "energy", "area", "ops/byte", "limited by"];
  return { columns: ["design", "cycles", "latency", ...busy, ...costs], rows };
}

function boundInWords(bound: string): string {
  if (bound === "dram") return "DRAM";
  return bound === "binding" ? "binding (no array works all the time)" : arrayInWords(bound);
}

function components(results: readonly ModelResult[]) {
  const names = [...new Set(results.flatMap(r => Object.keys(r.components)))];
  return {
    columns: ["design", ...names],
    rows: results.map(r => [
      r.design,
      ...names.map(name => {
        const own = r.components[name]?.energyPj;
        return own === undefined ? "-" : `${energy(own)} (${shareOf(own, r.energyPj)})`;
      }),
    ]),
  };
}

function areas(results: readonly ModelResult[]) {
  const names = [...new Set(results.flatMap(({ componentAreaUm2 = {} }) => Object.keys(componentAreaUm2)))];
  return {
    columns: ["design", ...names],
    rows: results.map(({ design, componentAreaUm2, areaUm2 }) => [
      design,
      ...names.map(name => {
        const own = componentAreaUm2?.[name];
        return own === undefined ? "-" : `${area(own)} (${shareOf(own, areaUm2)})`;
      }),
    ]),
  };
}

const einsums = ({ einsums: found, energyPj }: ModelResult) => ({
  columns: ["Einsum", "array", "cycles", "busy", "energy", "share"],
  rows: Object.entries(found).map(([name, e]) => [
    name,
    short(e.array),
    e.cycles < 1e15 ? e.cycles.toLocaleString("en-US") : e.cycles.toExponential(4),
    percent(e.util),
    known(energy, e.energyPj),
    shareOf(e.energyPj, energyPj),
  ]),
});

/** What `published` leaves uncorrected, and the largest effect of correcting each alone over the points, design by design. */
function uncorrected(results: readonly ModelResult[]): string | undefined {
  const names = [...new Set(results.flatMap(r => Object.keys(r.uncorrected)))];
  if (names.length === 0) return undefined;
  const designs = groupBy(results, r => r.design);
  const furthest = (of: readonly ModelResult[], name: string, what: "latency" | "energy"): number =>
    of
      .map(r => r.uncorrected[name]?.[what] ?? 1)
      .reduce((a, b) => (Math.abs(Math.log(b)) > Math.abs(Math.log(a)) ? b : a), 1);
  const cell = (value: number): string => (Math.abs(value - 1) < noEffect ? "-" : `x${value.toPrecision(4)}`);
  const rows = names
    .map(name => [
      name,
      ...[...designs.values()].flatMap(of => [cell(furthest(of, name, "latency")), cell(furthest(of, name, "energy"))]),
    ])
    .filter(row => row.slice(1).some(text => text !== "-"));
  const columns = ["correction", ...[...designs.keys()].flatMap(name => [`${name} time`, "energy"])];
  return `Left uncorrected by this accounting (--correct NAME corrects one, --accounting corrected all), and what correcting each alone does${
    results.length > designs.size ? " at most" : ""
  }:\n\n${textTable({ columns, rows })}`;
}
