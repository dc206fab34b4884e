import { chart, formatNames, formats } from "fusemax";
import type { FormatName } from "#fusemax/numerics/format";
import { lengthLabel } from "#fusemax/report/units";
import type { Engines } from "../sentence-encoder/engines.js";
import { lengthAxis, usable } from "./error-part.js";
import { type Part, shown } from "./part.js";
import type { Plan } from "./plan.js";
import type { Emulated } from "./subject.js";
import { randomSubject } from "./subjects.js";

interface Finding {
  readonly keys: number;
  readonly format: FormatName;
  readonly m0: number;
  readonly emulated: Emulated;
}

/** What M0 changes: random inputs of spread 1, full attention. */
export async function tilePart({ tile }: Plan, engines: Engines, note: (line: string) => void): Promise<Part> {
  const findings: Finding[] = [];
  for (const { keys, rows } of tile.lengths) {
    const subject = randomSubject(keys, 1, "full", rows);
    for (const format of formatNames) {
      note(`M0: ${format}, ${lengthLabel(keys)}`);
      const { engine } = await engines.of(format);
      for (const m0 of tile.m0) {
        findings.push({ keys, format, m0, emulated: await subject.emulate(engine, formats[format], m0) });
      }
    }
  }
  const at = (keys: number, format: FormatName): readonly Finding[] =>
    findings.filter(f => f.keys === keys && f.format === format);
  return {
    name: "tile",
    numbers: {
      columns: ["keys", "format", "m0", "rms", "largest", "gain", "overflow_rows"],
      rows: findings.map(({ keys, format, m0, emulated: { onOperands, overflowRows } }) => [
        ...[keys, format, m0, onOperands.rms, onOperands.largest, onOperands.gain, overflowRows],
      ]),
    },
    printed: tile.lengths.map(({ keys }) => ({
      heading: `M0 at ${lengthLabel(keys)} keys, spread 1: relative rms error`,
      table: {
        columns: ["format", ...tile.m0.map(String)],
        rows: formatNames.map(format => [format, ...at(keys, format).map(f => shown(f.emulated.onOperands.rms))]),
      },
    })),
    figures: {
      rms: chart({
        title: "Error over M0, the keys of a tile",
        note: `Random inputs, spread 1, full attention. Dashed: ${usable}.`,
        series: formatNames,
        y: { label: "relative rms error", scale: "log" },
        rule: usable,
        width: 900,
        panels: tile.lengths.map(({ keys }) => ({
          kind: "points",
          title: `${lengthLabel(keys)} keys`,
          x: { ...lengthAxis(tile.m0, "M0"), format: String },
          lines: formatNames.map((format, series) => ({
            series,
            joined: true,
            points: at(keys, format).map(f => ({ x: f.m0, y: f.emulated.onOperands.rms })),
          })),
        })),
      }),
    },
  };
}
