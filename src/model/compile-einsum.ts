import { SpecError } from "../errors.js";
import type { Architecture } from "../spec/architecture.js";
import type { Path } from "../spec/document.js";
import type { Compiled, Formula } from "../spec/expression.js";
import type { EinsumMapping, Keep, Mapping } from "../spec/mapping.js";
import type { CompiledLevel } from "./compile-levels.js";
import { type CoupledRanks, coupleRanks } from "./coupled-counts.js";
import type { Place } from "./field-reads.js";
import { coupledRoles, type MaskRole } from "./mask-ranks.js";
import { type NestShape, nestShape } from "./nest.js";
import { type RankCount, rankCount } from "./partition.js";
import type { RankCounts } from "./rank-counts.js";
import { spreadLoops } from "./spread-loops.js";
import { type Program, scoped } from "./symbols.js";

/** One Einsum (or one variant of it) as a nest with closures for its numbers. */
export interface CompiledEinsum {
  readonly name: string;
  readonly array: string;
  readonly when: Compiled | undefined;
  readonly shape: NestShape;
  /** The same nest with the ranks that a mask couples as one; undefined where it has neither queries nor keys. */
  readonly coupled: CoupledRanks | undefined;
  readonly levelNames: readonly string[];
  /** The levels from DRAM down. */
  readonly path: readonly CompiledLevel[];
  /** Per tensor its seat in the buffers. */
  readonly seats: readonly number[];
  /** Per tensor the bits of an element in memory, its share of scales included. */
  readonly bits: readonly Compiled[];
  /** The fan-outs with the loops (a mask of bits) over each. */
  readonly fanouts: readonly { readonly level: string; readonly loops: number }[];
  /** Those over which iterations of loops are dealt, in the order of `shape.spread`. */
  readonly spreadOver: readonly string[];
  /** Per rank of the shape: its size, and its parts' bounds outermost first (none: the rank is one loop). */
  readonly ranks: readonly {
    readonly name: string;
    readonly role: MaskRole;
    /** Where its loops are among the shape's bits, and what they are called. */
    readonly shift: number;
    readonly parts: readonly string[];
    readonly size: number;
    readonly bounds: readonly number[];
    /** The outermost bound is given, not derived, and may fail to cover the rank. */
    readonly given: boolean;
    readonly at: () => string;
  }[];
  /** Per tensor of the shape the levels that may keep it, and on what condition. */
  readonly keep: readonly { readonly level: number; readonly condition: Compiled | undefined }[][];
  /** The same as plain lists, when they have no conditions. */
  readonly alwaysKept: readonly (readonly number[])[] | undefined;
  /** The ranks' counts and their tables, shared with Einsums that cut a rank alike; each layout brings them up to date. */
  readonly ranksAlone: readonly RankCount[];
  readonly tables: RankCounts;
  /** Strides of windows, as the tensors of the shape number them. */
  readonly strides: readonly Compiled[];
  readonly operations: readonly { readonly name: string; readonly perPoint: Compiled }[];
  /** Cycles per point, when they are not the operations' own. */
  readonly cycles: Compiled | undefined;
  /** Share of a tensor's buffer accesses that goes to DRAM. */
  readonly spill: ReadonlyMap<string, Compiled>;
  readonly choices: readonly {
    readonly symbol: string;
    readonly slot: number;
    readonly upTo: Compiled;
    readonly partial: Compiled;
    readonly published: Compiled | undefined;
  }[];
  /** Fills in what depends on the choices. */
  readonly applyChoices: (values: Float64Array) => void;
  /** Einsums that are mapped alike have the same key. */
  readonly mappingKey: string;
  /** The slots that fix what each combination of choices does: its sizes, bounds and conditions. */
  readonly choiceInputs: readonly number[];
  readonly at: (path: Path) => string;
}

export interface EinsumContext {
  readonly architecture: Architecture;
  readonly mapping: Mapping;
  readonly program: Program;
  /** What the rank whose size is in a slot is to a mask. */
  readonly roleOf: (slot: number) => MaskRole;
  readonly levels: ReadonlyMap<string, CompiledLevel>;
  /** Counts of ranks by how they are cut, shared between Einsums. */
  readonly ranks: Map<string, RankCount>;
  /** Seats in buffers by name, numbered as they are met. */
  readonly seats: Map<string, number>;
  /** Bits of a tensor's elements in memory, over the workload's sizes. */
  readonly bits: (tensor: string) => Formula;
  readonly at: (path: Path) => string;
  readonly place: (path: Path) => Place;
}

