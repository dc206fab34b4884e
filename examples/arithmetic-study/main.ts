import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { textTable, UsageError } from "fusemax";
import { csvText, writeAtomically } from "fusemax/node";
import { note, parseOptions, runProgram } from "../command-line.js";
import { projectRoot } from "../sentence-encoder/text.js";
import { exponentialPart } from "./exponential-part.js";
import { withTable } from "./page.js";
import { paretoPart } from "./pareto-part.js";
import { fullPlan, type Part, type Plan, quickPlan } from "./part.js";
import { rescalesPart } from "./rescales-part.js";
import { sinkPart } from "./sink-part.js";
import { smoothingPart } from "./smoothing-part.js";
import { splitsPart } from "./splits-part.js";
import { sumsPart } from "./sums-part.js";
import { thresholdPart } from "./threshold-part.js";

const usage = `Measures what the choices of an arithmetic cost: the numbers, figures and tables of docs/arithmetic-study.md.

  npm run study:arithmetic -- [options]
    --quick             a smaller study; written to .cache/arithmetic-study, and the page stays as it is
    --only PART,…       some of: threshold, sink, exponential, sums, smoothing, rescales, splits, pareto
`;

const parts: Readonly<Record<string, (plan: Plan) => Part | Promise<Part>>> = {
  threshold: thresholdPart,
  sink: sinkPart,
  exponential: exponentialPart,
  sums: sumsPart,
  smoothing: smoothingPart,
  rescales: rescalesPart,
  splits: splitsPart,
  pareto: paretoPart,
};

interface Options {
  readonly quick: boolean;
  readonly only: readonly string[];
}

async function main({ quick, only }: Options): Promise<void> {
  const root = projectRoot();
  const folder = join(root, quick ? ".cache/arithmetic-study" : "docs/arithmetic-study");
  await mkdir(folder, { recursive: true });
  const bytes = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];
  for (const [name, compute] of Object.entries(parts)) {
    if (!only.includes(name)) continue;
    const start = performance.now();
    const { numbers, shown, figures } = await compute(quick ? quickPlan : fullPlan);
    await writeAtomically(join(folder, `${name}.csv`), bytes(csvText(numbers)));
    for (const [ending, svg] of Object.entries(figures)) {
      await writeAtomically(join(folder, `${name}-${ending}.svg`), bytes(svg));
    }
    const page = join(root, "docs/arithmetic-study.md");
    if (!quick) await writeAtomically(page, bytes(withTable(await readFile(page, "utf8"), name, shown)));
    process.stdout.write(`${name}\n\n${textTable(shown)}\n\n`);
    note(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  note(`figures and numbers in ${folder}`);
}

function readOptions(): Options | null {
  const values = parseOptions({
    quick: { type: "boolean" },
    only: { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return null;
  const only = values.only?.split(",") ?? Object.keys(parts);
  for (const name of only) {
    if (Object.hasOwn(parts, name)) continue;
    throw new UsageError({ where: "--only", got: name, expected: `some of ${Object.keys(parts).join(", ")}` });
  }
  return { quick: values.quick === true, only };
}

await runProgram("study:arithmetic", usage, readOptions, main);
