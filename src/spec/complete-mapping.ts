import type { Cascade } from "../einsum/cascade.js";
import type { Einsum } from "../einsum/einsum.js";
import type { Rank } from "../einsum/ranks.js";
import { nearest } from "../einsum/source.js";
import { SpecError } from "../errors.js";
import type { Architecture } from "./architecture.js";
import { batchRanks } from "./batch-ranks.js";
import type { CompleteMapping } from "./completed.js";
import { type Document, type Path, withSchema } from "./document.js";
import type { Formula } from "./expression.js";
import type { FusionFacts } from "./fusion-facts.js";
import {
  type EinsumMapping,
  type Keep,
  mappingSchema,
  type Partitions,
  type WrittenEinsum,
  type WrittenEntry,
  type WrittenMapping,
} from "./mapping.js";
import { PlacedOperations } from "./placed-operations.js";
import { PlacedRanks } from "./placed-ranks.js";
import { placedWindows } from "./placed-windows.js";
import { needsNoPlace, type PlacedEinsum, placedReads } from "./placement.js";

/**
 * Checks a mapping against the design's cascade and fills in what the cascade says: inputs and outputs, the ranks of tensors, and
 * operations. What the mapping types as well must agree; operations and ranks may differ where it says their source.
 * @throws SpecError at the mapping's field that contradicts the cascade
 */
export function completeMapping(
  written: Document<WrittenMapping>,
  cascade: Cascade,
  architecture: Document<Architecture>,
): CompleteMapping {
  const completion = new Completion(written, cascade, architecture.data);
  const { einsums, tensors, inPlace, placement } = completion;
  const raw = { ...(written.raw as object), einsums, tensors, inPlace };
  const mapping = withSchema(completion.document, raw, mappingSchema);
  return { mapping, placement, facts: completion.fusionFacts() };
}

class Completion {
  readonly document: Document<WrittenMapping>;
  readonly placement: PlacedEinsum[] = [];
  readonly einsums: Record<string, unknown> = {};
  readonly tensors: Record<string, readonly string[]> = {};
  readonly inPlace: Record<string, string> = {};
  /** The tensors' ranks as the cascade has them, whatever the mapping says in their stead. */
  private derived: Readonly<Record<string, readonly string[]>> = {};
  private readonly cascade: Cascade;
  private readonly operations: PlacedOperations;
  private readonly data: WrittenMapping;
  private readonly aliases: ReadonlyMap<string, string>;
  private readonly ranks: PlacedRanks;
  private readonly batch: ReadonlyMap<string, readonly string[]>;

  constructor(document: Document<WrittenMapping>, cascade: Cascade, architecture: Architecture) {
    this.cascade = cascade;
    this.data = document.data;
    this.aliases = new Map(Object.entries(document.data.aliases ?? {}));
    this.document = { ...document, at: this.translated(document.at) };
    this.operations = new PlacedOperations(this.document, cascade, architecture);
    for (const [alias, tensor] of this.aliases) {
      if (cascade.tensors.has(tensor) && !cascade.tensors.has(alias)) continue;
      const got = cascade.tensors.has(tensor) ? `the alias ${alias}` : tensor;
      const expected = cascade.tensors.has(tensor)
        ? `a name that ${cascade.name} does not have`
        : this.tensorsInWords();
      throw new SpecError({ where: document.at(["aliases", alias]), got, expected });
    }
    this.ranks = new PlacedRanks(cascade, namesOf(this.data));
    this.batch = batchRanks(cascade, this.data, name => this.real(name), document.at);
    this.placeAll();
    this.fillTensors();
    for (const [tensor, other] of Object.entries(this.data.inPlace ?? {})) {
      this.inPlace[this.real(tensor)] = this.real(other);
    }
  }

