import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { textTable, UsageError } from "fusemax";
import { csvText, writeAtomically } from "fusemax/node";
import type { EngineChoice } from "#fusemax/platform/choose-engine";
import { note, parseEngine, parseOptions, runProgram } from "../command-line.js";
import { type Engines, openEngines } from "../sentence-encoder/engines.js";
import { projectRoot } from "../sentence-encoder/text.js";
import { denominatorPart } from "./denominator-part.js";
import { errorPart } from "./error-part.js";
import type { Part } from "./part.js";
import { fullPlan, type Plan, quickPlan } from "./plan.js";
import { rangePart } from "./range-part.js";
import { stepsPart } from "./steps-part.js";
import { tilePart } from "./tile-part.js";

const usage = `Measures the error of the emulated array against float64: the numbers of docs/numerics-study.md.

  npm run study:numerics -- [options]
    --quick             a smaller study, under a minute; written to .cache/numerics-study unless --out says otherwise
    --only PART,…       some of: error, tile, steps, denominator, range
    --out FOLDER        where the CSV and SVG files go (default docs/figures)
    --engine NAME       auto, webgpu, wasm or cpu (default auto: a GPU, else the processor)
`;

const parts: Readonly<Record<string, (plan: Plan, engines: Engines) => Promise<Part>>> = {
  denominator: plan => denominatorPart(plan, note),
  steps: plan => stepsPart(plan, note),
  tile: (plan, engines) => tilePart(plan, engines, note),
  range: (plan, engines) => rangePart(plan, engines, note),
  error: (plan, engines) => errorPart(plan, engines, note),
};

interface Options {
  readonly plan: Plan;
  readonly only: readonly string[];
  readonly out: string;
  readonly engine: EngineChoice;
}

async function main({ plan, only, out, engine }: Options): Promise<void> {
  await mkdir(out, { recursive: true });
  const engines = openEngines(engine, note);
  const text = (content: string): Uint8Array[] => [new TextEncoder().encode(content)];
  try {
    for (const [name, compute] of Object.entries(parts)) {
      if (!only.includes(name)) continue;
      const start = performance.now();
      const part = await compute(plan, engines);
      await writeAtomically(join(out, `numerics-${name}.csv`), text(csvText(part.numbers)));
      for (const [ending, svg] of Object.entries(part.figures)) {
        await writeAtomically(join(out, `numerics-${name}-${ending}.svg`), text(svg));
      }
      for (const { heading, table } of part.printed) process.stdout.write(`${heading}\n\n${textTable(table)}\n\n`);
      note(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
    }
  } finally {
    await engines.close();
  }
  note(`figures and numbers in ${out}`);
}

function readOptions(): Options | null {
  const values = parseOptions({
    quick: { type: "boolean" },
    only: { type: "string" },
    out: { type: "string" },
    engine: { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return null;
  const engine = parseEngine(values.engine);
  const only = values.only?.split(",") ?? Object.keys(parts);
  for (const name of only) {
    if (!Object.hasOwn(parts, name)) {
      throw new UsageError({ where: "--only", got: name, expected: `some of ${Object.keys(parts).join(", ")}` });
    }
  }
  const folder = values.quick ? ".cache/numerics-study" : "docs/figures";
  return {
    plan: values.quick ? quickPlan : fullPlan,
    only,
    out: values.out ?? join(projectRoot(), folder),
    engine,
  };
}

await runProgram("study:numerics", usage, readOptions, main);
