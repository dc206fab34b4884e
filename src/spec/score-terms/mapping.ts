import type { BiasRanks } from "../../attention/score-terms.js";
import { SpecError } from "../../errors.js";
import type { Architecture } from "../architecture.js";
import type { Design } from "../design.js";
import { type Document, withSchema } from "../document.js";
import type { Formula } from "../expression.js";
import type { EinsumMapping, Mapping, Partitions, WrittenMapping } from "../mapping.js";
import { writtenMappingSchema } from "../mapping.js";
import type { PlacedEinsum } from "../placement.js";
import type { ScoreCascade, TermEinsum } from "./cascade.js";
import { type Kept, keepOf, keptOf, type Place, renamedIn, without } from "./keep.js";
import { newtonMacs, newtonSource, pathOf, type TermArrays, variantsOf } from "./place.js";

/**
 * The mapping with the Einsums of a soft-cap and a bias: each has the loops of the Einsum beside which it is, and takes
 * what it reads from the PE's registers, or, where that Einsum takes scores from a memory, from there.
 */
export function mappingWithTerms(
  design: Design,
  scores: ScoreCascade,
  arrays: TermArrays,
  bias: BiasRanks | null,
): Document<WrittenMapping> {
  const raw = new TermPlaces(design, scores, arrays).written(bias);
  return { ...withSchema(design.mapping, raw, writtenMappingSchema), shipped: false };
}

class TermPlaces {
  private readonly architecture: Architecture;
  private readonly data: Mapping;
  private readonly placement: readonly PlacedEinsum[];
  private readonly maker: PlacedEinsum;
  private readonly path: readonly string[];
  private readonly registers: string;

  constructor(
    private readonly design: Design,
    private readonly scores: ScoreCascade,
    private readonly arrays: TermArrays,
  ) {
    this.architecture = design.architecture.data;
    this.data = design.mapping.data;
    this.placement = design.placement ?? [];
    this.maker = this.placement.find(({ output }) => output === scores.score) as PlacedEinsum;
    this.path = pathOf(this.architecture, arrays.home);
    this.registers = this.path.at(-1) as string;
  }

  written(bias: BiasRanks | null): object {
    const { data, scores, design } = this;
    const einsums: Record<string, unknown> = {};
    for (const placed of this.placement) {
      einsums[placed.name] = entryOf(variantsOf(design, placed.name).map(variant => this.kept(placed, variant)));
      if (placed !== this.maker) continue;
      const base = variantsOf(design, (this.arrays.reader ?? this.maker).name);
      for (const term of scores.added) einsums[term.name] = entryOf(base.map(variant => this.place(term, variant)));
    }
    const reserved = scores.bias === null ? undefined : this.reserved(scores.bias);
    return {
      ...(design.mapping.raw as object),
      symbols: mapped(data.symbols, reserved),
      corrections: this.corrections(reserved),
      tensors: mapped(data.tensors, ranks => ({ ranks, source: "the design's own" })),
      inPlace: { ...data.inPlace, [scores.final]: data.inPlace?.[scores.score] ?? scores.score },
      batch: scores.bias === null ? data.batch : { ...data.batch, [scores.bias]: this.batchOf(bias) },
      einsums,
    };
  }

  /** An Einsum of the design's own: it reads the scores that are capped and biased. */
  private kept({ name, isPart, einsum, reads }: PlacedEinsum, variant: EinsumMapping): object {
    const { score, final } = this.scores;
    const { inputs, output, operations, tensors: _, ...rest } = variant;
    const reader = reads.some(({ tensor }) => tensor === score);
    const own = {
      ...rest,
      ...(isPart ? { of: einsum.tensor, inputs: inputs.map(name => (name === score ? final : name)), output } : {}),
      ...(isPart || variant.source !== undefined ? { operations } : {}),
    };
    if (name === this.maker.name && this.arrays.reader === undefined && this.isInside(variant)) {
      const keep = keepOf([...this.others(variant, score), [score, [[this.registers, undefined]]]]);
      return { ...without(own, score), keep };
    }
    if (!reader) return own;
    if (name !== this.arrays.reader?.name) return renamedIn(own, score, final);
    // The maximum that the cap and the bias come before takes them as they are made.
    const others = keepOf([...this.others(variant, score), [final, [[this.registers, undefined]]]]);
    return { ...without(own, score), keep: others };
  }