  /** A name of the cascade: itself, or what the mapping's alias stands for. */
  private real(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  /** Places of fields are asked by the cascade's names; the text may have aliases in their stead. */
  private translated(at: (path: Path) => string): (path: Path) => string {
    const used = new Map(
      Object.keys(this.data.einsums).flatMap(name => {
        const tensor = this.aliases.get(name);
        return tensor === undefined ? [] : [[tensor, name] as const];
      }),
    );
    return path => at(path.map(key => (typeof key === "string" ? (used.get(key) ?? key) : key)));
  }

  private tensorsInWords(): string {
    return `a tensor of ${this.cascade.name}: ${[...this.cascade.tensors.keys()].join(", ")}`;
  }

  private placeAll(): void {
    const { cascade, document } = this;
    const entries = Object.entries(this.data.einsums).map(([key, entry]) => {
      const index = this.einsumOf(key, entry);
      return { key, entry, index };
    });
    for (const { key, entry, index } of entries) {
      const parts = entries.filter(other => other.index === index);
      if (parts.length > 1 && entry.of === undefined) {
        const got = `${key} beside ${parts.filter(p => p.key !== key).map(p => p.key)}`;
        const expected = `one place for ${cascade.einsums[index]?.tensor}, or parts of it with 'of'`;
        throw new SpecError({ where: document.at(["einsums", key]), got, expected });
      }
      this.place(entry.of === undefined ? this.real(key) : key, key, entry, index, parts.length > 1);
    }
    const placed = new Set(entries.map(({ index }) => index));
    for (const [i, einsum] of cascade.einsums.entries()) {
      if (placed.has(i) || needsNoPlace(einsum)) continue;
      throw new SpecError({
        where: document.at(["einsums"]),
        got: `no place for ${einsum.tensor}, which ${cascade.source.name} has on line ${einsum.span.line}`,
        expected: `every Einsum of ${cascade.name}`,
        fix: `put ${einsum.tensor} on an array`,
      });
    }
    this.operations.checkParts(
      entries.map(({ index }) => index),
      this.placement,
    );
  }

  private einsumAt(index: number): Einsum {
    return this.cascade.einsums[index] as Einsum;
  }

  /** The Einsum of the cascade that an entry of the mapping is. */
  private einsumOf(key: string, entry: WrittenEntry): number {
    const { cascade, document } = this;
    const tensor = this.real(entry.of ?? key);
    const writer = cascade.tensors.get(tensor)?.writer ?? null;
    if (writer !== null) return writer;
    const known = cascade.einsums.filter(e => !needsNoPlace(e)).map(e => e.tensor);
    const near = nearest(tensor, known);
    throw new SpecError({
      where: document.at(["einsums", key, ...(entry.of === undefined ? [] : ["of"])]),
      got: cascade.tensors.has(tensor) ? `the input ${tensor}` : `the Einsum ${tensor}`,
      expected: `one of ${cascade.name}: ${known.join(", ")}`,
      fix: `${near === undefined ? "" : `did you mean ${near}? `}another name for one is said under aliases, a part with 'of'`,
    });
  }

  private place(name: string, key: string, entry: WrittenEntry, index: number, isPart: boolean): void {
    const { cascade } = this;
    const einsum = this.einsumAt(index);
    const reads = placedReads(cascade, einsum, this.ranks);
    const windows = placedWindows(
      cascade,
      reads,
      variable => this.placesOf([this.ranks.nameOf(einsum, variable)], this.data.partitions ?? {}),
      this.document.at(["einsums", key]),
    );
    const variants: readonly WrittenEinsum[] = "variants" in entry ? entry.variants : [entry];
    const complete = variants.map((variant, i) => {
      const path: Path = "variants" in entry ? ["einsums", key, "variants", i] : ["einsums", key];
      const complete = this.complete(variant, path, index, reads, isPart);
      return Object.keys(windows).length === 0 ? complete : { ...complete, windows };
    });
    this.einsums[name] = "variants" in entry ? { variants: complete } : complete[0];
    const named = (variables: readonly string[]): string[] => variables.map(v => this.ranks.nameOf(einsum, v));
    this.placement.push({
      name,
      index,
      einsum,
      isPart,
      reads,
      output: einsum.tensor,
      free: named(einsum.free),
      reduced: named(einsum.reduced),
      batch: this.batch.get(einsum.tensor) ?? [],
      iterates: einsum.iteration?.role === "step" ? this.ranks.nameOf(einsum, einsum.iteration.variable) : null,
      variants: complete.map(({ array, operations }) => ({ array, operations })),
    });
    for (const read of reads) {
      if (read.name !== read.tensor) this.inPlace[read.name] = read.tensor;
    }
  }

  private complete(
    variant: WrittenEinsum & { readonly of?: string | undefined },
    path: Path,
    index: number,
    reads: PlacedEinsum["reads"],
    isPart: boolean,
  ): EinsumMapping {
    const { cascade, document } = this;
    const einsum = this.einsumAt(index);
    const { of: _, ...rest } = variant;
    const inputs = reads.map(({ name }) => name);
    const typedInputs = variant.inputs?.map(name => this.real(name));
    if (typedInputs !== undefined && !isPart && !sameSet(typedInputs, inputs)) {
      const got = `the inputs ${variant.inputs?.join(", ")}`;
      const expected = `${inputs.join(", ")}, which ${einsum.tensor} reads on line ${einsum.span.line} of ${cascade.source.name}`;
      const fix = "leave them out: the cascade says them";
      throw new SpecError({ where: document.at([...path, "inputs"]), got, expected, fix });
    }
    const output = variant.output === undefined ? einsum.tensor : this.real(variant.output);
    if (output !== einsum.tensor && !isPart) {
      const [got, expected] = [`the output ${variant.output}`, `${einsum.tensor}, which it writes`];
      throw new SpecError({ where: document.at([...path, "output"]), got, expected });
    }
    this.checkLoops(variant, path, index);
    const keep = Object.entries(variant.keep).map(([level, kept]) => [level, this.realKeep(kept)]);
    const { spill } = variant;
    return {
      ...rest,
      inputs: isPart && typedInputs !== undefined ? typedInputs : inputs,
      output,
      operations: this.operations.of(variant, path, index, isPart),
      keep: Object.fromEntries(keep),
      ...(spill === undefined ? {} : { spill: this.renamed(spill) }),
      ...this.otherRanks(reads),
    };
  }

  private realKeep(keep: Keep): Keep {
    return Array.isArray(keep)
      ? keep.map((name: string) => this.real(name))
      : this.renamed(keep as Record<string, Formula>);
  }

  private renamed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
    return Object.fromEntries(Object.entries(record).map(([name, value]) => [this.real(name), value]));
  }

