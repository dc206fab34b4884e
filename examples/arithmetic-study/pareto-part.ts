import { chart } from "fusemax";
import { costIn } from "./cost.js";
import { attend, type Head } from "./head.js";
import { encoderHead, normalHead, outlierHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, shown } from "./part.js";

/** Named files by families, in the order of the legend. */
const families: readonly (readonly [family: string, names: readonly string[]])[] = [
  ["number formats", ["fp32", "fp16", "bf16", "fp16-strict", "bf16-strict"]],
  ["FlashAttention-3 and -4", ["fa3-bf16", "fa4-bf16", "fa3-fp8", "fa4-fp8"]],
  ["tensor cores", ["ampere-bf16", "hopper-bf16", "blackwell-bf16", "hopper-fp8", "blackwell-fp8"]],
  ["int8 scores", ["int8-qk"]],
  ["scales of blocks", ["mxfp8", "mxfp6", "mxfp4", "nvfp4"]],
];
/** Where several lie on one another the name of one stands for them. */
const named: Readonly<Record<string, string>> = {
  ...{
    fp16: "fp16",
    bf16: "bf16 and its kernels",
    "bf16-strict": "bf16-strict",
    "int8-qk": "int8-qk",
  },
  ...{ mxfp8: "fp8, mxfp8", mxfp6: "mxfp6", nvfp4: "nvfp4, mxfp4" },
};

export interface ParetoFinding {
  readonly input: string;
  readonly family: string;
  readonly name: string;
  /** The mean of K's and V's elements, scales included. */
  readonly bits: number;
  readonly megacycles: number;
  readonly dramBytes: number;
  readonly energyPj: number | undefined;
  readonly error: number;
}

export async function paretoHeads({ rows, keys }: Plan): Promise<readonly Head[]> {
  const size = { queries: rows, keys };
  return [normalHead(size), outlierHead(size, 8), await encoderHead(1, 0, size)];
}

export function paretoFindings(heads: readonly Head[]): Promise<readonly ParetoFinding[]> {
  const cases = families.flatMap(([family, names]) =>
    names.flatMap(name => {
      const arithmetic = load(name);
      const { elementBits, cycles, trafficBytes, energyPj } = costIn(arithmetic);
      const bits = ((elementBits?.k ?? Number.NaN) + (elementBits?.v ?? Number.NaN)) / 2;
      const cost = { bits, megacycles: cycles / 1e6, dramBytes: trafficBytes, energyPj };
      return heads.map(head => ({ head, arithmetic, found: { input: head.name, family, name, ...cost } }));
    }),
  );
  return each(cases, async ({ head, arithmetic, found }) => ({
    ...found,
    error: (await attend(arithmetic, head, { m0 })).onInputs,
  }));
}

export async function paretoPart(plan: Plan): Promise<Part> {
  const heads = await paretoHeads(plan);
  const findings = await paretoFindings(heads);
  const inputs = heads.map(({ name }) => name);
  return {
    numbers: {
      columns: ["input", "family", "name", "bits", "megacycles", "dramBytes", "energyPj", "error"],
      rows: findings.map(f => [
        ...[f.input, f.family, f.name, f.bits, f.megacycles, f.dramBytes, f.energyPj ?? "", f.error],
      ]),
    },
    shown: {
      columns: ["arithmetic", "bits of K and V", "M cycles", "DRAM, GB", "energy, kJ", ...inputs],
      rows: [...new Set(findings.map(f => f.name))].map(name => {
        const of = findings.filter(f => f.name === name);
        const [first] = of;
        return [
          ...[
            name,
            (first?.bits ?? Number.NaN).toPrecision(4),
            Math.round(first?.megacycles ?? 0).toLocaleString("en-US"),
          ],
          ...[
            ((first?.dramBytes ?? 0) / 1e9).toFixed(1),
            first?.energyPj === undefined ? "not known" : (first.energyPj / 1e15).toFixed(2),
          ],
          ...inputs.map(input => shown(of.find(f => f.input === input)?.error ?? Number.NaN)),
        ];
      }),
    },
    figures: {
      error: chart({
        title: "Error against bits",
        note: "Bits of an element of K and V, scales included; rms error against float64 on the inputs as given. Lower left is better; fp32, at 32 bits and 3e-7, is left out.",
        series: families.map(([family]) => family),
        y: { label: "relative rms error", scale: "log", min: 1e-5, max: 1 },
        width: 1240,
        plotHeight: 300,
        panels: inputs.map(input => ({
          kind: "points" as const,
          title: input,
          x: { label: "bits of an element of K and V", ticks: [4, 6, 8, 12, 16], min: 3, max: 20 },
          lines: families.map(([family], series) => ({
            series,
            joined: false,
            points: findings
              .filter(f => f.input === input && f.family === family && f.name !== "fp32")
              .map(f => {
                const label = named[f.name];
                return { x: f.bits, y: f.error, title: f.name, ...(label === undefined ? {} : { label }) };
              }),
          })),
        })),
      }),
    },
  };
}
