import { FusemaxError, howMany, UsageError } from "../../errors.js";
import { withFileLock } from "../../io/file-lock.js";
import { checkFolder, writeFolder } from "../../io/folder.js";
import { programIdentity } from "../../io/program-identity.js";
import { specFiles } from "../../io/spec-files.js";
import type { Accounting } from "../../model/accounting.js";
import { compileDesign } from "../../model/compile.js";
import { accountingLine } from "../../model/corrections.js";
import { type Evaluation, evaluate } from "../../model/evaluate.js";
import { designOf, type MappingFiles, mappingFiles } from "../../model/mapper/design.js";
import { isAsGoodAs, type Outcome } from "../../model/mapper/goal.js";
import type { MapperProblem } from "../../model/mapper/problem.js";
import type { SearchLimits, SearchResult } from "../../model/mapper/search.js";
import type { SearchAnswer } from "../../model/mapper/searcher.js";
import { simulateMapping, unknownFanout } from "../../model/mapper/simulated.js";
import { jsonText } from "../../report/finite.js";
import { type MapResult, mapText, searchResult } from "../../report/map-text.js";
import { lengthLabel } from "../../report/units.js";
import type { Design } from "../../spec/design.js";
import { loadDesign, loadUnmapped } from "../../spec/load.js";
import { oneHeadNotes } from "../../spec/one-head.js";
import { conflict } from "../conflict.js";
import { openJournal, type PointStore, sayDropped } from "../journal.js";
import { designsWith } from "../model/designs.js";
import { accountingOfCommand, queriesOf } from "../model/options.js";
import { requireOwnPaths } from "../output-files.js";
import { digest, partsOf } from "../shard/digest.js";
import { filesOf, isOwnFile } from "./files.js";
import type { MapOptions } from "./options.js";
import { type MapNames, type MapRequest, problemOf, readMap } from "./request.js";
import { search } from "./search.js";

const defaultBudget = 200;
/** Partial mappings of one tiling that a limited search goes on with. */
const width = 32;

/** Searches mappings, prints what was found and how far it was searched, and writes the best as files. */
export async function runMap(options: MapOptions): Promise<void> {
  const { objective, seq, out, resume } = options;
  const given = limitsOf(options);
  const { names, design, request } = read(options);
  const { workload, point } = request;
  const { accounting, byDefault } = accountingOfCommand(options, [design], (options.set ?? []).length);
  const problem = problemOf(request, accounting, names);
  const fanout = options.schedulable === true ? unknownFanout(problem.compiled, problem.values) : undefined;
  if (fanout !== undefined) {
    const expected = "a machine whose schedules can be simulated, or no such option";
    throw new UsageError({ where: "--schedulable", got: fanout, expected });
  }
  requireOwnPaths([], { "--resume": resume });
  if (out !== undefined) await checkFolder(out, isOwnFile, resume);
  const compileOptions = { corrections: accounting.corrections, patches: names.patches };
  const own = ownMapping(() => {
    const whole = loadDesign(specFiles, options.design, "--design", { technology: names.technology });
    const compiled = compileDesign(whole, compileOptions);
    return { whole, compiled, evaluation: evaluate(compiled, point.sizes, accounting, [], point.mask) };
  });
  const limits: SearchLimits = { ...given, own: own === null ? undefined : outcomeOf(own.evaluation) };
  const { found: mappings, report } = await withFileLock(resume, async () => {
    const store = resume === undefined ? undefined : await journalOf(resume, names, request, limits, accounting);
    return search(problem, limits, { names, accounting }, store);
  });
  if (mappings.length === 0) throw nothingFound(limits, report, options.schedulable === true);
  const source = commandOf(options);
  const name = `${design.name}-mapped`;
  const searched = mappings.map(({ what }) => {
    const files = mappingFiles(problem, what, name, source, madeFor(workload.name, problem));
    const compiled = compileDesign(designOf(problem, files), compileOptions);
    const evaluation = evaluate(compiled, point.sizes, accounting, [], point.mask);
    return { files, evaluation, isOwn: false, compiled };
  });
  const [first] = searched;
  for (const note of first === undefined ? [] : oneHeadNotes(first.compiled.design))
    process.stderr.write(`fusemax: ${note}\n`);
  const keepsOwn =
    own !== null &&
    first !== undefined &&
    options.exhaustive !== true &&
    options.schedulable !== true &&
    isAsGoodAs(objective, outcomeOf(own.evaluation), outcomeOf(first.evaluation));
  const chosen = keepsOwn ? [{ ...own, files: filesOfOwn(own.whole), isOwn: true }] : searched;
  const evaluated = chosen.map(({ compiled, ...one }) => ({
    ...one,
    simulated: simulateMapping(problem, compiled, one.evaluation),
  }));
  const result: MapResult = {
    design: design.name,
    cascade: problem.cascade.name,
    model: workload.name,
    batch: names.batch ?? workload.batch,
    seq,
    objective,
    own: own === null ? null : costs(own.evaluation),
    found: evaluated.map(({ evaluation, files, simulated, isOwn }) => ({
      ...costs(evaluation),
      isOwn,
      simulated,
      ...files,
    })),
    search: searchResult(report),
  };
  if (out !== undefined) {
    const all = evaluated.map(({ files, simulated, isOwn }) => ({
      ...files,
      isOwn,
      ...("reason" in simulated ? {} : { schedule: simulated.schedule }),
    }));
    await writeFolder(out, filesOf(design, names.patches, all, name, source, out));
  }
  const { name: accountingName, corrections } = accounting;
  process.stdout.write(
    options.json === true
      ? jsonText({ schema: "fusemax.map/1", accounting: accountingName, corrections, ...result })
      : mapText(result, accountingLine(accounting, byDefault), out, file =>
          readBack(options, workload, accounting, file),
        ),
  );
}

