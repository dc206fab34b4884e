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
  const component = components(edges);
  const groups = orderGroups(component, edges).map(members => {
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

/** Tarjan's strongly connected components, without recursion; the component's number for each Einsum. */
function components(edges: readonly (readonly Edge[])[]): number[] {
  const count = edges.length;
  const index = new Array<number>(count).fill(-1);
  const low = new Array<number>(count).fill(0);
  const component = new Array<number>(count).fill(-1);
  const stack: number[] = [];
  let [clock, found] = [0, 0];
  for (let root = 0; root < count; root += 1) {
    if (index[root] !== -1) continue;
    const frames: { node: number; next: number }[] = [{ node: root, next: 0 }];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const { node } = frame;
      if (frame.next === 0) {
        index[node] = low[node] = clock++;
        stack.push(node);
      }
      const edge = edges[node]?.[frame.next++];
      if (edge !== undefined) {
        if (index[edge.from] === -1) frames.push({ node: edge.from, next: 0 });
        else if (component[edge.from] === -1) low[node] = Math.min(low[node] as number, index[edge.from] as number);
        continue;
      }
      frames.pop();
      const parent = frames.at(-1);
      if (parent !== undefined) low[parent.node] = Math.min(low[parent.node] as number, low[node] as number);
      if (low[node] !== index[node]) continue;
      for (let member = stack.pop(); member !== undefined; member = member === node ? undefined : stack.pop()) {
        component[member] = found;
      }
      found += 1;
    }
  }
  return component;
}

/** The components in an order in which each comes after what it needs, otherwise in the order of their first lines. */
function orderGroups(component: readonly number[], edges: readonly (readonly Edge[])[]): number[][] {
  const members = new Map<number, number[]>();
  for (const [einsum, c] of component.entries()) members.set(c, [...(members.get(c) ?? []), einsum]);
  const done = new Set<number>();
  const ordered: number[][] = [];
  // A depth-first walk in the order of the lines; the components make a graph without circles.
  for (const start of component) {
    const frames = [{ c: start, needs: needsOf(start) }];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const next = done.has(frame.c) ? undefined : frame.needs.pop();
      if (next !== undefined) {
        if (!done.has(next)) frames.push({ c: next, needs: needsOf(next) });
        continue;
      }
      frames.pop();
      if (done.has(frame.c)) continue;
      done.add(frame.c);
      ordered.push(members.get(frame.c) ?? []);
    }
  }
  return ordered;

  function needsOf(c: number): number[] {
    const from = (members.get(c) ?? []).flatMap(e => (edges[e] ?? []).map(edge => component[edge.from] as number));
    return [...new Set(from)].filter(other => other !== c).sort((a, b) => b - a);
  }
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
  const step = einsums[inside.find(edge => edge.carried)?.from ?? -1];
  const rank = step?.iteration === null || step === undefined ? undefined : ranks.ofVariable(step.iteration.variable);
  for (const edge of inside) {
    const [writer, reader] = [einsums[edge.from] as Einsum, einsums[edge.to] as Einsum];
    if (rank !== undefined && staysInTurn(writer, reader, edge.read, rank.name, ranks)) continue;
    const circle = pathBetween(
      members.reduce<Edge[][]>((kept, to) => {
        kept[to] = (edges[to] ?? []).filter(e => members.includes(e.from));
        return kept;
      }, []),
      edge.to,
      edge.from,
    );
    throw cyclic(source, einsums, edge, circle ?? [edge.to, edge.from]);
  }
  return rank?.name ?? "";
}

function staysInTurn(writer: Einsum, reader: Einsum, read: Access, rank: string, ranks: RankTable): boolean {
  const turn = (variable: string | undefined): boolean =>
    variable !== undefined && ranks.ofVariable(variable).name === rank;
  const position = writer.indices.findIndex(index => turn(shiftedVariable(index)));
  const variable =
    position === -1 ? undefined : shiftedVariable(read.indices[position] ?? { terms: [], offset: [], span: read.span });
  if (variable === undefined || !turn(variable)) return false;
  if (writer.iteration !== null && writer.iteration.position !== position) return false;
  if (reader.free.includes(variable)) return writer.iteration !== null || read.indices[position]?.offset.length === 0;
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
