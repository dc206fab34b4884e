import { shown } from "../../errors.js";
import type { SpecText } from "../document.js";
import { checkVersion, oneOf, readTimeloop, type TimeloopNode } from "./node.js";

/** A problem of Timeloop: one Einsum, a product of all that is read. */
export interface TimeloopProblem {
  /** Dimensions with their sizes, in the file's order. */
  readonly dimensions: ReadonlyMap<string, number>;
  readonly inputs: readonly DataSpace[];
  readonly output: DataSpace;
  /** Dimensions that no data-space has: they only repeat the work. */
  readonly repeats: readonly string[];
  /** Names of sizes of 1 that are left out: no data-space has them, and they repeat nothing. */
  readonly idle: readonly string[];
  /** What was left out. */
  readonly guesses: readonly string[];
}

export interface DataSpace {
  readonly name: string;
  readonly dimensions: readonly string[];
  /** Its ranks: sums of dimensions, each times a stride; of one dimension in most. */
  readonly ranks: readonly (readonly ProjectedDimension[])[];
}

export interface ProjectedDimension {
  readonly dimension: string;
  readonly stride: number;
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
  const instance = problem.need("instance");
  const coefficients = new Map(
    (shape.get("coefficients")?.items ?? []).map(node => {
      const { name } = node.need("name");
      return [name, instance.get(name)?.size ?? node.need("default").size] as const;
    }),
  );
  const names = named.map(node => node.name);
  if (names.length === 0) throw shape.child("dimensions").fail("no dimension", "one or more");
  const strangers = instance.keys.filter(key => ![...names, ...coefficients.keys(), "densities"].includes(key));
  // Problems of many kinds share an instance in which what a shape lacks is 1; anything else would be work that is lost.
  const lost = strangers.find(key => instance.child(key).value !== 1);
  if (lost !== undefined) {
    const known = [...names, ...coefficients.keys()].join(", ");
    throw instance.child(lost).fail(`${lost}, which the shape does not have`, `sizes of ${known}, or 1`);
  }
  const guesses = strangers.map(key => `left out: ${shown(key)}: 1, which is no dimension of the problem`);
  const densities = instance.get("densities");
  if (densities !== undefined && densities.keys.length > 0) {
    throw densities.unknown("densities", "dense tensors: nothing here counts sparse ones");
  }
  const dimensions = new Map(names.map(name => [name, instance.need(name).size]));
  const spaces = shape
    .need("data_spaces")
    .items.map(node => ({ node, space: dataSpace(node, dimensions, coefficients) }));
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
  const sliding = spaces.find(({ space }) => space.ranks.some(terms => terms.length > 1));
  if (repeats.length > 0 && sliding !== undefined) {
    const why = "no dimension without a data-space beside it: a cascade says windows, and none has such a dimension";
    throw sliding.node.unknown(`a sum of dimensions beside ${repeats.join(", ")} of no data-space`, why);
  }
  const kept = new Map([...dimensions].filter(([name]) => used.has(name) || repeats.includes(name)));
  const idle = [...names.filter(name => !kept.has(name)), ...strangers];
  return { dimensions: kept, inputs, output: output.space, repeats, idle, guesses };
}

/** A data-space: each of its ranks is a sum of dimensions, each times coefficients or numbers. */
function dataSpace(
  node: TimeloopNode,
  dimensions: ReadonlyMap<string, number>,
  coefficients: ReadonlyMap<string, number>,
): DataSpace {
  node.only(["name", "projection", "read_write"]);
  const own = node.need("projection").items.map(rank => {
    const terms = rank.items.map(term => projected(term, dimensions, coefficients));
    if (terms.length === 0) throw rank.fail("no dimension", "one or more");
    if (terms.length > 1 && node.get("read_write")?.value === true) {
      const sum = rank.items.map(({ words }) => words.join("*")).join(" + ");
      throw rank.unknown(`the sum ${sum} in what is written`, "sums of dimensions in what is read");
    }
    return terms;
  });
  const all = own.flat();
  const twice = all.find(({ dimension }, i) => all.findIndex(other => other.dimension === dimension) < i);
  if (twice !== undefined)
    throw twice.node.unknown(`the dimension ${twice.dimension} twice`, "each once in a data-space");
  return {
    name: node.need("name").name,
    dimensions: all.map(({ dimension }) => dimension),
    ranks: own.map(terms => terms.map(({ dimension, stride }) => ({ dimension, stride }))),
  };
}

/** One dimension in a sum, with the product of what it is multiplied by. */
function projected(
  term: TimeloopNode,
  dimensions: ReadonlyMap<string, number>,
  coefficients: ReadonlyMap<string, number>,
): ProjectedDimension & { readonly node: TimeloopNode } {
  const [node, ...factors] = term.items;
  if (node === undefined) throw term.fail("no dimension", "one");
  if (!dimensions.has(node.name)) {
    throw node.fail(`the dimension ${node.name}`, `one of ${[...dimensions.keys()].join(", ")}`);
  }
  const stride = factors.reduce((product, factor) => {
    if (typeof factor.value === "number") return product * factor.size;
    const known = coefficients.get(factor.name);
    if (known !== undefined) return product * known;
    const choice = oneOf([...coefficients.keys()], "a coefficient that the shape's coefficients name");
    throw factor.fail(`the coefficient ${factor.name}`, `a number, or ${choice}`);
  }, 1);
  return { node, dimension: node.name, stride };
}