  /** Loops go over the ranks of the Einsum, each once, and over no other. */
  private checkLoops(variant: WrittenEinsum, path: Path, index: number): void {
    const { document } = this;
    const einsum = this.einsumAt(index);
    const partitions: Partitions = { ...this.data.partitions, ...variant.partitions };
    const looped = new Map(
      Object.entries(variant.loops).flatMap(([level, loops]) => loops.map(loop => [loop, level] as const)),
    );
    const all = [...einsum.free, ...einsum.reduced].map(variable => this.ranks.nameOf(einsum, variable));
    const ranks = [...(this.batch.get(einsum.tensor) ?? []), ...this.placesOf(all, partitions)];
    const allowed = new Set<string>();
    for (const rank of ranks) {
      const parts = looped.has(rank) ? [rank] : Object.keys(partitions[rank] ?? { [rank]: 1 });
      for (const part of parts) {
        allowed.add(part);
        if (looped.has(part)) continue;
        throw new SpecError({
          where: document.at([...path, "loops"]),
          got: `no loop over ${part}`,
          expected: `loops that cover ${einsum.text}`,
          fix: `put ${part} among the loops of a level`,
        });
      }
    }
    for (const [loop, level] of looped) {
      if (allowed.has(loop)) continue;
      const expected = `loops over ${[...allowed].join(", ")}: what ${einsum.text} ranges over`;
      throw new SpecError({ where: document.at([...path, "loops", level]), got: `a loop over ${loop}`, expected });
    }
  }

  private placesOf(ranks: readonly string[], partitions: Partitions): string[] {
    const joined = this.ranks.joined(ranks);
    return [...new Set(joined.flatMap(rank => this.ranks.inMapping(rank, partitions, this.document.at)))];
  }

  /** The ranks of every tensor: the cascade's and those of the batch. */
  private fillTensors(): void {
    const { cascade, data, document } = this;
    const partitions = data.partitions ?? {};
    for (const { index, reads } of this.placement) {
      const einsum = this.einsumAt(index);
      const written: readonly (readonly [string, string, readonly string[]])[] = [
        [einsum.tensor, einsum.tensor, this.ranks.ofIndices(einsum, einsum.indices)],
        ...reads.map(read => [read.name, read.tensor, this.ranksOf(read.tensor) ?? read.ranks] as const),
      ];
      for (const [name, tensor, ranks] of written) {
        this.tensors[name] = [...(this.batch.get(tensor) ?? []), ...this.placesOf(ranks, partitions)];
      }
    }
    this.derived = { ...this.tensors };
    for (const [name, typed] of Object.entries(data.tensors ?? {})) {
      const tensor = this.real(name);
      const derived = this.tensors[tensor];
      const where = document.at(["tensors", name]);
      if ("source" in typed) {
        this.tensors[tensor] = typed.ranks;
        continue;
      }
      if (derived === undefined) {
        if (cascade.tensors.has(tensor)) continue;
        throw new SpecError({ where, got: `the tensor ${name}`, expected: this.tensorsInWords() });
      }
      const list = typed as readonly string[];
      if (sameSet(list, derived)) continue;
      const [got, expected] = [
        `the ranks ${list.join(", ")}`,
        `${derived.join(", ")}, as ${cascade.source.name} has it`,
      ];
      const fix = "leave it out, or say where its ranks come from: { ranks: [...], source: ... }";
      throw new SpecError({ where, got, expected, fix });
    }
  }