  private others(variant: EinsumMapping, tensor: string): Kept[] {
    return [...new Set(Object.values(variant.keep).flatMap(kept => (Array.isArray(kept) ? kept : Object.keys(kept))))]
      .filter(name => name !== tensor)
      .map(name => [name, keptOf(variant, name)]);
  }

  /** Whether a PE has a score when its innermost loops end: whatever is summed over is innermost in time. */
  private isInside({ loops, partitions }: EinsumMapping): boolean {
    const reduced = this.reducedParts(partitions);
    const inTime = this.path.filter(level => !this.isFanout(level)).flatMap(level => loops[level] ?? []);
    const first = inTime.findIndex(part => reduced.has(part));
    return first < 0 || inTime.slice(first).every(part => reduced.has(part));
  }

  private isFanout(level: string): boolean {
    return this.architecture.levels[level]?.kind === "fanout";
  }

  private reducedParts(own: Partitions | undefined): ReadonlySet<string> {
    const partitions = { ...this.data.partitions, ...own };
    return new Set(this.maker.reduced.flatMap(rank => [rank, ...Object.keys(partitions[rank] ?? {})]));
  }

  private place({ role, name }: TermEinsum, base: EinsumMapping): object {
    const { added, score, final, bias } = this.scores;
    const { arrays, registers } = this;
    const here: Place = [[registers, undefined]];
    const crosses = arrays.divider !== arrays.home;
    const [over, under] = crosses ? this.handOver() : [here, here];
    const nameOf = (wanted: TermEinsum["role"]): string => added.find(own => own.role === wanted)?.name ?? "";
    const own: Kept = [name, name === final ? this.finalPlace(base) : here];
    const first: Kept = [score, this.scorePlace(base)];
    const nest = this.nest(base);
    const spill = { ...this.spillOf(score, base), ...(name === final ? this.spillOf(final, base) : {}) };
    const spilled = (tensors: readonly Kept[]): object => {
      const some = Object.entries(spill).filter(([tensor]) => tensors.some(([kept]) => kept === tensor));
      return some.length === 0 ? {} : { spill: Object.fromEntries(some) };
    };
    const at = (kept: readonly Kept[], more: object = {}): object => ({
      ...nest,
      ...spilled(kept),
      ...more,
      keep: keepOf(kept),
    });
    switch (role) {
      case "exponential":
        return at([first, own]);
      case "numerator":
      case "denominator":
        return at([
          [nameOf("exponential"), here],
          [name, over],
        ]);
      case "quotient": {
        const kept = ["numerator", "denominator"] as const;
        if (crosses) return this.away(base, [...kept.map((part): Kept => [nameOf(part), under]), [name, under]]);
        const byMacs = arrays.division === "multiply-adds";
        const newton = { operations: { mac: newtonMacs }, source: newtonSource };
        return at([...kept.map((part): Kept => [nameOf(part), here]), own], byMacs ? newton : {});
      }
      case "capped":
        return at([[nameOf("quotient"), over], own]);
      default: {
        const before: Kept = nameOf("capped") === "" ? first : [nameOf("capped"), here];
        const kept: readonly Kept[] = [before, [bias ?? "", this.biasPlace()], own];
        return at(kept, { loops: this.tileByTile(base) });
      }
    }
  }

  /** The loops of the Einsum beside which the terms are, less those over what it sums. */
  private nest({ when, symbols, partitions, loops, spread, choose }: EinsumMapping): object {
    if (choose !== undefined) {
      throw new SpecError({
        where: this.design.mapping.at(["einsums", this.maker.name, "choose"]),
        got: `tiles of ${this.scores.score} that are searched for, and a soft-cap or bias that shares them`,
        expected: "tiles that the mapping gives",
      });
    }
    const reduced = this.reducedParts(partitions);
    const own = Object.entries(loops).map(([level, parts]) => [level, parts.filter(part => !reduced.has(part))]);
    return {
      ...(when === undefined ? {} : { when }),
      ...(symbols === undefined ? {} : { symbols }),
      ...(partitions === undefined ? {} : { partitions }),
      ...(spread === undefined ? {} : { spread }),
      array: this.arrays.home,
      loops: Object.fromEntries(own),
    };
  }