/** Checks one Einsum of a mapping against the architecture and makes it ready to run. Throws SpecError. */
export function compileEinsum(
  name: string,
  spec: EinsumMapping,
  path: Path,
  scope: string,
  context: EinsumContext,
): CompiledEinsum {
  const { architecture, mapping, program } = context;
  const at = (inner: Path): string => context.at([...path, ...inner]);
  const levels = levelsOf(architecture, spec.array, () => at(["array"]));
  const levelIndex = (level: string, where: Path): number => {
    const found = levels.indexOf(level);
    if (found >= 0) return found;
    const expected = `a level above the ${spec.array} array: ${levels.join(", ")}`;
    throw new SpecError({ where: at(where), got: `the level '${level}'`, expected });
  };

  // Ranks and loops: a loop's name is a part of a rank, or a rank that is not cut.
  const partitions = { ...mapping.partitions, ...spec.partitions };
  const looped = levels.flatMap((level, index) => (spec.loops[level] ?? []).map(part => ({ part, index, level })));
  for (const level of Object.keys(spec.loops)) levelIndex(level, ["loops", level]);
  const rankOf = (part: string): string =>
    Object.keys(partitions).find(rank => part in (partitions[rank] ?? {})) ?? part;
  // Ranks that a mask couples come first: their bits are neighbours.
  const used = [...new Set(looped.map(({ part }) => rankOf(part)))];
  const sized = used.map(rank => {
    const whole = looped.some(({ part }) => part === rank);
    const parts = whole ? [rank] : Object.keys(partitions[rank] ?? {});
    const own = rank in (spec.partitions ?? {});
    const where = (): string =>
      own ? at(["partitions", rank]) : whole ? at(["loops"]) : context.at(["partitions", rank]);
    const slot = (symbol: string): number => program.slotOf(symbol, scope, where);
    const given = !whole && partitions[rank]?.[parts[0] as string] !== "rest";
    const size = slot(rank);
    return {
      name: rank,
      parts,
      size,
      role: context.roleOf(size),
      bounds: whole ? [] : parts.map(slot),
      given,
      at: where,
    };
  });
  let shift = 0;
  const ranks = [...coupledRoles, undefined]
    .flatMap(role => sized.filter(rank => rank.role === role))
    .map(rank => {
      const first = shift;
      shift += rank.parts.length;
      return { ...rank, shift: first };
    });
  const bitOf = (part: string): number => {
    const rank = ranks.find(({ parts }) => parts.includes(part));
    return rank === undefined ? -1 : rank.shift + rank.parts.indexOf(part);
  };
  const seen = new Set<string>();
  for (const { part, level } of looped) {
    if (seen.has(part))
      throw new SpecError({ where: at(["loops", level]), got: `the loop ${part} twice`, expected: "each loop once" });
    const outer = ranks.find(({ parts }) => parts.includes(part))?.parts ?? [];
    const inside = outer.slice(outer.indexOf(part) + 1).find(inner => seen.has(inner));
    if (inside !== undefined) {
      const expected = `the parts of a rank outermost first, ${outer.join(" around ")}`;
      throw new SpecError({ where: at(["loops", level]), got: `the loop ${part} inside ${inside}`, expected });
    }
    seen.add(part);
  }

  const strideFormulas: Formula[] = [];
  const tensors = [...new Set([...spec.inputs, spec.output])].map(tensor => {
    const own = spec.tensors?.[tensor] ?? mapping.tensors[tensor];
    if (own === undefined) {
      const field = tensor === spec.output ? ["output"] : ["inputs", spec.inputs.indexOf(tensor)];
      const expected = `a tensor listed under tensors: ${Object.keys(mapping.tensors).join(", ")}`;
      throw new SpecError({
        where: at(field),
        got: `no tensor '${tensor}'`,
        expected,
        fix: "list it with its ranks",
      });
    }
    const output = tensor === spec.output;
    let relevant = 0;
    for (const rank of own) {
      const parts = ranks.find(r => r.name === rank)?.parts ?? [rank];
      for (const part of parts) {
        if (seen.has(part)) relevant |= 1 << bitOf(part);
        else if (parts.length > 1 || output) {
          const fix = `put ${part} among the loops of a level`;
          throw new SpecError({
            where: at(["loops"]),
            got: `no loop over ${part}`,
            expected: `loops that cover ${tensor}`,
            fix,
          });
        }
      }
    }
    const windows = spec.windows?.[tensor]?.map(window =>
      window.map(({ rank, stride }) => {
        strideFormulas.push(stride);
        return { rank: ranks.findIndex(({ name }) => name === rank), stride: strideFormulas.length - 1 };
      }),
    );
    return { name: tensor, output, relevant, windows };
  });

  const read = new Set<number>();
  const compileHere = (formula: string | number, where: Path): Compiled => {
    const place = context.place([...path, ...where]);
    for (const slot of program.slotsIn(formula, scope, place)) read.add(slot);
    return program.compile(formula, scope, place);
  };
  const keep = keptLevels(
    spec,
    tensors.map(t => t.name),
    levels,
    levelIndex,
    at,
    compileHere,
  );
  levels.forEach(level => {
    if (architecture.levels[level]?.kind !== "fanout" || spec.keep[level] === undefined) return;
    throw new SpecError({
      where: at(["keep", level]),
      got: `tensors kept at the fan-out ${level}`,
      expected: "a memory",
    });
  });

  const spread = spreadLoops(spec, levels, architecture, at);
  const shape = nestShape({
    ...(spread.length === 0
      ? {}
      : {
          spread: spread.map(({ level, loops }) => ({
            level,
            loops: loops.reduce((mask, part) => mask | (1 << bitOf(part)), 0),
          })),
        }),
    levels: levels.map(level => ({ name: level, spatial: architecture.levels[level]?.kind === "fanout" })),
    loops: looped.map(({ part, index }) => ({ level: index, bit: bitOf(part) })),
    ranks: ranks.map(({ shift, parts }) => ({ shift, parts: parts.length })),
    tensors,
  });
  const ranksAlone = ranks.map(({ shift, size, bounds, given, parts }) => {
    const spatial = (shape.masks.spatial >>> shift) & ((1 << parts.length) - 1);
    const key = [size, given, spatial, ...bounds].join();
    const shared = context.ranks.get(key) ?? rankCount(parts.length, spatial);
    context.ranks.set(key, shared);
    return shared;
  });
  const seatOf = (tensor: string): number => {
    if (!context.seats.has(tensor)) context.seats.set(tensor, context.seats.size);
    return context.seats.get(tensor) as number;
  };
  const choiceSlot = (symbol: string): number =>
    program.slotOf(scoped(scope, symbol), undefined, () => at(["choose", symbol]));
  const choiceSlots = Object.keys(spec.choose ?? {}).map(choiceSlot);
  const choices = Object.entries(spec.choose ?? {}).map(([symbol, choice]) => ({
    symbol,
    slot: choiceSlot(symbol),
    upTo: compileHere(choice.upTo, ["choose", symbol, "upTo"]),
    partial: compileHere(choice.partial, ["choose", symbol, "partial"]),
    published:
      choice.published === undefined ? undefined : compileHere(choice.published, ["choose", symbol, "published"]),
  }));
  const strides = strideFormulas.map(stride => compileHere(stride, ["loops"]));
  const spill = new Map(Object.entries(spec.spill ?? {}).map(([t, share]) => [t, compileHere(share, ["spill", t])]));
  const fanouts = levels
    .filter(level => architecture.levels[level]?.kind === "fanout")
    .map(level => ({
      level,
      loops: looped.reduce((mask, { part, level: at }) => (at === level ? mask | (1 << bitOf(part)) : mask), 0),
    }));
  const onArray = architecture.arrays[spec.array]?.operations ?? {};
  return {
    name,
    array: spec.array,
    when: spec.when === undefined ? undefined : program.compile(spec.when, undefined, context.place([...path, "when"])),
    shape,
    coupled: coupleRanks(
      shape,
      ranks.map(({ role }) => role),
    ),
    levelNames: levels,
    path: levels.map(level => context.levels.get(level) as CompiledLevel),
    seats: tensors.map(({ name }) => seatOf(mapping.inPlace?.[name] ?? name)),
    bits: tensors.map(({ name }) => program.compile(context.bits(name), undefined, () => at(["keep"]))),
    fanouts,
    spreadOver: spread.map(({ level }) => levels[level] as string),
    ranks,
    keep,
    alwaysKept: keep.every(list => list.every(({ condition }) => condition === undefined))
      ? keep.map(list => list.map(({ level }) => level))
      : undefined,
    ranksAlone,
    tables: Object.assign(
      ranksAlone.map(({ table }) => table),
      { alone: ranksAlone, strides: new Float64Array(strides.length) },
    ),
    strides,
    operations: Object.entries(spec.operations).map(([operation, perPoint]) => {
      if (!(operation in onArray)) {
        const expected = `one of its operations ${Object.keys(onArray).join(", ")}`;
        throw new SpecError({
          where: at(["operations", operation]),
          got: `${operation} on the ${spec.array} array, which lacks it`,
          expected,
        });
      }
      return { name: operation, perPoint: compileHere(perPoint, ["operations", operation]) };
    }),
    cycles: spec.cycles === undefined ? undefined : compileHere(spec.cycles, ["cycles"]),
    spill,
    choices,
    applyChoices: program.rerun(choiceSlots),
    mappingKey: spec.choose === undefined ? "" : JSON.stringify(spec),
    choiceInputs: program.fixing(
      [
        ...read,
        ...ranks.flatMap(({ size, bounds }) => [size, ...bounds]),
        ...fanouts.map(({ level }) => program.slotOf(`${level}.size`, undefined, () => at(["loops", level]))),
      ],
      choiceSlots,
    ),
    at,
  };
}

