import { howMany, UsageError } from "../../errors.js";
import { csvText } from "../../io/csv.js";
import { specFiles } from "../../io/spec-files.js";
import { accessTable } from "../../model/access-table.js";
import { compileDesign } from "../../model/compile.js";
import { accountingLine } from "../../model/corrections.js";
import { evaluate, mapDesign } from "../../model/evaluate.js";
import { paperDesigns } from "../../model/evaluation.js";
import type { Patch } from "../../model/patch.js";
import { sizesOf } from "../../model/sizes.js";
import { costsTable, costsText, type DesignCosts } from "../../report/access-tables.js";
import { jsonText } from "../../report/finite.js";
import { lengthLabel } from "../../report/units.js";
import { loadWorkload } from "../../spec/load.js";
import { type ArithmeticOptions, namedArithmetic } from "../arithmetic.js";
import { conflict } from "../conflict.js";
import { parseWords } from "../values.js";
import { designsWith } from "./designs.js";
import { type AccountingOptions, accountingOfCommand } from "./options.js";

export interface TablesOptions extends AccountingOptions, ArithmeticOptions {
  readonly design?: readonly string[];
  readonly model: string;
  readonly seq: number;
  readonly set?: readonly Patch[];
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Prints what an access and an operation cost, and how large each component is. */
export function runTables(options: TablesOptions): void {
  if (options.json === true && options.csv === true) {
    throw conflict("--csv", "--json");
  }
  const workload = loadWorkload(specFiles, options.model, "--model");
  const settings = options.set ?? [];
  const { designs, patches } = designsWith(
    parseWords("--design", options.design ?? paperDesigns),
    settings,
    namedArithmetic(options),
  );
  const { accounting, byDefault } = accountingOfCommand(options, designs, settings.length);
  const sizes = sizesOf(workload, options.seq);
  const found = designs.map((design): DesignCosts => {
    const compiled = compileDesign(design, { corrections: accounting.corrections, patches });
    const { values } = mapDesign(compiled, sizes, accounting);
    const { areaUm2, componentAreaUm2, missing, lacking } = evaluate(compiled, sizes, accounting);
    const { technology, architecture } = compiled;
    if (missing.length > 0) {
      throw new UsageError({
        where: `--design ${design.name}`,
        got: `words of ${architecture.wordBits} bits and the technology ${technology.name}, which lacks ${lacking.join(", ")}`,
        expected: "a technology with energy and area for them",
        fix: "--set architecture.technology=FILE.yaml names another technology",
      });
    }
    return {
      design: design.name,
      technology: technology.name,
      wordBits: architecture.wordBits,
      areaUm2,
      componentAreaUm2,
      ...accessTable(compiled, values, componentAreaUm2),
    };
  });
  const where = `${accountingLine(accounting, byDefault)}\nSizes that formulas name: ${workload.name}, ${howMany(lengthLabel(options.seq), "token")}`;
  process.stdout.write(
    options.json === true
      ? jsonText({
          schema: "fusemax.tables/1",
          accounting: accounting.name,
          corrections: accounting.corrections,
          results: found,
        })
      : options.csv === true
        ? csvText(costsTable(found))
        : costsText(found, where),
  );
}
