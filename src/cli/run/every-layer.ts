import { InputError } from "../../errors.js";
import { listed } from "../../io/listed.js";
import { openArchive } from "../../io/open-archive.js";
import { jsonText } from "../../report/finite.js";
import { type LayerRun, type LayersResult, layersTable, totalOf } from "../../report/layers-result.js";
import { conflict, needs } from "../conflict.js";
import { type Reading, readingsOf } from "./input-names.js";
import type { RunOptions } from "./options.js";
import { planRun } from "./plan.js";
import { noteOnStderr, runPlan } from "./run-attention.js";

/** `fusemax run --every-layer`: the attentions of a file, one after the other; one is held at a time. Returns the exit code. */
export async function runEveryLayer(options: RunOptions): Promise<number> {
  const { input } = options;
  if (input === undefined) {
    throw needs("--every-layer", "--input with a file of several layers");
  }
  refuseOfOne(options);
  const readings = readingsOf((await openArchive("--input", input, "it holds all layers")).names);
  if (readings.length === 0) await refuseWithout(input);
  const layers = readings.map(reading => ({ name: nameOf(reading), options: { ...options, names: reading.names } }));
  // What is wrong with any of them is said before the first is computed.
  for (const layer of layers) await planRun(layer.options);
  const runs: LayerRun[] = [];
  const table = layersTable(layers.map(({ name }) => name));
  if (options.json !== true) process.stdout.write(table.head);
  // What is the same of all is said once.
  const said = new Set<string>();
  let code = 0;
  for (const layer of layers) {
    const began = performance.now();
    // Planned again: a plan keeps what it has read.
    const { result, code: own } = await runPlan(await planRun(layer.options), layer.options, began, line => {
      if (!said.has(line)) noteOnStderr(line);
      said.add(line);
    });
    const run: LayerRun = { name: layer.name, result };
    runs.push(run);
    code = Math.max(code, own);
    if (options.json !== true) process.stdout.write(table.row(run));
  }
  const found: LayersResult = { schema: "fusemax.layers/1", input, layers: runs, total: totalOf(runs) };
  process.stdout.write(options.json === true ? jsonText(found, 2) : table.foot(found));
  return code;
}

/** What is before the names of its tensors. */
function nameOf({ prefix, names }: Reading): string {
  return prefix === "" ? `${names.q}, ${names.k}, ${names.v}` : prefix.replace(/[./_-]$/, "");
}

/** Files and tensors of one attention. @throws UsageError */
function refuseOfOne(options: RunOptions): void {
  const { output, dump, resume, presentK, presentV, pastK, pastV, names } = options;
  const given = {
    ...{ "--output": output, "--dump": dump, "--resume": resume, "--names": names },
    ...{ "--past-k": pastK, "--past-v": pastV, "--present-k": presentK, "--present-v": presentV },
  };
  const [where] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (where === undefined) return;
  throw conflict(where, "--every-layer", "--names picks one layer");
}

async function refuseWithout(input: string): Promise<never> {
  const { names } = await openArchive("--input", input, "it holds all layers");
  throw new InputError({
    where: input,
    got: `the tensors ${listed(names)}`,
    expected: "q, k and v, or query, key and value, of each layer under a prefix of its own, such as layers.3.q",
  });
}
