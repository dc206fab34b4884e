import type { Cascade } from "../einsum/cascade.js";
import type { Access, Einsum } from "../einsum/einsum.js";
import { type Roles, rolesOf } from "../einsum/roles.js";
import { requireScalable } from "../einsum/scaled-inputs.js";
import { splitOf } from "../einsum/split.js";
import { iterativeRead } from "../einsum/tensors.js";
import { InputError } from "../errors.js";
import { type ArithmeticSpec, isScaledAfterwards } from "../numerics/arithmetic.js";
import { noMaximum } from "../numerics/limits.js";
import { exponentFactor } from "../numerics/pe.js";
import { productSumOf } from "../numerics/summation.js";
import type { EinsumContext, Place, Written } from "./expressions.js";
import { requireGeneral } from "./general.js";
import { EinsumLowering } from "./lower-einsum.js";
import { type PeTable, peTable } from "./pe-table.js";
import type { TileProgram } from "./program.js";
import { binary, read, type Scalar } from "./scalar.js";
import { type Draft, StepList, settleLives, stepReads } from "./steps.js";
import type { Axis, Given, Variable } from "./variable.js";

/**
 * The tile program of a cascade that computes attention, in an arithmetic; `scale` multiplies inside its exponentials.
 * @throws InputError for a cascade that couples queries or walks its keys otherwise than tile by tile.
 */
export function lower(
  cascade: Cascade,
  arithmetic: ArithmeticSpec,
  scale: number,
  options: LowerOptions = {},
): TileProgram {
  return new Lowering(cascade, arithmetic, scale, options.keep ?? false).program();
}

export interface LowerOptions {
  /** Every value of a tile stays readable after the tile, for a dump. */
  readonly keep?: boolean;
}

class Lowering {
  private readonly roles: Roles;
  private readonly table: PeTable;
  /** The ranks that the keys are split into, outermost first; one where they are not split. */
  private readonly keyParts: readonly string[];
  private readonly drafts: Draft[] = [];
  /** Those with a value for each key or tile. */
  private readonly tileBound = new Set<Variable>();
  private readonly query: Draft;
  private readonly written = new Map<string, Written>();
  /** Tensors that are K or V by other indices. */
  private readonly shared = new Map<string, "k" | "v">();
  /** The first coordinate of each iteration. */
  private readonly initial = new Map<string, number>();
  /** By pass, from the one before all tiles. */
  private readonly passes: { readonly tile: StepList; readonly end: StepList }[] = [];
  private readonly iterations: { readonly pass: number; readonly before: Draft; readonly after: Draft }[] = [];
  /** Values that may be minus infinity in a row's first tile. */
  private readonly maybeNone = new Set<Variable>();

  constructor(
    private readonly cascade: Cascade,
    private readonly arithmetic: ArithmeticSpec,
    private readonly scale: number,
    private readonly keep: boolean,
  ) {
    this.roles = rolesOf(cascade);
    requireGeneral(arithmetic, cascade.name);
    requireScalable(cascade, this.roles, arithmetic);
    this.table = peTable(arithmetic);
    const keys = cascade.ranks.byName(this.roles.keys);
    this.keyParts = keys === undefined ? [this.roles.keys] : splitOf(cascade, keys);
    if (this.keyParts.length > 2) {
      const got = `${this.roles.keys} split into ${this.keyParts.length} ranks`;
      throw new InputError({ where: cascade.name, got, expected: "keys in tiles: a split into two" });
    }
    this.query = this.draft(this.roles.q, "E", this.roles.q, true);
    this.query.life = "row";
    this.written.set(this.roles.q, { variable: this.query, after: null, pass: 0, atEnd: true });
    this.shared.set(this.roles.k, "k").set(this.roles.v, "v");
  }

