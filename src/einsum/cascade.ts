import { type Dependence, dependenceOf } from "./dependence.js";
import { type Einsum, type Index, rankNameOf, shiftedVariable } from "./einsum.js";
import { withWindows } from "./mark-windows.js";
import { type CascadeText, parseText } from "./parse.js";
import { type RankTable, rankTable, type Tuple } from "./ranks.js";
import { resolveStatements } from "./resolve.js";
import { readRoles } from "./role-header.js";
import { constantOf, formatSize, type Size, soleName } from "./size.js";
import { CascadeError, type Source } from "./source.js";
import { collectTensors, type Tensor } from "./tensors.js";

/** An ordered list of Einsums, checked: every name means something and everything can be computed. */
export interface Cascade {
  readonly source: Source;
  /** The name that reports use: the file's or library's, without path and ending. */
  readonly name: string;
  /** `# title:`, `# source:` and other headers of the text, keys in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly einsums: readonly Einsum[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly ranks: RankTable;
  readonly dependence: Dependence;
  /** Tensors that no Einsum writes, in order of appearance. */
  readonly inputs: readonly string[];
  /** Tensors that are written and that nothing else reads; of an iteration that feeds only itself, what it carries. */
  readonly outputs: readonly string[];
}

/**
 * Reads and checks a cascade (docs/cascades.md has the language). `name` is what errors and reports call it by.
 * @throws CascadeError, a SpecError with line, column, an excerpt with a caret and a hint.
 * @example
 * ```ts
 * import { parseCascade } from "fusemax";
 *
 * const cascade = parseCascade("Y = A[m] * B[m]\nZ = Y * A[m]", "example");
 * console.log(cascade.inputs, cascade.outputs); // [ 'A', 'B' ] [ 'Z' ]
 * ```
 */
export function parseCascade(text: string, name = "cascade"): Cascade {
  const parsed = withWindows(parseText(text, name));
  const einsums = resolveStatements(parsed);
  const tensors = collectTensors(parsed, einsums);
  const ranks = rankTable({
    declarations: parsed.ranks,
    stops: parsed.stops,
    filters: einsums.flatMap(einsum => einsum.filters),
    tuples: tuplesOf(parsed, einsums),
    sizeNames: sizeNamesOf(einsums),
  });
  checkStops(parsed, einsums);
  checkPlaces(parsed, einsums, tensors, ranks);
  checkSplits(parsed, ranks);
  checkSizes(parsed, ranks);
  checkCircles(parsed, ranks);
  const dependence = dependenceOf(parsed.source, einsums, tensors, ranks);
  const cascade: Cascade = {
    source: parsed.source,
    name: (name.split(/[\\/]/).at(-1) ?? name).replace(/\.(cascade|txt)$/, ""),
    headers: parsed.headers,
    einsums,
    tensors,
    ranks,
    dependence,
    inputs: [...tensors.values()].filter(tensor => tensor.writer === null).map(tensor => tensor.name),
    outputs: outputsOf(einsums, dependence),
  };
  readRoles(cascade);
  return cascade;
}

function outputsOf(einsums: readonly Einsum[], { edges, groups }: Dependence): string[] {
  const groupOf = new Map(groups.flatMap((group, g) => group.einsums.map(i => [i, g] as const)));
  const leaves = edges.flat().filter(({ from, to }) => groupOf.get(from) !== groupOf.get(to));
  // What a first coordinate feeds is its own iteration; whoever else reads the tensor reads the step too.
  const readElsewhere = new Set(
    leaves.flatMap(({ from }) => (einsums[from]?.iteration?.role === "init" ? [] : [einsums[from]?.tensor])),
  );
  const written = groups.flatMap(({ einsums: members, loop }) => {
    const feedsOthers = loop !== null && members.some(i => readElsewhere.has(einsums[i]?.tensor));
    // A first coordinate is its iteration's, whose step says whether it is an output.
    const steps = members.filter(i => einsums[i]?.iteration?.role !== "init");
    return feedsOthers
      ? []
      : steps.filter(i => loop === null || einsums[i]?.iteration !== null).map(i => einsums[i]?.tensor ?? "");
  });
  const outputs = new Set(written.filter(tensor => !readElsewhere.has(tensor)));
  return [...new Set(einsums.map(einsum => einsum.tensor))].filter(tensor => outputs.has(tensor));
}

function tuplesOf(text: CascadeText, einsums: readonly Einsum[]): Tuple[] {
  const read = { written: false };
  return [
    ...(text.inputs ?? []).flatMap(({ name, indices }) =>
      indices === null ? [] : [{ tensor: name, indices, ...read }],
    ),
    ...einsums.flatMap(einsum => einsum.reads.map(({ tensor, indices }) => ({ tensor, indices, ...read }))),
    ...einsums.map(({ tensor, indices, iteration }) => ({
      tensor,
      indices: iteration?.role === "init" ? indices.map((x, i) => (i === iteration.position ? fixed(x) : x)) : indices,
      written: true,
    })),
  ];
}

/** An initialization's `m1=0` ties no names: the iterative rank is the step's. */
const fixed = (index: Einsum["indices"][number]): Einsum["indices"][number] => ({ ...index, terms: [] });