  /** Scores where the first term takes them. */
  private scorePlace(base: EinsumMapping): Place {
    const { score } = this.scores;
    const here: Place = [[this.registers, undefined]];
    if (this.arrays.reader === undefined) return this.isInside(base) ? here : keptOf(base, score);
    const own = keptOf(base, score);
    return own.length > 1 ? own : [...this.laterPlaces(), ...here];
  }

  /** What leaves the terms: where scores were left, or where those that read them later look for them. */
  private finalPlace(base: EinsumMapping): Place {
    if (this.arrays.reader === undefined) return keptOf(base, this.scores.score);
    return [...this.laterPlaces(), [this.registers, undefined]];
  }

  private laterPlaces(): Place {
    const places = this.laterReaders().flatMap(variant => keptOf(variant, this.scores.score));
    return places.filter(
      ([level], i) =>
        level !== this.registers && this.path.includes(level) && places.findIndex(([l]) => l === level) === i,
    );
  }

  private laterReaders(): readonly EinsumMapping[] {
    return this.placement
      .filter(({ name, reads }) => {
        return name !== this.arrays.reader?.name && reads.some(({ tensor }) => tensor === this.scores.score);
      })
      .flatMap(({ name }) => variantsOf(this.design, name).slice(0, 1));
  }

  private spillOf(tensor: string, base: EinsumMapping): Readonly<Record<string, Formula>> {
    const { score } = this.scores;
    const from = tensor === score || this.arrays.reader === undefined ? [base] : this.laterReaders();
    const share = from.map(({ spill }) => spill?.[score]).find(own => own !== undefined);
    return share === undefined ? {} : { [tensor]: share };
  }

  /** Where values pass to the array that divides and back: as the home array keeps them, and as the other does. */
  private handOver(): readonly [over: Place, under: Place] {
    const { levels } = this.architecture;
    const other = pathOf(this.architecture, this.arrays.divider);
    const theirs = other.at(-1) as string;
    const sameAs = (level: string, registers: string): boolean => {
      const spec = levels[level];
      return spec?.kind === "registers" && spec.sameAs === registers;
    };
    const plain = (...names: readonly string[]): Place => names.map(name => [name, undefined] as const);
    const down = this.path.find(level => sameAs(level, theirs));
    if (down !== undefined) return [plain(down, this.registers), plain(theirs)];
    const up = other.find(level => sameAs(level, this.registers));
    if (up !== undefined) return [plain(this.registers), plain(up, theirs)];
    const shared = this.path.findLast(level => other.includes(level) && !this.isFanout(level)) as string;
    return [plain(shared, this.registers), plain(shared, theirs)];
  }

  /** The division on another array: its own fan-outs take the loops that they have elsewhere, the rest is done in time. */
  private away(base: EinsumMapping, kept: readonly Kept[]): object {
    const { divider } = this.arrays;
    const path = pathOf(this.architecture, divider);
    const { loops, ...nest } = this.nest(base) as { readonly loops: Readonly<Record<string, readonly string[]>> };
    const inSpace = this.path.filter(level => this.isFanout(level)).flatMap(level => loops[level] ?? []);
    const fanouts = path.filter(level => this.isFanout(level));
    const like = this.placement
      .map(({ name }) => variantsOf(this.design, name)[0])
      .find(own => own?.array === divider && fanouts.every(f => (own.loops[f] ?? []).every(l => inSpace.includes(l))));
    if (like === undefined) {
      throw new SpecError({
        where: this.design.mapping.at(["einsums"]),
        got: `no Einsum on the ${divider} array whose lanes stand for what those of ${this.scores.score} do`,
        expected: `one, to divide for it on ${divider}`,
        fix: "--softcap-division multiply-adds",
      });
    }
    const placed: Record<string, string[]> = {};
    const memories = path.filter(level => !this.isFanout(level) && level !== path.at(-1));
    for (const level of this.path.filter(own => !this.isFanout(own))) {
      const outer = this.path.slice(0, this.path.indexOf(level) + 1).findLast(own => memories.includes(own));
      if (outer !== undefined) placed[outer] = [...(placed[outer] ?? []), ...(loops[level] ?? [])];
    }
    const taken = fanouts.flatMap(fanout => like.loops[fanout] ?? []);
    const inner = memories.at(-1) as string;
    placed[inner] = [...(placed[inner] ?? []), ...inSpace.filter(part => !taken.includes(part))];
    for (const fanout of fanouts) if (like.loops[fanout] !== undefined) placed[fanout] = [...like.loops[fanout]];
    return { ...nest, array: divider, loops: placed, keep: keepOf(kept) };
  }

