import type { Cascade } from "../einsum/cascade.js";
import { passesOver } from "../einsum/passes.js";
import type { Rank } from "../einsum/ranks.js";
import { SpecError } from "../errors.js";
import type { Architecture } from "./architecture.js";
import type { Path } from "./document.js";
import type { FusedRead, FusionFacts } from "./fusion-facts.js";
import type { EinsumMapping, Mapping, Partitions } from "./mapping.js";

interface Loop {
  readonly part: string;
  readonly rank: string;
  /** The outermost part of its rank, or all of it. */
  readonly outermost: boolean;
  readonly bounds: string;
}

/** One Einsum as its mapping lays it over the levels. */
export interface FusedNest {
  readonly name: string;
  readonly path: Path;
  readonly spec: EinsumMapping;
  /** The levels from DRAM down to the array's registers. */
  readonly levels: readonly string[];
  readonly partitions: Partitions;
}

/**
 * Checks that what an Einsum reads is where its mapping says, when it reads it. Two Einsums that hand a tensor over in a
 * memory share the loops outside it, as far as these are the same. If both have loops over the tensor left then, neither
 * holds all that passes between them: what the first tile made is gone when it is read.
 * @throws SpecError at the reading Einsum's field
 */
export function checkFusion(
  mapping: Mapping,
  architecture: Architecture,
  facts: FusionFacts,
  at: (path: Path) => string,
): void {
  const nests = Object.entries(mapping.einsums).flatMap(([name, entry]): FusedNest[] => {
    const variants: readonly EinsumMapping[] = "variants" in entry ? entry.variants : [entry];
    return variants.map((spec, i) => ({
      name,
      spec,
      path: "variants" in entry ? ["einsums", name, "variants", i] : ["einsums", name],
      levels: levelsOf(architecture, spec.array),
      partitions: { ...mapping.partitions, ...spec.partitions },
    }));
  });
  /** Whether what an Einsum reads comes to it straight from the one that makes it. */
  const handed = (reader: FusedNest, read: FusedRead): boolean =>
    makersOf(nests, reader, read).some(maker => hands(maker, maker.spec.output, reader, read, architecture, facts));
  for (const reader of nests) {
    for (const read of facts.reads(reader.name)) {
      const [maker] = makersOf(nests, reader, read);
      if (Object.hasOwn(reader.spec.assumed ?? {}, read.name)) continue;
      if (maker === undefined || keptAt(reader, read.name).length === 0 || handed(reader, read)) continue;
      // Or another that had it so has left it there.
      const left = nests.some(other => {
        const same = facts.reads(other.name).find(({ name }) => name === read.name);
        if (other.name === reader.name || same === undefined || !handed(other, same)) return false;
        return hands(other, read.name, reader, { ...read, when: "now" }, architecture, facts, true);
      });
      if (!left) throw complaint(reader, read, maker, at);
    }
  }
}

/** The Einsums that make what another reads; itself only where it reads what its last iteration left. */
const makersOf = (nests: readonly FusedNest[], reader: FusedNest, { tensor, when }: FusedRead): readonly FusedNest[] =>
  nests.filter(({ spec, name }) => spec.output === tensor && (name !== reader.name || when === "carried"));

function complaint(reader: FusedNest, read: FusedRead, maker: FusedNest, at: (path: Path) => string): SpecError {
  const order = (nest: FusedNest): string =>
    nest.levels
      .flatMap(level => nest.spec.loops[level] ?? [])
      .slice(0, 8)
      .join(", ");
  const levels = keptAt(reader, read.name);
  return new SpecError({
    where: at([...reader.path, "keep", levels[0] ?? ""]),
    got: `${read.name}, read at ${levels.join(", ")} under loops over ${order(reader)}, where ${maker.name} has made it at ${keptAt(maker, maker.spec.output).join(", ")} under loops over ${order(maker)}`,
    expected:
      read.when === "carried"
        ? `a memory of both that keeps all of ${read.tensor} until the next tile`
        : `a memory of both that holds all that is made of it until it is read`,
    fix: read.slides
      ? "keep it in a memory without loops outside: windows over it slide from tile to tile"
      : "give both the same loops outside that memory, or keep it further out",
  });
}

function keptAt({ spec: { keep } }: FusedNest, tensor: string): readonly string[] {
  return Object.entries(keep).flatMap(([level, kept]) =>
    (Array.isArray(kept) ? kept.includes(tensor) : Object.hasOwn(kept, tensor)) ? [level] : [],
  );
}

/**
 * Whether a tensor that one Einsum has at the level `from` is there for another that keeps it at `to`, all of what it reads.
 * @param isReader whether the first has read it too, and not made it
 */
export function handsOverAt(
  source: FusedNest,
  from: string,
  reader: FusedNest,
  to: string,
  read: FusedRead,
  architecture: Architecture,
  facts: FusionFacts,
  isReader = false,
): boolean {
  const physical = (level: string): string => {
    const spec = architecture.levels[level];
    return spec?.kind === "registers" ? (spec.sameAs ?? level) : level;
  };
  if (physical(from) !== physical(to)) return false;
  const [a, b] = [outside(source, from, architecture), outside(reader, to, architecture)];
  return holds(source, a, reader, b, read, facts, isReader);
}