/** The workload of a search in words, for the mapping that it writes. */
const madeFor = (model: string, { point: { phase, keys, queries, batch } }: MapperProblem): string =>
  phase === "decode"
    ? `${model}, decode: ${howMany(queries, "query")}, ${lengthLabel(keys)} keys, batch ${batch}`
    : `${model}, ${lengthLabel(keys)} tokens, batch ${batch}`;

/** @throws UsageError */
function limitsOf({ objective, exhaustive, budget, seed }: MapOptions): SearchLimits {
  if (exhaustive !== true) return { objective, budget: budget ?? defaultBudget, width, seed };
  for (const [where, given] of [
    ["--budget", budget],
    ["--seed", seed],
  ] as const) {
    if (given !== undefined) throw conflict(where, "--exhaustive");
  }
  return { objective, budget: undefined, width: undefined };
}

/** The specs, with what --set says of them. @throws UsageError, SpecError */
function read(options: MapOptions) {
  const { set = [], seq, mask } = options;
  const odd = set.find(({ path }) => /^(mapping|binding)\./.test(path));
  if (odd !== undefined) {
    const got = `a field of the ${odd.path.split(".")[0]}, which is what is looked for`;
    throw new UsageError({ where: `--set ${odd.path}`, got, expected: "one of the architecture or the technology" });
  }
  let technology: MapNames["technology"];
  const { designs, patches } = designsWith([options.design], set, undefined, (source, name, replaced) => {
    technology = replaced.technology;
    return loadUnmapped(source, name, "--design", replaced);
  });
  const [design] = designs;
  if (design === undefined) throw new UsageError({ where: "--design", got: "no design", expected: "one" });
  const { name, lacks } = design.technology.data;
  if (lacks.length > 0 && options.objective !== "latency") {
    const got = `${options.objective} on ${options.design}, whose technology ${name} has no ${lacks.join(", ")}`;
    throw new UsageError({ where: "--objective", got, expected: "latency, or a technology with energies" });
  }
  const names: MapNames = {
    ...{ design: options.design, technology, model: options.model, seq, batch: options.batch },
    ...queriesOf(options),
    ...{ layers: options.layers, mask, patches, schedulable: options.schedulable === true },
  };
  return { names, design, request: readMap(specFiles, names) };
}

