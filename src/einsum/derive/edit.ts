import { type Cascade, parseCascade } from "../cascade.js";
import type { Einsum } from "../einsum.js";

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

/** A tensor name that the cascade does not have, nor is among `others`, made of another. */
export function freshName(cascade: Cascade, from: string, others: readonly string[] = []): string {
  const ranks = cascade.ranks.ranks.flatMap(rank => rank.names);
  const taken = new Set([...cascade.tensors.keys(), ...ranks, ...others]);
  for (let n = 1; ; n += 1) {
    const name = `${from}${"S".repeat(n)}`;
    if (!taken.has(name)) return name;
  }
}