  program(): TileProgram {
    const { cascade } = this;
    for (const { einsums, loop } of cascade.dependence.groups) {
      const members = einsums.map(i => ({ einsum: cascade.einsums[i] as Einsum, order: i }));
      this.passAt(this.passOf(members.map(({ einsum }) => einsum)));
      const least = loop === null ? 0 : this.passOf(members.map(({ einsum }) => einsum));
      for (const member of members)
        if (member.einsum.iteration?.role === "step") this.declareStep(member.einsum, least);
      for (const { einsum, order } of members) this.einsum(einsum, order, least);
    }
    for (const iteration of this.iterations) this.commit(iteration);
    const output = this.written.get(this.roles.out);
    if (output === undefined || output.variable.axis !== "F" || !output.atEnd) {
      throw this.unfit(
        cascade.einsums.find(({ tensor }) => tensor === this.roles.out),
        "one row of values per query",
      );
    }
    const passes = this.passes.map(({ tile, end }) => ({ tile: tile.steps, end: end.steps }));
    settleLives(this.drafts, passes, this.tileBound);
    if (this.keep) for (const draft of this.drafts) if (draft.life === "local") draft.life = "tile";
    for (const draft of this.drafts) {
      if (draft.life === "whole" && draft.axis !== "row" && draft.axis !== "key") {
        throw this.unfit(
          cascade.einsums.find(({ tensor }) => tensor === draft.tensor),
          "vectors of a tile that no later pass reads",
        );
      }
    }
    const { operands, accumulator } = this.arithmetic;
    const products = {
      E: productSumOf(this.arithmetic, operands.q, operands.k),
      key: productSumOf(this.arithmetic, operands.p, operands.v),
    };
    return {
      ...{ name: cascade.name, accumulator, products, passes, output: output.variable, query: this.query },
      ...{ blockKeys: null, descending: false },
      splitsKeys: this.keyParts.length > 1,
      variables: this.drafts,
      carried: new Set(this.iterations.flatMap(({ before, after }) => [before, after])),
    };
  }

  private draft(
    name: string,
    axis: Axis,
    tensor: string | null,
    operand = false,
    initial: number | null = null,
  ): Draft {
    const draft: Draft = { name, axis, tensor, operand, initial, life: "row" };
    this.drafts.push(draft);
    return draft;
  }

  /** What the host gives; one variable of a kind. */
  private given(name: string, axis: Axis, given: Given): Scalar {
    const known = this.drafts.find(draft => draft.given === given);
    if (known !== undefined) return read(known);
    const draft = this.draft(name, axis, null);
    draft.given = given;
    if (axis === "key") draft.life = "tile";
    return read(draft);
  }

  /** What the sum of a query and a key is times once it is done; null without scales, or where they are of blocks. */
  private scoreScale(): Scalar | null {
    const { q, k } = this.arithmetic.operands;
    const ofQuery = isScaledAfterwards(q) ? this.given("Q scale", "row", "queryScale") : null;
    const ofKey = isScaledAfterwards(k) ? this.given("K scale", "key", "keyScale") : null;
    return ofQuery !== null && ofKey !== null ? binary("mul", ofQuery, ofKey) : (ofQuery ?? ofKey);
  }

  private tileDraft(name: string, axis: Axis, tensor: string | null, operand = false): Draft {
    const draft = this.draft(name, axis, tensor, operand);
    this.tileBound.add(draft);
    return draft;
  }

  private passAt(n: number): { readonly tile: StepList; readonly end: StepList } {
    while (this.passes.length <= n) this.passes.push({ tile: new StepList(), end: new StepList() });
    return this.passes[n] as { readonly tile: StepList; readonly end: StepList };
  }

  /** The pass in which Einsums run together: after every pass whose end one of them needs. */
  private passOf(einsums: readonly Einsum[]): number {
    const own = new Set(einsums.map(({ tensor }) => tensor));
    const inTiles = einsums.some(einsum => this.runsInTiles(einsum));
    let pass = inTiles ? 1 : 0;
    for (const access of einsums.flatMap(einsum => einsum.reads)) {
      if (own.has(access.tensor) || this.shared.has(access.tensor)) continue;
      const known = this.written.get(access.tensor);
      if (known === undefined) continue;
      const atEnd = known.atEnd || this.readKind(access) === "last";
      pass = Math.max(pass, atEnd && inTiles ? known.pass + 1 : known.pass);
    }
    return pass;
  }

  private runsInTiles(einsum: Einsum): boolean {
    const ranks = [...einsum.free, ...einsum.reduced].map(v => this.cascade.ranks.ofVariable(v).name);
    return einsum.iteration?.role !== "init" && ranks.some(rank => this.keyParts.includes(rank));
  }

  private readKind(access: Access) {
    const tensor = this.cascade.tensors.get(access.tensor);
    return tensor === undefined ? null : iterativeRead(tensor, access);
  }

  private einsum(einsum: Einsum, order: number, least: number): void {
    if (einsum.filters.length > 0) throw this.unfit(einsum, "no filters: masks are the program's");
    if (einsum.iteration?.role === "init") {
      this.initial.set(einsum.tensor, this.constantOf(einsum));
      return;
    }
    const copied = this.copiesShared(einsum);
    if (copied !== null) {
      this.shared.set(einsum.tensor, copied);
      return;
    }
    new EinsumLowering(this.context(einsum, order, Math.max(least, this.passOf([einsum])))).run();
  }

  private constantOf(einsum: Einsum): number {
    const { right } = einsum;
    const negated = right.kind === "unary" && right.fn === "neg" ? right.operand : null;
    const value = right.kind === "number" ? right.value : negated?.kind === "number" ? -negated.value : null;
    if (value === null) throw this.unfit(einsum, "a number where an iteration begins");
    if (value === Number.NEGATIVE_INFINITY) return noMaximum;
    const constant = this.table.constant(value);
    return constant.op === "number" ? constant.value : value;
  }

