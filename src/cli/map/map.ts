import { dirname, relative, resolve } from "node:path";
import { Document, isCollection, isMap, isPair, visit } from "yaml";
import { FusemaxError, UsageError } from "../../errors.js";
import { writeFolder } from "../../io/folder.js";
import { specFiles } from "../../io/spec-files.js";
import { attentionPoints, unmasked } from "../../model/attention-point.js";
import { compileDesign } from "../../model/compile.js";
import { accountingLine } from "../../model/corrections.js";
import { type Evaluation, evaluate } from "../../model/evaluate.js";
import { designOf, type MappingFiles, mappingFiles } from "../../model/mapper/design.js";
import type { Objective } from "../../model/mapper/goal.js";
import { mapperProblem } from "../../model/mapper/problem.js";
import { searchMappings } from "../../model/mapper/search.js";
import { jsonText } from "../../report/finite.js";
import { type MapResult, mapText, searchResult } from "../../report/map-text.js";
import type { Design } from "../../spec/design.js";
import { loadDesign, loadUnmapped, loadWorkload } from "../../spec/load.js";
import { type AccountingOptions, accountingOfCommand, type PhaseOptions, queriesOf } from "../model/options.js";

export interface MapOptions extends AccountingOptions, PhaseOptions {
  readonly design: string;
  readonly model: string;
  readonly seq: number;
  readonly batch?: number;
  readonly layers?: string;
  readonly mask: boolean;
  readonly objective: Objective;
  readonly budget?: number;
  readonly exhaustive?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

const defaultBudget = 200;
/** Partial mappings of one tiling that a limited search goes on with. */
const width = 32;

/** Searches mappings, prints what was found and how far it was searched, and writes the best as files. */
export async function runMap(options: MapOptions): Promise<void> {
  const { objective, exhaustive, budget, seq, out } = options;
  if (exhaustive === true && budget !== undefined) {
    throw new UsageError({ where: "--budget", got: "--exhaustive beside it", expected: "one of the two" });
  }
  const design = loadUnmapped(specFiles, options.design, "--design");
  const { name: technology, lacks } = design.technology.data;
  if (lacks.length > 0) {
    const got = `${options.design}, whose technology ${technology} has no ${lacks.join(", ")}`;
    throw new UsageError({ where: "--design", got, expected: "a technology with energies, which a search weighs too" });
  }
  const found = loadWorkload(specFiles, options.model, "--model");
  const workload = options.mask ? found : unmasked(found);
  const { accounting, byDefault } = accountingOfCommand(options, [design], 0);
  const { batch = workload.batch } = options;
  const points = attentionPoints(workload, { ...queriesOf(options), seq, batch });
  const point = points.length === 1 ? points[0] : points.find(({ kind }) => kind.name === options.layers);
  if (point === undefined) {
    const expected = `--layers with one of ${points.map(({ kind }) => kind.name).join(", ")}`;
    throw new UsageError({ where: "--layers", got: options.layers ?? "none", expected });
  }
  const problem = mapperProblem(design, point, accounting);
  const limits =
    exhaustive === true
      ? { objective, budget: undefined, width: undefined }
      : { objective, budget: budget ?? defaultBudget, width };
  const { found: mappings, report } = searchMappings(problem, limits);
  if (mappings.length === 0) {
    const got = `no mapping in ${report.tilings.visited} of ${report.tilings.all} tilings`;
    const expected = limits.budget === undefined ? "a machine whose buffer has room for some tile" : "a larger budget";
    throw new UsageError({ where: limits.budget === undefined ? "--design" : "--budget", got, expected });
  }
  const source = `fusemax map --design ${options.design} --model ${options.model} --seq ${seq} --objective ${objective}`;
  const name = `${design.name}-mapped`;
  const evaluated = mappings.map(({ what }) => {
    const files = mappingFiles(problem, what, name, source);
    const compiled = compileDesign(designOf(problem, files), { corrections: accounting.corrections });
    return { files, evaluation: evaluate(compiled, point.sizes, accounting, [], point.mask) };
  });
  const result: MapResult = {
    design: design.name,
    cascade: problem.cascade.name,
    model: workload.name,
    batch,
    seq,
    objective,
    own: ownCosts(() => {
      const whole = loadDesign(specFiles, options.design, "--design");
      const compiled = compileDesign(whole, { corrections: accounting.corrections });
      return evaluate(compiled, point.sizes, accounting, [], point.mask);
    }),
    found: evaluated.map(({ evaluation, files }) => ({ ...costs(evaluation), ...files })),
    search: searchResult(report),
  };
  if (out !== undefined)
    await writeFolder(
      out,
      filesOf(
        design,
        evaluated.map(({ files }) => files),
        name,
        source,
        out,
      ),
    );
  const { name: accountingName, corrections } = accounting;
  process.stdout.write(
    options.json === true
      ? jsonText({ schema: "fusemax.map/1", accounting: accountingName, corrections, ...result })
      : mapText(result, accountingLine(accounting, byDefault), out),
  );
}

const costs = ({ latencySeconds, energyPj, trafficBytes, cycles, bound }: Evaluation) => ({
  cycles,
  latencySeconds,
  energyPj,
  trafficBytes,
  bound,
});

/** What the design's own mapping takes; null where it cannot run this. */
function ownCosts(run: () => Evaluation): MapResult["own"] {
  try {
    return costs(run());
  } catch (error) {
    if (error instanceof FusemaxError) return null;
    throw error;
  }
}

/** The files of each mapping: numbered where there are several. */
function filesOf(
  design: Design,
  all: readonly MappingFiles[],
  name: string,
  source: string,
  out: string,
): ReadonlyMap<string, string> {
  const { spec } = design;
  // Names of the package's own specs stay; files are sought from the new place.
  const from = (text: string, isFile: RegExp): string =>
    isFile.test(text) ? relative(resolve(out), resolve(dirname(spec.file), text)) : text;
  return new Map(
    all.flatMap(({ mapping, binding }, i) => {
      const number = all.length === 1 ? "" : `-${i + 1}`;
      const file = {
        name: `${name}${number}`,
        label: `${design.label}, mapped`,
        source,
        cascade: from(spec.data.cascade ?? "", /\.(cascade|txt)$/i),
        architecture: from(spec.data.architecture, /\.ya?ml$/i),
        mapping: `./mapping${number}.yaml`,
        binding: `./binding${number}.yaml`,
      };
      return [
        [`design${number}.yaml`, inYaml(file)],
        [`mapping${number}.yaml`, inYaml(mapping)],
        [`binding${number}.yaml`, inYaml(binding)],
      ] as const;
    }),
  );
}

/** Lists of names, and maps of such lists, on one line each. */
function inYaml(data: unknown): string {
  const document = new Document(data);
  visit(document, {
    Collection: (_, node) => {
      const inner = node.items.map(item => (isPair(item) ? item.value : item));
      const isFlat = inner.every(value => !isCollection(value) || (!isMap(value) && !value.items.some(isCollection)));
      if (isFlat && !(isMap(node) && inner.length > 4 && inner.every(value => !isCollection(value)))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 120 });
}
