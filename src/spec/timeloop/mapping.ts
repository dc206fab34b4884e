import type { SpecText } from "../document.js";
import type { TimeloopArchitecture, TimeloopLevel } from "./architecture.js";
import { inWords, oneOf, readTimeloop, type TimeloopNode } from "./node.js";
import type { TimeloopProblem } from "./problem.js";

/** A mapping of Timeloop: the loops that iterate at each level, outermost first, and the tensors that each memory keeps. */
export interface TimeloopMapping {
  readonly levels: readonly MappedLevel[];
}

export interface MappedLevel {
  readonly level: TimeloopLevel;
  readonly loops: readonly { readonly dimension: string; readonly bound: number }[];
  /** None at a fan-out. */
  readonly keeps: readonly string[];
}

/** Reads a mapping of a problem on an architecture. Throws SpecError at what it has no counterpart for. */
export function readMapping(
  source: SpecText,
  architecture: TimeloopArchitecture,
  problem: TimeloopProblem,
): TimeloopMapping {
  const root = readTimeloop(source, "mapping");
  const { levels } = architecture;
  const loops = new Map<TimeloopLevel, TimeloopNode>();
  const kept = new Map<TimeloopLevel, TimeloopNode>();
  for (const directive of root.items) {
    const type = directive.need("type");
    if (passesFanout(directive, type.text, levels, problem)) continue;
    const level = levelOf(directive, type.text, levels);
    const isData = ["dataspace", "datatype", "bypass"].includes(type.text);
    if (isData) directive.only(["target", "type", "keep", "bypass"]);
    else directive.only(["target", "type", "factors", "permutation", ...(level.kind === "fanout" ? ["split"] : [])]);
    const seen = isData ? kept : loops;
    if (seen.has(level)) throw directive.fail(`a second ${type.text} directive of ${level.name}`, "one of each kind");
    seen.set(level, directive);
  }
  const mapped = levels.map(
    (level): MappedLevel => ({
      level,
      loops: loopsOf(loops.get(level), level, problem),
      keeps: level.kind === "fanout" ? [] : keepsOf(kept.get(level), problem),
    }),
  );
  for (const [dimension, size] of problem.dimensions) {
    const product = mapped
      .flatMap(({ loops }) => loops)
      .reduce((p, loop) => (loop.dimension === dimension ? p * loop.bound : p), 1);
    if (product !== size) throw root.fail(`factors of ${dimension} whose product is ${product}`, `${size}, its size`);
  }
  for (const { name } of [...problem.inputs, problem.output]) {
    if (!mapped.some(({ keeps }) => keeps.includes(name)))
      throw root.fail(`no level that keeps ${name}`, "one or more");
  }
  return { levels: mapped };
}

function levelOf(directive: TimeloopNode, type: string, levels: readonly TimeloopLevel[]): TimeloopLevel {
  const target = directive.need("target");
  const isMemory = ["temporal", "dataspace", "datatype", "bypass"].includes(type);
  if (!isMemory && type !== "spatial") {
    throw directive.child("type").unknown(`the directive ${type}`, "temporal, spatial, dataspace, datatype or bypass");
  }
  const own = levels.filter(level => (level.kind === "fanout") !== isMemory);
  const nameOf = (level: TimeloopLevel): string => (level.kind === "fanout" ? level.target : level.name);
  const found = own.find(level => nameOf(level) === target.value || isStandIn(target.value, level));
  if (found !== undefined) return found;
  throw target.fail(
    `the ${isMemory ? "memory" : "fan-out"} ${typeof target.value === "string" ? target.value : inWords(target.value)}`,
    oneOf(own.map(nameOf), `a ${isMemory ? "memory" : "fan-out"} of the architecture, which has none`),
  );
}

/** Timeloop's mapper calls the fan-out before X a level of its own, inter_X_spatial. */
const isStandIn = (target: unknown, level: TimeloopLevel): boolean =>
  level.kind === "fanout" && target === `inter_${level.target}_spatial`;

/**
 * Whether a directive is the mapper's of a fan-out as if it were a memory: it keeps nothing, and no loop iterates there.
 * Throws SpecError where it does.
 */
function passesFanout(
  directive: TimeloopNode,
  type: string,
  levels: readonly TimeloopLevel[],
  problem: TimeloopProblem,
): boolean {
  const target = directive.need("target").value;
  if (type === "spatial" || !levels.some(level => isStandIn(target, level))) return false;
  if (type === "temporal") {
    directive.only(["target", "type", "factors", "permutation"]);
    const [iterating] = [...factorsOf(directive, problem.dimensions)].filter(([, bound]) => bound > 1);
    if (iterating !== undefined)
      throw directive.unknown(`a loop over ${iterating[0]} in time at a fan-out`, "factors of 1");
    return true;
  }
  directive.only(["target", "type", "keep", "bypass"]);
  const [kept] = keepsOf(directive, problem);
  if (kept !== undefined) throw directive.unknown(`${kept} kept at a fan-out`, "all passed by");
  return true;
}