  /** `BK[e,m1,m0] = K[e, m1*M0+m0]`: K or V itself, by other indices. */
  private copiesShared(einsum: Einsum): "k" | "v" | null {
    const { right, reductions, annotation } = einsum;
    if (right.kind !== "access" || reductions.length > 0 || annotation !== null) return null;
    return this.shared.get(right.tensor) ?? null;
  }

  private declareStep(einsum: Einsum, pass: number): void {
    const { tensor } = einsum;
    const start = this.initial.get(tensor);
    const { axis } = this.placeOf(einsum);
    const iterated = this.cascade.ranks.ofVariable(einsum.iteration?.variable ?? "").name;
    if (start === undefined || iterated !== this.keyParts[0] || this.keyParts.length !== 2 || axis === "key") {
      throw this.unfit(einsum, "an iteration over the tiles of the keys");
    }
    const before = this.draft(tensor, axis, tensor, false, start);
    const after = this.tileDraft(`${tensor}'`, axis, tensor);
    if (start === noMaximum) this.maybeNone.add(before);
    this.written.set(tensor, { variable: before, after, pass, atEnd: false });
    this.iterations.push({ pass, before, after });
  }

  /** Ends an iteration's tile: its value after the tile takes the place of that before, at once where nothing reads that. */
  private commit({ pass, before, after }: (typeof this.iterations)[number]): void {
    const { tile } = this.passAt(pass);
    const elsewhere = this.passes.some(
      (other, n) => n !== pass && [...other.tile.steps, ...other.end.steps].some(step => stepReads(step).has(after)),
    );
    if (!this.keep && !elsewhere && !tile.readAfterSet(before, after)) {
      tile.replace(after, before);
      this.drafts.splice(this.drafts.indexOf(after), 1);
      return;
    }
    const over = before.axis === "row" ? null : before.axis;
    tile.append({ kind: "loop", over, body: [{ kind: "set", to: before, value: read(after) }] });
  }

  private placeOf(einsum: Einsum): Place {
    const { roles, keyParts, cascade } = this;
    const ranks = einsum.free.map(v => cascade.ranks.ofVariable(v).name).filter(rank => rank !== roles.queries);
    const parts = ranks.filter(rank => keyParts.includes(rank));
    const inner = ranks.filter(rank => !keyParts.includes(rank));
    const known = inner.every(rank => rank === roles.e || rank === roles.f);
    const [vector] = inner;
    const onlyWithin = parts.length === 1 && keyParts.length === 2 && parts[0] === keyParts[1];
    if (!known || inner.length > 1 || new Set(ranks).size < ranks.length || onlyWithin) {
      throw this.unfit(einsum, "values for each key, for each tile, or for each coordinate of E or F");
    }
    const perKey = parts.length === keyParts.length;
    if (perKey && vector !== undefined) throw this.unfit(einsum, "one value per key");
    if (!einsum.free.some(v => cascade.ranks.ofVariable(v).name === roles.queries)) {
      throw this.unfit(einsum, "a value of each query; only K and V are shared");
    }
    const axis = perKey ? "key" : vector === undefined ? "row" : vector === roles.e ? "E" : "F";
    return { axis, perTile: parts.length > 0 };
  }

  private unfit(einsum: Einsum | undefined, expected: string): InputError {
    const at = einsum === undefined ? "" : `:${einsum.span.line}`;
    return new InputError({
      where: `${this.cascade.name}${at}`,
      got: einsum?.text ?? this.roles.out,
      expected: `${expected}, to be emulated tile by tile`,
      fix: "fusemax evaluate interprets any cascade",
    });
  }

  private context(einsum: Einsum, order: number, pass: number): EinsumContext {
    const { table, cascade, roles, keyParts, shared, written, maybeNone } = this;
    const { tile, end } = this.passAt(pass);
    const c = exponentFactor(this.scale);
    return {
      ...{ cascade, roles, keyParts, table, shared, written, maybeNone, einsum, order, pass, tile, end, c },
      ...{ place: this.placeOf(einsum), inTiles: this.runsInTiles(einsum) },
      readKind: access => this.readKind(access),
      scoreScale: () => this.scoreScale(),
      outputScale: () =>
        isScaledAfterwards(this.arithmetic.operands.v) ? this.given("V scale", "row", "valueScale") : null,
      draft: (...of) => this.draft(...of),
      tileDraft: (name, axis, tensor, operand) => this.tileDraft(name, axis, tensor, operand),
      unfit: expected => this.unfit(einsum, expected),
    };
  }
}
