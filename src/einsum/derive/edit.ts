import { type Cascade, parseCascade } from "../cascade.js";
import type { Access, Einsum, Expression } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { parseText } from "../parse.js";
import type { Size } from "../size.js";
import { mapAccesses } from "./factors.js";

/** The cascade with the lines of some Einsums replaced by others; none takes a line out. Everything else stays as it is written. */
export function replaceEinsums(cascade: Cascade, by: ReadonlyMap<Einsum, readonly string[]>): Cascade {
  const at = new Map([...by].map(([einsum, lines]) => [einsum.span.line, lines]));
  const lines = cascade.source.lines.flatMap((line, i) => {
    const replacement = at.get(i + 1);
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    return replacement === undefined ? [line] : replacement.map(text => indent + text);
  });
  return parseCascade(lines.join("\n"), cascade.source.name);
}

/** The cascade with a declaration more, before its first Einsum or heading. */
export function withLine(cascade: Cascade, declaration: string): Cascade {
  const { lines, name } = cascade.source;
  const isHead = (line: string): boolean => /^\s*(#|$)|^\s*(inputs|ranks)\s*:/.test(line);
  const at = lines.findIndex(line => !isHead(line));
  return parseCascade([...lines.slice(0, at), declaration, ...lines.slice(at)].join("\n"), name);
}

/** Replaces Einsums as `replaceEinsums` does by lines that iterate over a rank, and says where the iteration stops. */
export function replaceByIteration(
  cascade: Cascade,
  by: ReadonlyMap<Einsum, readonly string[]>,
  variable: string,
): Cascade {
  const stop =
    stopOf(cascade, variable) !== null ? [] : [`until: ${variable} >= ${cascade.ranks.ofVariable(variable).name}`];
  const { lines, name } = cascade.source;
  const end = lines.findLastIndex(line => line.trim() !== "") + 1;
  const source = { name, lines: [...lines.slice(0, end), ...stop, ...lines.slice(end)] };
  return replaceEinsums({ ...cascade, source }, by);
}

const stopsOf = new WeakMap<Cascade["source"], ReadonlyMap<string, Size>>();

/** Where an iteration over a variable stops; null where the text does not say. */
export function stopOf({ source }: Cascade, variable: string): Size | null {
  const stops =
    stopsOf.get(source) ??
    new Map(parseText(source.lines.join("\n"), source.name).stops.map(stop => [stop.variable, stop.limit]));
  stopsOf.set(source, stops);
  return stops.get(variable) ?? null;
}

/**
 * Lines by which every reader of a tensor reads another in its place; `instead` gives the access for one to it. Null where a
 * reader has a filter, which an access holds.
 */
export function readInstead(
  cascade: Cascade,
  tensor: string,
  instead: (access: Access) => Access,
): Map<Einsum, readonly string[]> | null {
  const lines = new Map<Einsum, readonly string[]>();
  for (const einsum of cascade.einsums) {
    if (!einsum.reads.some(read => read.tensor === tensor)) continue;
    if (einsum.filters.length > 0) return null;
    const right = mapAccesses(einsum.right, access => (access.tensor === tensor ? instead(access) : access));
    lines.set(einsum, [withRight(einsum, right)]);
  }
  return lines;
}

/** The Einsum's line with another right-hand side. It must have no filters, which its accesses hold. */
export function withRight(einsum: Einsum, right: Expression): string {
  const reductions = einsum.reductions.map(({ op, variables }) => ` :: ${op}(${variables.join(", ")})`).join("");
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const left = formatLeft(einsum);
  return `${left} = ${formatExpression(right)}${reductions}${annotation}`;
}

/** The left-hand side as it is written; an initialization's coordinate is named. */
export function formatLeft({ tensor, indices, iteration }: Pick<Einsum, "tensor" | "indices" | "iteration">): string {
  if (iteration?.role !== "init") return formatAccess(tensor, indices);
  const written = indices.map((index, i) =>
    i === iteration.position ? `${iteration.variable}=0` : formatAccess("", [index]).slice(1, -1),
  );
  return `${tensor}[${written.join(",")}]`;
}

/** The cascade with only those Einsums that some outputs are made of. */
export function withoutUnused(cascade: Cascade, outputs: readonly string[]): Cascade {
  const { einsums, dependence } = cascade;
  const used = new Set<number>();
  const open = einsums.flatMap(({ tensor }, i) => (outputs.includes(tensor) ? [i] : []));
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (used.has(i)) continue;
    used.add(i);
    for (const { from } of dependence.edges[i] ?? []) open.push(from);
    // What is written in two lines, first and further coordinates, is used as a whole.
    for (const [other, { tensor }] of einsums.entries()) if (tensor === einsums[i]?.tensor) open.push(other);
  }
  if (used.size === einsums.length) return cascade;
  return replaceEinsums(cascade, new Map(einsums.flatMap((einsum, i) => (used.has(i) ? [] : [[einsum, []] as const]))));
}

/** A tensor name that the cascade does not have, nor is among `others`, made of another. */
export function freshName(cascade: Cascade, from: string, others: readonly string[] = []): string {
  const free = isFree(cascade, others);
  for (let n = 1; ; n += 1) {
    const name = `${from}${"S".repeat(n)}`;
    if (free(name)) return name;
  }
}

/** The name itself where the cascade does not have it, else a longer one. */
export function freeName(cascade: Cascade, name: string, others: readonly string[] = []): string {
  return isFree(cascade, others)(name) ? name : freshName(cascade, name, others);
}

function isFree(cascade: Cascade, others: readonly string[]): (name: string) => boolean {
  const ranks = cascade.ranks.ranks.flatMap(rank => rank.names);
  const taken = new Set([...cascade.tensors.keys(), ...ranks, ...others]);
  return name => !taken.has(name);
}
