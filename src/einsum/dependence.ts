import { type Access, type Einsum, rankNameOf, shiftedVariable } from "./einsum.js";
import type { RankTable } from "./ranks.js";
import { CascadeError, type Source } from "./source.js";
import { iterativeRead, type Tensor } from "./tensors.js";

/** Einsum `from` writes what Einsum `to` reads by `read`. A carried edge goes to the next step of an iteration. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly read: Access;
  readonly carried: boolean;
}

/** Einsums that are carried out together: one, or the body of an iteration in the order of its lines. */
export interface Group {
  readonly einsums: readonly number[];
  /** The rank of the iteration that ties them, or null. */
  readonly loop: string | null;
}

export interface Dependence {
  /**
   * By reading Einsum, in order of its reads; an iterative tensor read at i has two edges, from its init and its step.
   */
  readonly edges: readonly (readonly Edge[])[];
  /** In an order in which they can be carried out. */
  readonly groups: readonly Group[];
}

/**
 * Who needs whom.
 * @throws CascadeError for tensors used before they are defined and for definitions that go round in circles.
 */
export function dependenceOf(
  source: Source,
  einsums: readonly Einsum[],
  tensors: ReadonlyMap<string, Tensor>,
  ranks: RankTable,
): Dependence {
  const edges = einsums.map((einsum, to) => einsum.reads.flatMap(read => edgesOf(tensors.get(read.tensor), read, to)));
  checkOrder(source, einsums, edges, tensors);
  const groups = components(edges).map(members => {
    const cyclic = members.length > 1 || (edges[members[0] ?? 0] ?? []).some(edge => edge.from === edge.to);
    return { einsums: members, loop: cyclic ? loopOf(source, einsums, edges, members, ranks) : null };
  });
  return { edges, groups };
}

function edgesOf(tensor: Tensor | undefined, read: Access, to: number): Edge[] {
  if (tensor === undefined || tensor.writer === null) return [];
  const from = tensor.writer;
  if (tensor.init === null) return [{ from, to, read, carried: false }];
  switch (iterativeRead(tensor, read)) {
    case "carried":
      return [
        { from: tensor.init, to, read, carried: false },
        { from, to, read, carried: true },
      ];
    case "first":
      return [{ from: tensor.init, to, read, carried: false }];
    default:
      return [{ from, to, read, carried: false }];
  }
}

/**
 * Every value is written on an earlier line than it is read, but for what an iteration carries or leaves at its end.
 */
function checkOrder(
  source: Source,
  einsums: readonly Einsum[],
  edges: readonly (readonly Edge[])[],
  tensors: ReadonlyMap<string, Tensor>,
): void {
  for (const edge of edges.flat()) {
    if (edge.carried || edge.from < edge.to) continue;
    const tensor = tensors.get(edge.read.tensor);
    const kind = tensor && iterativeRead(tensor, edge.read);
    if (edge.from !== edge.to && (kind === "last" || kind === "fixed")) continue;
    const circle = pathBetween(edges, edge.to, edge.from);
    if (circle !== null) throw cyclic(source, einsums, edge, circle);
    throw new CascadeError(source, edge.read.span, {
      got: `${edge.read.tensor} used before it is defined`,
      expected: "a tensor that an earlier line writes, or an input",
      fix: `move line ${einsums[edge.from]?.span.line ?? "?"}, which writes it, above this one`,
    });
  }
}

/** Einsums from `start` to `end` along edges, both included; null when there is no way. */
function pathBetween(edges: readonly (readonly Edge[])[], start: number, end: number): number[] | null {
  const back = new Map<number, number>([[end, end]]);
  const open = [end];
  for (let to = open.shift(); to !== undefined; to = open.shift()) {
    if (to === start) {
      const path = [start];
      while (path.at(-1) !== end) path.push(back.get(path.at(-1) as number) as number);
      return path;
    }
    for (const { from } of edges[to] ?? []) {
      if (back.has(from)) continue;
      back.set(from, to);
      open.push(from);
    }
  }
  return null;
}

