import { setImmediate } from "node:timers/promises";
import { chart, formats, generateNormal } from "fusemax";
import type { FormatName } from "#fusemax/numerics/format";
import { accumulatorRounder } from "#fusemax/numerics/rounding";
import { lengthLabel } from "#fusemax/report/units";
import { type DenominatorTrace, exactDenominators, RunningDenominator, traceDenominator } from "./denominator.js";
import { lengthAxis } from "./error-part.js";
import { type Part, share } from "./part.js";
import type { Plan } from "./plan.js";

const K = 1024;
/** As with E = 64: raw scores are 8 times the scaled ones. */
const scale = 1 / 8;
const formatsTried = ["bf16-strict", "fp16-strict", "bf16"] as const;
/** Standard deviations of the scaled scores; 0: all scores equal. */
const spreads = [0, 0.25, 1, 4] as const;

interface Finding {
  readonly format: FormatName;
  readonly spread: number;
  /** Keys of a tile; null: the whole row in one sum, as in 3-pass attention. */
  readonly m0: number | null;
  /** One for each sampled row. */
  readonly traces: readonly DenominatorTrace[];
}

/** The running denominator RD alone, up to a million keys. */
export async function denominatorPart({ denominator }: Plan, note: (line: string) => void): Promise<Part> {
  const { keys, rows, m0: tiles } = denominator;
  // Every quarter of an octave from 1K on, in whole Ks: the ends of tiles of every M0.
  const at = [...new Set(Array.from({ length: 4 * Math.log2(keys / K) + 1 }, (_, i) => K * Math.round(2 ** (i / 4))))];
  const findings: Finding[] = [];
  for (const spread of spreads) {
    for (const format of formatsTried) {
      note(`denominator: ${format}, ${labelOf(spread)}`);
      // Equal scores are the same in every row.
      const scores = Array.from({ length: spread === 0 ? 1 : rows }, (_, row) => scoresOf(row, spread, keys, format));
      const exact = scores.map(row => exactDenominators(row, scale, at));
      for (const m0 of [...tiles, null]) {
        await setImmediate(); // so that Ctrl-C is heard
        const traces = scores.map((row, i) => {
          const sums = exact[i] ?? new Map();
          const setting = { format: formats[format], scale };
          return m0 === null ? inOneSum(row, sums, setting) : traceDenominator(row, sums, { ...setting, m0 });
        });
        findings.push({ format, spread, m0, traces });
      }
    }
  }
  return {
    name: "denominator",
    numbers: {
      columns: ["format", "spread", "m0", "row", "keys", "ratio", "still", "overflowed_at"],
      rows: findings.flatMap(({ format, spread, m0, traces }) =>
        traces.flatMap(({ points, still, overflowedAt }, row) =>
          points.map(({ keys, ratio }) => [
            ...[format, spread, m0 ?? "one sum", row, keys, ratio, still, overflowedAt ?? ""],
          ]),
        ),
      ),
    },
    printed: formatsTried.map(format => ({
      heading: `${format}: RD over the exact denominator, mean of the rows; still: tiles of the second half that left RD as it was`,
      table: {
        columns: ["scores", "M0", "at 64K", `at ${lengthLabel(keys)}`, "10% off from", "still", "overflows at"],
        rows: findings
          .filter(f => f.format === format)
          .map(({ spread, m0, traces }) => [
            ...[labelOf(spread), m0 ?? "one sum", share(meanRatio(traces, 2 ** 16)), share(meanRatio(traces, keys))],
            ...[tenthOff(traces, at), stillShare(traces), span(traces.map(t => t.overflowedAt))],
          ]),
      },
    })),
    figures: {
      ratio: ratioFigure(
        findings,
        [...tiles, null],
        at.filter(n => Number.isInteger(Math.log2(n))),
      ),
    },
  };
}

const labelOf = (spread: number): string => (spread === 0 ? "equal" : `spread ${spread}`);

/** The raw scores of one row: normal, with the spread after scaling, rounded to the accumulator. */
function scoresOf(row: number, spread: number, keys: number, format: FormatName): Float32Array {
  const round = accumulatorRounder(formats[format].accumulator);
  if (spread === 0) return new Float32Array(keys);
  return generateNormal(0, "k", keys, spread / scale, row * keys).map(round);
}

/** The denominator of 3-pass attention: all keys of a length in one ascending sum, against the largest score of all. */
function inOneSum(
  scores: Float32Array,
  exact: ReadonlyMap<number, number>,
  { format, scale }: { readonly format: (typeof formats)[FormatName]; readonly scale: number },
): DenominatorTrace {
  const points = [...exact].map(([keys, shouldBe]) => {
    const denominator = new RunningDenominator(format, scale);
    denominator.pass(scores, 0, keys);
    return { keys, ratio: denominator.rd / shouldBe };
  });
  const overflowedAt = points.find(({ ratio }) => !Number.isFinite(ratio))?.keys ?? null;
  return { points: points.filter(({ ratio }) => Number.isFinite(ratio)), still: Number.NaN, overflowedAt };
}

function meanRatio(traces: readonly DenominatorTrace[], keys: number): number {
  const ratios = traces.map(({ points }) => points.find(p => p.keys === keys)?.ratio ?? Number.NaN);
  return ratios.reduce((a, b) => a + b, 0) / ratios.length;
}

/** The first of the lengths at which RD is more than a tenth off. */
function tenthOff(traces: readonly DenominatorTrace[], at: readonly number[]): string {
  const keys = at.find(n => Math.abs(meanRatio(traces, n) - 1) > 0.1);
  return keys === undefined ? "-" : lengthLabel(keys);
}

function stillShare(traces: readonly DenominatorTrace[]): string {
  const mean = traces.reduce((sum, { still }) => sum + still, 0) / traces.length;
  return Number.isNaN(mean) ? "-" : `${(100 * mean).toFixed(0)}%`;
}

/** The smallest and largest of the numbers there are, in K. */
function span(values: readonly (number | null)[]): string {
  const known = values.filter(v => v !== null);
  if (known.length === 0) return "-";
  const text = (v: number): string => (v < K ? String(v) : `${Math.round(v / K)}K`);
  const [low, high] = [text(Math.min(...known)), text(Math.max(...known))];
  const some = known.length < values.length ? ` (${known.length} of ${values.length} rows)` : "";
  return `${low === high ? low : `${low}-${high}`}${some}`;
}

function ratioFigure(
  findings: readonly Finding[],
  tiles: readonly (number | null)[],
  lengths: readonly number[],
): string {
  const panels = (["bf16-strict", "fp16-strict"] as const).flatMap(format =>
    [0, 1].map(spread => ({ format, spread })),
  );
  return chart({
    title: "The running denominator alone",
    note: "RD over the exact denominator, mean of the rows; a line ends where RD overflows.",
    series: tiles.map(m0 => (m0 === null ? "one sum (3-pass)" : `M0 = ${m0}`)),
    y: { label: "RD / exact", scale: "linear", min: 0, max: 1.2 },
    rule: 1,
    width: 1240,
    panels: panels.map(({ format, spread }) => ({
      kind: "points",
      title: `${format}, ${spread === 0 ? "equal scores" : labelOf(spread)}`,
      x: lengthAxis(lengths.filter((_, i) => i % 2 === 0)),
      lines: tiles.flatMap((m0, series) => {
        const found = findings.find(f => f.format === format && f.spread === spread && f.m0 === m0);
        const points = lengths.map(x => ({ x, y: meanRatio(found?.traces ?? [], x) }));
        return [{ series, joined: true, points: points.filter(p => Number.isFinite(p.y)) }];
      }),
    })),
  });
}
