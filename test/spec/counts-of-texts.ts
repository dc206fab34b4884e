import { specFiles } from "../../src/io/spec-files.js";
import { actionTable } from "../../src/model/action-table.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate, mapDesign } from "../../src/model/evaluate.js";
import { sizesOf } from "../../src/model/sizes.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../src/spec/load.js";

const accounting = accountingOf("corrected", undefined);
const sizes = sizesOf(loadWorkload(specFiles, "bert"), 64);

/** The counts of a design that is given by its texts, `design.yaml` among them. */
export function countsOfTexts(texts: ReadonlyMap<string, string>) {
  const source: SpecSource = {
    ...specFiles,
    read: (kind, name, from) => {
      const text = texts.get(name.replace("./", ""));
      return text === undefined ? specFiles.read(kind, name, from) : { file: name, text };
    },
  };
  const compiled = compileDesign(loadDesign(source, "./design.yaml"), { corrections: accounting.corrections });
  const mapped = mapDesign(compiled, sizes, accounting);
  const found = evaluate(compiled, sizes, accounting);
  const { accesses } = actionTable(compiled, found.counts, mapped.values, accounting);
  return {
    cycles: found.cycles,
    accesses: Object.fromEntries(
      accesses.map(({ level, tensor, reads, updates, fills }) => [`${level} ${tensor}`, { reads, updates, fills }]),
    ),
  };
}
