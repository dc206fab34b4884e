import type { CaseWithInputs, Difference, EqualCase, EqualReport } from "../einsum/equal.js";
import type { DenseTensor } from "../einsum/tensor-store.js";
import { howMany } from "../errors.js";

/** A value of a cascade as JSON can hold it: what is no finite number (a cascade may well compute that) is a word. */
const jsonValue = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

/** What `fusemax equal --json` prints. Values that are no finite numbers are words: "NaN", "Infinity". */
export function equalJson(report: EqualReport) {
  const brief = (found: CaseWithInputs | null) =>
    found === null
      ? null
      : { input: found.name, ...differenceJson(found.difference), inputs: smallInputs(found), notes: found.notes };
  return {
    schema: "fusemax.equal/1" as const,
    cascades: report.names,
    equal: report.equal,
    tolerance: report.tolerance,
    outputs: report.outputs,
    notCompared: report.notCompared.map(([cascade, output]) => ({ cascade, output })),
    shapes: report.shapes.map(shape => Object.fromEntries(shape)),
    inputs: report.cases.map(({ name, equal, tells, difference }) => ({
      name,
      equal,
      tells,
      relative: difference === null ? null : jsonValue(difference.relative),
    })),
    largestDifference: brief(report.largest),
    firstDiffering: brief(report.firstDiffering),
  };
}

const differenceJson = (difference: Difference | null) =>
  difference === null
    ? {}
    : { ...difference, values: difference.values.map(jsonValue), relative: jsonValue(difference.relative) };

/** The comparison for people. */
export function equalText(report: EqualReport): string {
  const [a, b] = report.names;
  const { cases, firstDiffering, largest, outputs } = report;
  const sizes = [...new Map(report.shapes.flatMap(shape => [...shape]))].map(([rank, size]) => `${rank}=${size}`);
  const compared = outputs.map(([x, y]) => (x === y ? x : `${x} with ${y}`)).join(", ");
  const notes = new Map<string, string[]>();
  for (const { name, notes: own } of cases) for (const n of own) notes.set(n, [...(notes.get(n) ?? []), name]);
  const lines = [`${a} and ${b} on ${howMany(cases.length, "input")}, ${sizes.join(" ")}; compared: ${compared}`];
  if (!cases.some(({ tells }) => tells)) {
    lines.push("nothing was compared: neither gives anything finite on any input");
  } else if (firstDiffering === null) {
    lines.push(`equal to within ${report.tolerance} of the largest value`);
    lines.push(`largest difference: ${differenceText(largest)}`);
  } else {
    const differing = cases.filter(c => !c.equal);
    lines.push(`they differ on ${differing.length}: ${differing.map(c => `"${c.name}"`).join(", ")}`);
    lines.push(`first on ${differenceText(firstDiffering)}`);
    for (const [name, values] of Object.entries(smallInputs(firstDiffering))) lines.push(`  ${name} = ${values}`);
    const equal = cases.filter(c => c.equal && c.difference !== null);
    const most = equal.reduce<EqualCase | null>(
      (m, c) => (m === null || (c.difference?.relative ?? 0) > (m.difference?.relative ?? 0) ? c : m),
      null,
    );
    if (most !== null) lines.push(`largest difference on the other ${equal.length}: ${differenceText(most)}`);
  }
  for (const [cascade, output] of report.notCompared)
    lines.push(`note: ${output} of ${cascade} is not compared: the other has no such output`);
  for (const [note, inputs] of notes)
    lines.push(`note: ${note} (${howMany(inputs.length, "input")}, first "${inputs[0]}")`);
  return `${lines.join("\n")}\n`;
}

function differenceText(found: EqualCase | null): string {
  if (found === null) return "none";
  const { difference } = found;
  if (difference === null) return `"${found.name}": ${found.notes.join("; ")}`;
  const [x, y] = difference.values;
  return `"${found.name}", ${place(difference)}: ${x} and ${y}, ${difference.relative.toPrecision(3)} of the largest value`;
}

function place({ tensor, coordinates }: Difference): string {
  return coordinates.length === 0 ? tensor : `${tensor}[${coordinates.join(",")}]`;
}

/** Inputs that fit a line. */
function smallInputs({ inputs }: CaseWithInputs): Record<string, string> {
  const most = 64;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { data }]: [string, DenseTensor]) => {
      const shown = Array.from({ length: Math.min(most, data.length) }, (_, i) =>
        String(Number((data[i] as number).toPrecision(6))),
      );
      return [name, `[${shown.join(", ")}${data.length > most ? ", ..." : ""}]`];
    }),
  );
}