function sizeNamesOf(einsums: readonly Einsum[]): string[] {
  const names = new Set<string>();
  const addSize = (size: Size): void => {
    for (const term of size) for (const name of term.names) names.add(name);
  };
  const addIndex = (index: Index): void => {
    addSize(index.offset);
    for (const term of index.terms) addSize(term.coefficient);
  };
  for (const { indices, reads, filters, right } of einsums) {
    for (const index of indices) addIndex(index);
    for (const read of reads) for (const index of read.indices) addIndex(index);
    for (const { left, right: bound } of filters) for (const index of [left, bound]) addIndex(index);
    addSizesIn(right, addSize);
  }
  return [...names];
}

function addSizesIn(expression: Einsum["right"], addSize: (size: Size) => void): void {
  if (expression.kind === "size") addSize(expression.size);
  else if (expression.kind === "unary") {
    addSizesIn(expression.operand, addSize);
    if (expression.scale !== undefined) addSizesIn(expression.scale, addSize);
  } else if (expression.kind === "binary") {
    addSizesIn(expression.left, addSize);
    addSizesIn(expression.right, addSize);
  }
}

/** `H: p*2+r` says the rank of its place: what the place is called where the tensor is written, declared or first read. */
function checkPlaces(
  { source }: CascadeText,
  einsums: readonly Einsum[],
  tensors: ReadonlyMap<string, Tensor>,
  ranks: RankTable,
): void {
  for (const { tensor, indices, reads, span } of einsums) {
    for (const access of [...reads, { tensor, indices, span }]) {
      for (const [place, { rank, span: at }] of access.indices.entries()) {
        const own = tensors.get(access.tensor)?.indices[place];
        const variable = own === undefined ? undefined : shiftedVariable(own);
        const known = variable === undefined ? own?.rank : rankNameOf(variable);
        if (rank === undefined || known === undefined || ranks.byName(known) === ranks.byName(rank)) continue;
        throw new CascadeError(source, at, {
          got: `the rank ${rank} at place ${place + 1} of ${access.tensor}`,
          expected: `${known}, as line ${own?.span.line} has it there`,
          fix: "a tensor's ranks are in one order everywhere",
        });
      }
    }
  }
}

/** A stop names a variable that the cascade has, once. */
function checkStops({ source, stops }: CascadeText, einsums: readonly Einsum[]): void {
  const variables = new Set(
    einsums.flatMap(({ free, reduced, iteration }) => [...free, ...reduced, iteration?.variable]),
  );
  for (const [i, stop] of stops.entries()) {
    if (!variables.has(stop.variable)) {
      throw new CascadeError(source, stop.span, {
        got: `a stop of ${stop.variable}, over which no Einsum ranges`,
        expected: "the variable of an iterative rank",
      });
    }
    if (stops.findIndex(other => other.variable === stop.variable) !== i) {
      throw new CascadeError(source, stop.span, {
        got: `a second stop of ${stop.variable}`,
        expected: "one stop a rank",
      });
    }
  }
}

/**
 * Names of one rank cannot be declared with different numbers: `ranks: K = 3, J = 4` with Y[k] written and Y[j] read.
 */
function checkSizes({ source, ranks: declarations }: CascadeText, ranks: RankTable): void {
  const declared = new Map<string, { readonly name: string; readonly size: number }>();
  for (const { name, size, span } of declarations) {
    const number = size === null ? undefined : constantOf(size);
    const rank = ranks.byName(name)?.name;
    if (number === undefined || rank === undefined) continue;
    const before = declared.get(rank);
    if (before !== undefined && before.size !== number) {
      throw new CascadeError(source, span, {
        got: `${name} = ${number} after ${before.name} = ${before.size}`,
        expected: "one size a rank",
        ...(before.name === name ? {} : { fix: `${before.name} and ${name} index the same place: they are one rank` }),
      });
    }
    declared.set(rank, { name, size: number });
  }
}

/** No rank's size can be found from its own: `ranks: K = K * K0`, or `K = J * L, J = K * Q`. */
function checkCircles({ source, ranks: declarations }: CascadeText, ranks: RankTable): void {
  const namesOf = (size: Size | null): readonly string[] => (size ?? []).flatMap(({ names }) => names);
  for (const { name, size, span } of declarations) {
    // Another name of the rank says no size.
    if (size === null || soleName(size) !== undefined) continue;
    const own = ranks.byName(name)?.name;
    const reached = new Set<string>();
    const next = [...namesOf(size)];
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
      const rank = ranks.byName(at);
      if (rank === undefined || reached.has(rank.name)) continue;
      reached.add(rank.name);
      next.push(...namesOf(rank.size));
    }
    if (own === undefined || !reached.has(own)) continue;
    const got = `${name} = ${formatSize(size)}, a size that is found from ${name}'s own`;
    throw new CascadeError(source, span, { got, expected: "ranks or numbers that do not depend on it" });
  }
}

/** Extents of a split rank are numbers of one digit a part (along-rank.ts). */
const mostParts = 12;

function checkSplits({ source, ranks: declarations }: CascadeText, ranks: RankTable): void {
  const rank = ranks.ranks.find(({ parts }) => parts.length > mostParts);
  if (rank === undefined) return;
  const span = declarations.find(({ name }) => rank.names.includes(name))?.span ?? { line: 1, column: 1, length: 1 };
  throw new CascadeError(source, span, {
    got: `${rank.name} split into ${rank.parts.length} ranks`,
    expected: `at most ${mostParts}`,
  });
}