  fusionFacts(): FusionFacts {
    const { cascade, placement, data } = this;
    const iterates = (tensor: string): readonly string[] => {
      const iterative = cascade.tensors.get(tensor)?.iterative;
      if (iterative === undefined || iterative === null) return [];
      return this.placesOf([cascade.ranks.ofVariable(iterative.variable).name], data.partitions ?? {});
    };
    const placed = new Map(placement.map(einsum => [einsum.name, einsum]));
    return {
      iterates,
      ranks: tensor => this.derived[tensor] ?? [],
      reads: name =>
        (placed.get(name)?.reads ?? []).map(read => {
          const over = iterates(read.tensor);
          const goesAlong = this.placesOf(read.ranks, data.partitions ?? {}).some(rank => over.includes(rank));
          const isLast = over.length > 0 && !goesAlong;
          const slides = read.indices.some(({ window }) => window === true);
          const when = read.carried ? "carried" : isLast ? "last" : "now";
          return { name: read.name, tensor: read.tensor, when, ...(slides ? { slides } : {}) };
        }),
      indexOf: name => placed.get(name)?.index,
      rankOf: part => this.rankOfPart(part),
      cascade,
    };
  }

  /** The cascade's rank that a loop of the mapping is over, or over a part of. */
  private rankOfPart(part: string): Rank | undefined {
    const { cascade, data } = this;
    const cut = [
      data.partitions,
      ...Object.values(data.einsums).flatMap(e => ("variants" in e ? e.variants : [e]).map(v => v.partitions)),
    ];
    const own = cascade.ranks.ranks.find(
      ({ name, parts }) => parts.length === 1 && this.placesOf([name], data.partitions ?? {}).includes(part),
    );
    const whole = cut.flatMap(partitions => Object.entries(partitions ?? {})).find(([, parts]) => part in parts)?.[0];
    return own ?? cascade.ranks.byName(part) ?? (whole === undefined ? undefined : cascade.ranks.byName(whole));
  }

  /** A tensor's ranks where it is written or declared. */
  private ranksOf(tensor: string): readonly string[] | undefined {
    const { writer, indices } = this.cascade.tensors.get(tensor) ?? { writer: null, indices: [] };
    const einsum = writer === null ? undefined : this.cascade.einsums[writer];
    return this.ranks.ofIndices(einsum ?? { free: [], reduced: [] }, indices);
  }

  /** The ranks of what an Einsum reads where it calls them otherwise than the tensor's writer. */
  private otherRanks(reads: PlacedEinsum["reads"]): { tensors?: Record<string, readonly string[]> } {
    const tensors: Record<string, readonly string[]> = {};
    for (const read of reads) {
      const own = this.ranksOf(read.tensor) ?? [];
      if (read.ranks.every(rank => own.includes(rank))) continue;
      const placed = this.placesOf(read.ranks, this.data.partitions ?? {});
      tensors[read.name] = [...(this.batch.get(read.tensor) ?? []), ...placed];
    }
    return Object.keys(tensors).length === 0 ? {} : { tensors };
  }
}

/** Every name of a rank or a loop in a mapping. */
function namesOf({ partitions, einsums }: WrittenMapping): ReadonlySet<string> {
  const all = [partitions ?? {}];
  const names = new Set<string>();
  for (const entry of Object.values(einsums)) {
    for (const { loops, partitions: own } of "variants" in entry ? entry.variants : [entry]) {
      for (const loop of Object.values(loops).flat()) names.add(loop);
      all.push(own ?? {});
    }
  }
  for (const table of all)
    for (const [rank, parts] of Object.entries(table)) [rank, ...Object.keys(parts)].map(n => names.add(n));
  return names;
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.every(x => b.includes(x)) && b.every(x => a.includes(x));