  /** A tile of the bias is used once: it passes the buffer by itself, however many tiles of queries a block has. */
  private tileByTile(base: EinsumMapping): Readonly<Record<string, readonly string[]>> {
    const { loops } = this.nest(base) as { readonly loops: Readonly<Record<string, readonly string[]>> };
    const outermost = this.path[0] as string;
    if (base.spread !== undefined) return loops;
    const inTime = this.path.filter(level => !this.isFanout(level)).flatMap(level => loops[level] ?? []);
    const inSpace = Object.entries(loops).filter(([level]) => this.isFanout(level));
    return { [outermost]: inTime, ...Object.fromEntries(inSpace) };
  }

  private biasPlace(): Place {
    const buffer = this.bufferOf();
    const levels = [this.path[0] as string, ...(buffer === undefined ? [] : [buffer]), this.registers];
    return levels.map(level => [level, undefined] as const);
  }

  private bufferOf(): string | undefined {
    return this.path.find(level => this.architecture.levels[level]?.kind === "sram");
  }

  private batchOf(bias: BiasRanks | null): readonly string[] {
    return this.maker.batch.filter(rank => (rank === "B" ? bias?.batch : bias?.heads) === true);
  }

  /** Formulas of the mapping that ask how large the buffer is see what a tile of the bias leaves of it. */
  private reserved(bias: string): ((formula: Formula) => Formula) | undefined {
    const buffer = this.bufferOf();
    const [base] = variantsOf(this.design, (this.arrays.reader ?? this.maker).name);
    if (buffer === undefined || base === undefined) return undefined;
    const partitions = { ...this.data.partitions, ...base.partitions };
    const reduced = this.reducedParts(base.partitions);
    const bounds = this.path
      .filter(level => this.isFanout(level))
      .flatMap(level => (base.loops[level] ?? []).filter(part => !reduced.has(part)))
      .map(part => Object.values(partitions).find(parts => part in parts)?.[part] ?? part);
    if (bounds.includes("rest")) return undefined;
    const bytes = [...bounds.map(bound => `(${bound})`), `${bias}.wordBytes`].join(" * ");
    const name = new RegExp(`(?<![\\w.])${buffer}\\.bytes(?![\\w.])`, "g");
    return formula => (typeof formula === "string" ? formula.replace(name, `(${buffer}.bytes - ${bytes})`) : formula);
  }

  /** The baselines' exponentials cost what FuseMax's do: so does that of a soft-cap. */
  private corrections(reserved: ((formula: Formula) => Formula) | undefined): object | undefined {
    const { corrections } = this.data;
    const name = this.scores.added.find(({ role }) => role === "exponential")?.name;
    const hasUnit = Object.hasOwn(this.architecture.arrays[this.arrays.home]?.operations ?? {}, "exp");
    return mapped(corrections, (fields, correction) => {
      const own = Object.entries(fields).map(([field, value]) => {
        const formula = typeof value === "number" || typeof value === "string";
        return [field, formula && reserved !== undefined ? reserved(value) : value] as const;
      });
      const path = `einsums.${name}.operations`;
      const exponential =
        correction === "exp-cost" && name !== undefined && hasUnit
          ? [[`${path}.exp`, 0] as const, [`${path}.mac`, "expMacs + 1"] as const]
          : [];
      return Object.fromEntries([...own, ...exponential]);
    });
  }
}

const entryOf = (variants: readonly object[]): object => {
  const [first] = variants;
  return variants.length === 1 && first !== undefined ? first : { variants };
};

function mapped<T, U>(
  record: Readonly<Record<string, T>> | undefined,
  change: ((value: T, key: string) => U) | undefined,
): Record<string, T | U> | undefined {
  if (record === undefined || change === undefined) return record === undefined ? undefined : { ...record };
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