/** Answers of a run before, of the same search. @throws InputError where the file holds those of another. */
async function journalOf(
  path: string,
  { design: _, model: __, ...names }: MapNames,
  { design, workload }: MapRequest,
  limits: SearchLimits,
  accounting: object,
): Promise<PointStore<SearchAnswer>> {
  const kind = { schema: "fusemax.map-steps/1", items: "steps", work: "search" };
  const journal = await openJournal<SearchAnswer>(kind, path, {
    program: programIdentity(),
    specs: digest([partsOf(design), workload]),
    ...{ search: digest([names, limits, accounting]) },
  });
  sayDropped(path, journal);
  return journal;
}

function nothingFound({ budget }: SearchLimits, { tilings }: SearchResult["report"], schedulable: boolean): UsageError {
  const { visited, all, left, unfit } = tilings;
  const got = `no mapping in the ${visited} that were searched of ${howMany(all, "tiling")}`;
  if (schedulable) {
    const expected = "a one-pass cascade on arrays of rows and columns, and registers with room for a schedule";
    return new UsageError({ where: "--schedulable", got: `${got} that a schedule can be simulated of`, expected });
  }
  if (left > 0) return new UsageError({ where: "--budget", got, expected: `more than ${budget}` });
  return new UsageError({
    where: "--design",
    got: `${got}; for ${unfit} no place has room`,
    expected: "registers and a buffer with room for some tile",
  });
}

const given = (name: string, value: unknown): string => (value === undefined ? "" : ` --${name} ${value}`);

/** The point of a workload that was searched at, as options that every command on designs takes. */
const pointOf = ({ model, seq, batch, phase, queries, mask }: MapOptions): string =>
  [
    ` --model ${model} --seq ${seq}`,
    given("batch", batch),
    phase === "decode" ? ` --phase decode${given("queries", queries)}` : "",
    mask ? "" : " --no-mask",
  ].join("");

/** What repeats a search, for the files that it wrote. */
function commandOf(options: MapOptions): string {
  const { design, objective, layers, budget, exhaustive, schedulable, seed, set = [] } = options;
  return [
    `fusemax map --design ${design}${pointOf(options)} --objective ${objective}`,
    given("layers", layers),
    given("budget", budget),
    given("seed", seed),
    exhaustive === true ? " --exhaustive" : "",
    schedulable === true ? " --schedulable" : "",
    ...set.map(({ path, value, relative }) => ` --set "${path}${relative === true ? "*" : ""}=${value}"`),
  ].join("");
}

/** What costs the files that a search wrote as the search did: by default `model` corrects what is not a design of the paper's. */
const readBack = (
  options: MapOptions,
  { softcap }: MapRequest["workload"],
  accounting: Accounting,
  file: string,
): string =>
  [
    `fusemax model --design ${file}${pointOf(options)}`,
    // A search maps the cascade alone: what a model does to its scores besides is not charged.
    softcap === undefined ? "" : " --no-softcap",
    given("accounting", accounting.name === "published" ? "published" : undefined),
    given("correct", options.correct?.join(",")),
  ].join("");

/** Null stands for an energy that nobody knows. */
const costs = ({ latencySeconds, energyPj, trafficBytes, cycles, bound, missing }: Evaluation) => ({
  cycles,
  latencySeconds,
  energyPj: missing.includes("energyPj") ? null : energyPj,
  trafficBytes,
  bound,
});

const outcomeOf = ({ latencySeconds, energyPj, trafficBytes }: Evaluation): Outcome => ({
  latencySeconds,
  // Without energies the mapper takes traffic for them.
  energyPj: energyPj === 0 ? trafficBytes : energyPj,
  dramBytes: trafficBytes,
});

/** What the design's own mapping says. */
const filesOfOwn = ({ mapping, binding }: Design): MappingFiles => ({
  mapping: mapping.raw as MappingFiles["mapping"],
  binding: binding.raw as MappingFiles["binding"],
});

/** The design's own mapping; null where it cannot run this. */
function ownMapping<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof FusemaxError) return null;
    throw error;
  }
}