function cyclic(source: Source, einsums: readonly Einsum[], edge: Edge, circle: readonly number[]): CascadeError {
  const names = [...circle, edge.to].map(i => einsums[i]?.tensor ?? "?");
  const distinct = names.filter((name, i) => name !== names[i - 1] || names.length === 2);
  return new CascadeError(source, edge.read.span, {
    got: `a cyclic definition: ${distinct.join(" -> ")}`,
    expected: "tensors that can be computed one after the other",
    fix: "only an iterative rank may refer to itself, at the coordinate before: RM[i+1] = RM[i] + A[i]",
  });
}

/**
 * Tarjan's strongly connected components, without recursion: Einsums that need each other, in the order of their lines. A
 * component is complete once all that it needs are, and lines are visited in order: each comes after what it needs, otherwise
 * as its lines do.
 */
function components(edges: readonly (readonly Edge[])[]): number[][] {
  /** By Einsum: its number in the order of visits, and the least number that it leads back to. */
  const visited = new Map<number, number>();
  const back: number[] = [];
  const done = new Set<number>();
  const open: number[] = [];
  const found: number[][] = [];
  for (const root of edges.keys()) {
    if (done.has(root)) continue;
    const frames = [{ node: root, rest: (edges[root] ?? []).values() }];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const { node, rest } = frame;
      if (!visited.has(node)) {
        back[node] = visited.size;
        visited.set(node, visited.size);
        open.push(node);
      }
      const edge = rest.next().value;
      if (edge !== undefined) {
        const at = visited.get(edge.from);
        if (at === undefined) frames.push({ node: edge.from, rest: (edges[edge.from] ?? []).values() });
        else if (!done.has(edge.from)) back[node] = Math.min(back[node] as number, at);
        continue;
      }
      frames.pop();
      const parent = frames.at(-1);
      if (parent !== undefined) back[parent.node] = Math.min(back[parent.node] as number, back[node] as number);
      if (back[node] !== visited.get(node)) continue;
      const members = open.splice(open.indexOf(node));
      for (const member of members) done.add(member);
      found.push(members.sort((a, b) => a - b));
    }
  }
  return found;
}

/**
 * The rank over which a circle of Einsums iterates. Each of them must keep that rank and read the others only at
 * the step it is in, or at the one before: anything else needs values that are not there yet.
 */
function loopOf(
  source: Source,
  einsums: readonly Einsum[],
  edges: readonly (readonly Edge[])[],
  members: readonly number[],
  ranks: RankTable,
): string {
  const inside = members.flatMap(to => (edges[to] ?? []).filter(edge => members.includes(edge.from)));
  const variable = einsums[inside.find(edge => edge.carried)?.from ?? -1]?.iteration?.variable;
  const rank = variable === undefined ? undefined : ranks.ofVariable(variable);
  for (const edge of inside) {
    const [writer, reader] = [einsums[edge.from] as Einsum, einsums[edge.to] as Einsum];
    if (rank !== undefined && staysInTurn(writer, reader, edge.read, rank.name, ranks)) continue;
    throw cyclic(source, einsums, edge, pathBetween(edges, edge.to, edge.from) ?? []);
  }
  return rank?.name ?? "";
}

function staysInTurn(writer: Einsum, reader: Einsum, read: Access, rank: string, ranks: RankTable): boolean {
  const turn = (variable: string | undefined): variable is string =>
    variable !== undefined && ranks.ofVariable(variable).name === rank;
  const position = writer.indices.findIndex(index => turn(shiftedVariable(index)));
  const index = read.indices[position];
  const variable = index && shiftedVariable(index);
  if (!turn(variable)) return false;
  if (writer.iteration !== null && writer.iteration.position !== position) return false;
  if (reader.free.includes(variable)) return writer.iteration !== null || index?.offset.length === 0;
  return isPrefixOf(reader, variable, rank, ranks);
}

/** Whether a reduced variable runs only up to a kept one of the same rank: `k<=i` or `k<i`. */
export function isPrefixOf(einsum: Einsum, variable: string, rank: string, ranks: RankTable): boolean {
  return einsum.filters.some(({ left, relation, right }) => {
    const [low, high] = relation === "<=" || relation === "<" ? [left, right] : [right, left];
    if (relation === "==") return false;
    const kept = shiftedVariable(high);
    if (shiftedVariable(low) !== variable || kept === undefined || !einsum.free.includes(kept)) return false;
    return ranks.ofVariable(kept).name === rank && ranks.byName(rankNameOf(variable))?.name === rank;
  });
}