/** The levels from DRAM down to an array's registers. */
function levelsOf(architecture: Architecture, array: string, at: () => string): readonly string[] {
  const spec = architecture.arrays[array];
  if (spec === undefined) {
    const expected = `one of the arrays ${Object.keys(architecture.arrays).join(", ")}`;
    throw new SpecError({ where: at(), got: `the array '${array}'`, expected });
  }
  const levels: string[] = [];
  for (let name: string | undefined = spec.at; name !== undefined; ) {
    levels.unshift(name);
    const level: Architecture["levels"][string] | undefined = architecture.levels[name];
    name = level === undefined || level.kind === "dram" ? undefined : level.within;
  }
  return levels;
}

function keptLevels(
  spec: EinsumMapping,
  tensors: readonly string[],
  levels: readonly string[],
  levelIndex: (level: string, where: Path) => number,
  at: (path: Path) => string,
  compile: (formula: string | number, where: Path) => Compiled,
): { level: number; condition: Compiled | undefined }[][] {
  const kept = tensors.map((): { level: number; condition: Compiled | undefined }[] => []);
  for (const [level, keep] of Object.entries(spec.keep) as [string, Keep][]) {
    const index = levelIndex(level, ["keep", level]);
    const entries: [string, string | number | undefined][] = Array.isArray(keep)
      ? (keep as readonly string[]).map(tensor => [tensor, undefined])
      : Object.entries(keep as Readonly<Record<string, string | number>>);
    for (const [tensor, condition] of entries) {
      const t = tensors.indexOf(tensor);
      if (t < 0) {
        const expected = `one of its tensors ${tensors.join(", ")}`;
        throw new SpecError({ where: at(["keep", level]), got: `the tensor '${tensor}'`, expected });
      }
      kept[t]?.push({
        level: index,
        condition: condition === undefined ? undefined : compile(condition, ["keep", level, tensor]),
      });
    }
  }
  kept.forEach((list, t) => {
    list.sort((a, b) => a.level - b.level);
    if (list.length > 0) return;
    const got = `no level that keeps ${tensors[t]}`;
    throw new SpecError({ where: at(["keep"]), got, expected: `${tensors[t]} kept at one of ${levels.join(", ")}` });
  });
  return kept;
}