/** Whether some memory hands a tensor from one Einsum to another. */
function hands(
  source: FusedNest,
  name: string,
  reader: FusedNest,
  read: FusedRead,
  architecture: Architecture,
  facts: FusionFacts,
  isReader = false,
): boolean {
  return keptAt(source, name).some(from =>
    keptAt(reader, read.name).some(to => handsOverAt(source, from, reader, to, read, architecture, facts, isReader)),
  );
}

function holds(
  source: FusedNest,
  a: readonly Loop[],
  reader: FusedNest,
  b: readonly Loop[],
  read: FusedRead,
  facts: FusionFacts,
  isReader: boolean,
): boolean {
  // Windows want words of several tiles: they find them where the whole tensor is.
  if (read.slides === true) return a.length === 0 && b.length === 0;
  const iterates = facts.iterates(read.tensor);
  const ranks = facts.ranks(read.tensor);
  const isOver = ({ part, rank }: Loop): boolean => ranks.includes(part) || ranks.includes(rank);
  const isIteration = ({ part, rank }: Loop): boolean => iterates.includes(part) || iterates.includes(rank);
  const relevant = (loop: Loop): boolean => isOver(loop) && !(read.when !== "now" && isIteration(loop));
  let shared = 0;
  let rest: { readonly a: boolean; readonly b: boolean } = { a: false, b: false };
  for (; shared < Math.min(a.length, b.length); shared += 1) {
    const [x, y] = [a[shared] as Loop, b[shared] as Loop];
    // What the source sums over is there after its last iteration, and so is what an iteration leaves. A mapping without a
    // cascade does not say whether a partial sum or a whole one is handed on.
    if (!isReader && facts.cascade !== undefined && !isOver(x)) break;
    if (read.when === "last" && isIteration(x)) break;
    if (!mayShare(facts, source.name, reader.name, x.part)) break;
    if (x.part === y.part && x.bounds === y.bounds) {
      if (read.when !== "carried" || !isIteration(x)) continue;
      shared += 1;
      break;
    }
    // All of a rank is its outermost part around the rest.
    if (x.rank !== y.rank || !x.outermost || !y.outermost || (x.part !== x.rank && y.part !== y.rank)) break;
    rest = { a: x.part === x.rank && relevant(x), b: y.part === y.rank && relevant(y) };
    shared += 1;
    break;
  }
  const left = (loops: readonly Loop[]): boolean => loops.slice(shared).some(relevant);
  return !(rest.a || left(a)) || !(rest.b || left(b));
}

/** Whether two Einsums can share a loop over a part of a rank: the pass analysis rules out those of different passes. */
function mayShare({ cascade, indexOf, rankOf }: FusionFacts, a: string, b: string, part: string): boolean {
  const [first, second, rank] = [indexOf(a), indexOf(b), rankOf(part)];
  if (cascade === undefined || rank === undefined || first === undefined || second === undefined) return true;
  const pass = passesOnce(cascade, rank);
  return pass[first] === pass[second];
}

const knownPasses = new WeakMap<Cascade, Map<Rank, readonly number[]>>();

/** The pass of each Einsum over a rank, worked out once a cascade. */
function passesOnce(cascade: Cascade, rank: Rank): readonly number[] {
  const known = knownPasses.get(cascade) ?? new Map<Rank, readonly number[]>();
  knownPasses.set(cascade, known);
  const passes = known.get(rank) ?? passesOver(cascade, rank).einsums.map(({ pass }) => pass);
  known.set(rank, passes);
  return passes;
}

/** The loops in time outside a level, outermost first. */
function outside(nest: FusedNest, level: string, architecture: Architecture): readonly Loop[] {
  const { levels, spec, partitions } = nest;
  // Iterations that are dealt to the instances of a fan-out are no iterations of a memory outside it.
  const dealt = levels.slice(0, levels.indexOf(level)).flatMap(fanout => {
    const loops = spec.spread?.[fanout];
    return loops === undefined ? [] : [`${fanout}: ${loops.join()}`];
  });
  return levels.slice(0, levels.indexOf(level)).flatMap(outer => {
    if (architecture.levels[outer]?.kind === "fanout") return [];
    return (spec.loops[outer] ?? []).flatMap((part): Loop[] => {
      const rank = Object.keys(partitions).find(name => part in (partitions[name] ?? {})) ?? part;
      const parts = Object.entries(partitions[rank] ?? {});
      if (parts.find(([name]) => name === part)?.[1] === 1) return [];
      const bounds = (part === rank ? "" : JSON.stringify(parts)) + dealt.join();
      return [{ part, rank, outermost: part === rank || parts[0]?.[0] === part, bounds }];
    });
  });
}

function levelsOf(architecture: Architecture, array: string): readonly string[] {
  const levels: string[] = [];
  for (let name = architecture.arrays[array]?.at; name !== undefined; ) {
    const level: Architecture["levels"][string] | undefined = architecture.levels[name];
    if (level === undefined || levels.includes(name)) break;
    levels.unshift(name);
    name = level.kind === "dram" ? undefined : level.within;
  }
  return levels;
}
