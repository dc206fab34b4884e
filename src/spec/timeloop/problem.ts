import type { SpecText } from "../document.js";
import { checkVersion, readTimeloop, type TimeloopNode } from "./node.js";

/** A problem of Timeloop: one Einsum, a product of all that is read. */
export interface TimeloopProblem {
  /** Dimensions with their sizes, in the file's order. */
  readonly dimensions: ReadonlyMap<string, number>;
  readonly inputs: readonly DataSpace[];
  readonly output: DataSpace;
  /** Dimensions that no data-space has: they only repeat the work. */
  readonly repeats: readonly string[];
  /** What was left out. */
  readonly guesses: readonly string[];
}

export interface DataSpace {
  readonly name: string;
  readonly dimensions: readonly string[];
}

/** Reads a problem. Throws SpecError at what it has no counterpart for. */
export function readProblem(source: SpecText): TimeloopProblem {
  const problem = readTimeloop(source, "problem");
  checkVersion(problem);
  problem.only(["version", "shape", "instance"]);
  const shape = problem.need("shape");
  shape.only(["name", "dimensions", "data_spaces", "coefficients"]);
  const named = shape.need("dimensions").items;
  const seen = new Map<string, string>();
  for (const node of named) {
    const lower = node.name.toLowerCase();
    const other = seen.get(lower);
    if (other !== undefined)
      throw node.fail(`the dimension ${node.name} beside ${other}`, "names that differ in more than case");
    seen.set(lower, node.name);
  }
  const coefficients = (shape.get("coefficients")?.items ?? []).map(node => node.need("name").name);
  const instance = problem.need("instance");
  const names = named.map(node => node.name);
  const guesses: string[] = [];
  for (const key of instance.keys) {
    if ([...names, ...coefficients, "densities"].includes(key)) continue;
    guesses.push(`left out: ${key}: ${instance.child(key).size}, which is no dimension of the problem`);
  }
  const densities = instance.get("densities");
  if (densities !== undefined && densities.keys.length > 0) {
    throw densities.unknown("densities", "dense tensors: nothing here counts sparse ones");
  }
  const dimensions = new Map(names.map(name => [name, instance.need(name).size]));
  const spaces = shape.need("data_spaces").items.map(node => ({ node, space: dataSpace(node, dimensions) }));
  const outputs = spaces.filter(({ node }) => node.get("read_write")?.value === true);
  const [output, second] = outputs;
  if (output === undefined)
    throw shape.need("data_spaces").fail("no data-space that is written", "read_write: true at one");
  if (second !== undefined) throw second.node.unknown("a second data-space that is written", "one output");
  const inputs = spaces.filter(each => each !== output).map(({ space }) => space);
  if (inputs.length === 0) throw shape.need("data_spaces").fail("no data-space that is read", "one or more inputs");
  const twice = spaces.find(({ space }, i) => spaces.findIndex(other => other.space.name === space.name) < i);
  if (twice !== undefined) throw twice.node.fail(`the data-space ${twice.space.name} twice`, "each once");
  const used = new Set(spaces.flatMap(({ space }) => space.dimensions));
  const repeats = names.filter(name => !used.has(name) && dimensions.get(name) !== 1);
  const kept = new Map([...dimensions].filter(([name]) => used.has(name) || repeats.includes(name)));
  return { dimensions: kept, inputs, output: output.space, repeats, guesses };
}

/** A data-space: each of its ranks is one dimension. */
function dataSpace(node: TimeloopNode, dimensions: ReadonlyMap<string, number>): DataSpace {
  node.only(["name", "projection", "read_write"]);
  const own = node.need("projection").items.map(rank => {
    const terms = rank.items;
    const [term] = terms;
    if (terms.length > 1) {
      const sum = terms.map(({ words }) => words.join("*")).join(" + ");
      throw rank.unknown(`the sum ${sum}`, "one dimension a rank: the counts of a mapping know no sliding windows");
    }
    if (term === undefined) throw rank.fail("no dimension", "one");
    const [dimension, ...factors] = term.items;
    if (dimension === undefined) throw term.fail("no dimension", "one");
    if (factors.length > 0) {
      throw term.unknown(`the multiple ${term.words.join("*")}`, "a dimension alone: mappings know no strides");
    }
    if (dimensions.has(dimension.name)) return { name: dimension.name, node: dimension };
    throw dimension.fail(`the dimension ${dimension.name}`, `one of ${[...dimensions.keys()].join(", ")}`);
  });
  const twice = own.find(({ name }, i) => own.findIndex(other => other.name === name) < i);
  if (twice !== undefined)
    throw twice.node.unknown(`the dimension ${twice.name} twice`, "each once: a diagonal is none");
  return { name: node.need("name").name, dimensions: own.map(({ name }) => name) };
}
