import type { Cascade } from "../einsum/cascade.js";
import { type Einsum, type Index, rankNameOf } from "../einsum/einsum.js";
import { splitOf } from "../einsum/split.js";
import { SpecError } from "../errors.js";
import type { Path } from "./document.js";
import type { Partitions } from "./mapping.js";

/** How a mapping names the ranks of a cascade: it may cut them, and cut again what the cascade cuts. */
export class PlacedRanks {
  private readonly cascade: Cascade;
  /** Every rank and loop that the mapping names. */
  private readonly named: ReadonlySet<string>;

  constructor(cascade: Cascade, named: ReadonlySet<string>) {
    this.cascade = cascade;
    this.named = named;
  }

  /**
   * What an Einsum calls the rank of one of its variables: the rank's name, of several the one that the mapping has; where
   * two of its variables run over one rank, the variable's own.
   */
  nameOf(einsum: Pick<Einsum, "free" | "reduced">, variable: string): string {
    const rank = this.cascade.ranks.ofVariable(variable);
    const others = [...einsum.free, ...einsum.reduced].filter(other => other !== variable);
    if (others.some(other => this.cascade.ranks.ofVariable(other) === rank)) return rankNameOf(variable);
    return rank.names.find(name => this.named.has(name)) ?? rank.name;
  }

  /** The ranks of some indices as an Einsum calls them. */
  ofIndices(einsum: Pick<Einsum, "free" | "reduced">, indices: readonly Index[]): string[] {
    return [...new Set(indices.flatMap(({ terms }) => terms.map(t => this.nameOf(einsum, t.variable))))];
  }

  /** A rank in the place of all of its parts. */
  joined(names: readonly string[]): string[] {
    let joined = [...names];
    for (const { name, parts } of this.cascade.ranks.ranks) {
      if (parts.length < 2 || !parts.every(part => joined.includes(part))) continue;
      const first = joined.findIndex(other => parts.includes(other));
      joined = joined.flatMap((other, i) => (i === first ? [name] : parts.includes(other) ? [] : [other]));
    }
    return joined;
  }

  /**
   * What the mapping has in the place of a rank: itself, or, where the cascade has it as a part of another that the mapping
   * cuts, the parts of the mapping that it stands for: M1 of M = M1 * M0 is M2 and M1 of M2, M1, M0.
   * @throws SpecError where the mapping's parts have nothing for one of the cascade's.
   */
  inMapping(rank: string, partitions: Partitions, at: (path: Path) => string): readonly string[] {
    if (partitions[rank] !== undefined) return [rank];
    const whole = this.cascade.ranks.ranks.find(({ name, parts }) => name !== rank && parts.includes(rank));
    const cut = whole === undefined ? undefined : partitions[whole.name];
    if (whole === undefined || cut === undefined) return [rank];
    const own = splitOf(this.cascade, whole);
    const segments = segmentsOf(own, Object.keys(cut));
    const empty = own.find((_, i) => segments[i]?.length === 0);
    if (empty === undefined) return segments[own.indexOf(rank)] as string[];
    throw new SpecError({
      where: at(["partitions", whole.name]),
      got: `${whole.name} cut into ${Object.keys(cut).join(", ")}`,
      expected: `${own.join(", ")} among them, into which ${this.cascade.name} cuts it`,
      fix: `the cascade's ${empty} has to be a part, or several in a row of which ${empty} is the last`,
    });
  }
}

/** For each part of a cascade's rank the mapping's parts that it stands for; a part of that name ends its segment. */
function segmentsOf(parts: readonly string[], cut: readonly string[]): string[][] {
  const segments = parts.map((): string[] => []);
  let current = 0;
  for (const part of cut) {
    const own = parts.indexOf(part);
    if (own > current) current = own;
    segments[current]?.push(part);
    if (own === current && current < parts.length - 1) current += 1;
  }
  return segments;
}