/** The loops of a directive that iterate, outermost first; permutations are written innermost first. */
function loopsOf(
  directive: TimeloopNode | undefined,
  level: TimeloopLevel,
  problem: TimeloopProblem,
): MappedLevel["loops"] {
  if (directive === undefined) return [];
  const { dimensions } = problem;
  const factors = factorsOf(directive, dimensions);
  const written = directive.get("permutation");
  const order = written === undefined ? [] : orderOf(written, problem);
  const iterating = [...factors].filter(([, bound]) => bound > 1);
  const missing = iterating.filter(([dimension]) => !order.includes(dimension));
  if (missing.length > 0 && iterating.length > 1) {
    const all = iterating.map(([dimension]) => dimension).join(", ");
    throw (written ?? directive).fail(
      `${written === undefined ? "no permutation" : `a permutation without ${missing.map(([d]) => d).join(", ")}`}`,
      `the order of ${all}, which have more than one step: all of them, innermost first`,
    );
  }
  const sorted = [...order, ...missing.map(([dimension]) => dimension)];
  const innermostFirst = sorted.map(dimension => ({ dimension, bound: factors.get(dimension) ?? 1 }));
  if (level.kind === "fanout") checkMesh(directive, level, innermostFirst);
  return innermostFirst.filter(({ bound }) => bound > 1).reverse();
}

function factorsOf(directive: TimeloopNode, dimensions: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const factors = new Map<string, number>();
  const written = directive.get("factors");
  for (const word of written?.words ?? []) {
    if (/^\d+$/.test(word)) throw (written as TimeloopNode).unknown(`the residual ${word}`, "whole factors, X=8");
    const [, dimension, digits] = /^([A-Za-z_]\w*?)\s*=?\s*(\d+)$/.exec(word) ?? [];
    if (dimension === undefined) throw (written as TimeloopNode).unknown(`the factor "${word}"`, "whole factors, X=8");
    const size = dimensions.get(dimension);
    if (size === undefined) {
      if (Number(digits) === 1) continue; // of a dimension that no data-space has
      throw (written as TimeloopNode).fail(`the dimension ${dimension}`, `one of ${[...dimensions.keys()].join(", ")}`);
    }
    if (factors.has(dimension))
      throw (written as TimeloopNode).unknown(
        `two factors of ${dimension}`,
        "one: parts that do not divide it are none",
      );
    // Timeloop takes 0 for all of a dimension.
    factors.set(dimension, Number(digits) === 0 ? size : Number(digits));
  }
  return factors;
}

/** A permutation: names with blanks or commas between them or in a list, or a word whose letters are the names. */
function orderOf(written: TimeloopNode, { dimensions, idle }: TimeloopProblem): readonly string[] {
  const names = [...dimensions.keys(), ...idle];
  const [first = "", ...more] = written.words;
  const words = more.length > 0 || names.includes(first) ? [first, ...more] : [...first];
  const other = words.find(word => !names.includes(word));
  if (other !== undefined) {
    const read = words.length > 1 && more.length === 0 ? `, read letter by letter of ${first}` : "";
    throw written.fail(
      `the dimension ${other}${read}`,
      `some of ${names.join(", ")}, each once, innermost first`,
      names.some(name => name.length > 1) ? "write commas between them" : undefined,
    );
  }
  const twice = words.find((word, i) => words.indexOf(word) < i);
  if (twice !== undefined) throw written.fail(`the dimension ${twice} twice`, "each once, innermost first");
  return words.filter(word => dimensions.has(word));
}

/** Loops before the split go along X, the others along Y; without one all go along X. */
function checkMesh(
  directive: TimeloopNode,
  { x, y, target }: Extract<TimeloopLevel, { kind: "fanout" }>,
  loops: MappedLevel["loops"],
): void {
  const split = directive.get("split")?.count;
  const product = (some: MappedLevel["loops"]): number => some.reduce((p, { bound }) => p * bound, 1);
  const [alongX, alongY] =
    split === undefined ? [product(loops), 1] : [product(loops.slice(0, split)), product(loops.slice(split))];
  const fits = split === undefined ? alongX <= x * y : alongX <= x && alongY <= y;
  if (fits) return;
  throw directive.fail(`${alongX} × ${alongY} instances of ${target}`, `at most ${x} × ${y}`);
}

function keepsOf(directive: TimeloopNode | undefined, { inputs, output }: TimeloopProblem): readonly string[] {
  const all = [...inputs, output].map(({ name }) => name);
  const named = (key: "keep" | "bypass"): readonly string[] => {
    const node = directive?.get(key);
    const words = node === undefined || (Array.isArray(node.value) && node.value.length === 0) ? [] : node.words;
    const other = words.find(word => !all.includes(word));
    if (other !== undefined) throw (node as TimeloopNode).fail(`the data-space ${other}`, `some of ${all.join(", ")}`);
    return words;
  };
  const [keep, bypass] = [named("keep"), named("bypass")];
  const both = keep.find(name => bypass.includes(name));
  if (both !== undefined) throw (directive as TimeloopNode).fail(`${both} kept and passed by`, "one of the two");
  // What a level does not speak of, it keeps.
  return all.filter(name => !bypass.includes(name));
}
