import type { ProductSum } from "../numerics/summation.js";
import type { LoopStep, ProductStep, Statement, Step, TileProgram } from "./program.js";
import { statementReads } from "./steps.js";
import type { Variable } from "./variable.js";
import { FunctionCode, type ImportedFunction, moduleOf } from "./wasm-code.js";
import { laneBytes, panelBytes, vectorBytes, type WasmLayout } from "./wasm-layout.js";
import { LoopValues, rowsRead } from "./wasm-values.js";

/*
 * Prints a program as WebAssembly that works on eight rows at a time, two vectors of four, in the memory of the kernels
 * written by hand (assembly/), whose products it calls. A value has 32 bytes, one place for each of the eight rows.
 */

/** The products that the module needs: chains (assembly/products.ts), blocks (sums.ts) or steps (steps.ts). */
export const productName = { E: "keyProducts", key: "valueProducts" } as const;

const importOf = (over: "E" | "key", { sum }: ProductSum): ImportedFunction => ({
  name: productName[over],
  parameters: new Array<"i32">(sum.kind === "chain" ? 7 : 15).fill("i32"),
});

/** The names of a pass's functions. */
export const tileFunction = (pass: number): string => `tile${pass}`;
export const endFunction = (pass: number): string => `end${pass}`;

/**
 * The module: for each pass `tileN(laneGroup, firstKey, m1, count)`, for a lane group that sees a key of the packed tile of
 * `count` keys, and `endN(laneGroup)`.
 */
export function printWasm(program: TileProgram, layout: WasmLayout): Uint8Array<ArrayBuffer> {
  const scaled = new Set(
    program.passes.flatMap(({ tile }) => tile.flatMap(step => (step.kind === "product" ? [step.lanes, step.to] : []))),
  );
  const functions = program.passes.flatMap(({ tile, end }, n) => [
    { name: tileFunction(n), code: new TilePrinter(program, layout, scaled, true).print(tile) },
    { name: endFunction(n), code: new TilePrinter(program, layout, scaled, false).print(end) },
  ]);
  return moduleOf([importOf("E", program.products.E), importOf("key", program.products.key)], functions);
}

/** Parameters of a tile's function. */
const [laneGroup, firstKey, m1, count] = [0, 1, 2, 3];

class TilePrinter {
  private readonly code: FunctionCode;
  private readonly begin: number;
  private readonly end: number;
  private readonly half: number;
  /** The lane group's address, and that of a tile's keys and of the tile among whole values, each for the half at hand. */
  private readonly own: number;
  private readonly atKey: number;
  private readonly atTile: number;
  private readonly place: number;

  constructor(
    private readonly program: TileProgram,
    private readonly layout: WasmLayout,
    private readonly scaled: ReadonlySet<Variable>,
    private readonly inTile: boolean,
  ) {
    this.code = new FunctionCode(inTile ? 4 : 1);
    const integer = (): number => this.code.local("i32");
    [this.begin, this.end, this.half, this.own] = [integer(), integer(), integer(), integer()];
    [this.atKey, this.atTile, this.place] = [integer(), integer(), integer()];
  }

  print(steps: readonly Step[]): FunctionCode {
    const { code, layout } = this;
    if (this.inTile && steps.length > 0) {
      code.get(laneGroup).loadInteger(layout.state.viewBegin).set(this.begin);
      code.get(laneGroup).loadInteger(layout.state.viewEnd).set(this.end);
    }
    for (const step of steps) {
      if (step.kind === "product") this.product(step);
      else this.loop(step);
    }
    return code;
  }

  private product(step: ProductStep): void {
    const { code, layout, begin, end } = this;
    const { over, lanes, to, continues } = step;
    if (over === "E") {
      const panel = (): unknown => code.get(begin).i32(2).scalar("i32.shr_u");
      const apart = layout.e * panelBytes;
      this.address(lanes);
      panel();
      code.i32(apart).scalar("i32.mul").i32(layout.keyPanels).scalar("i32.add");
      code.i32(apart);
      code.get(end).i32(3).scalar("i32.add").i32(2).scalar("i32.shr_u");
      panel();
      code.scalar("i32.sub").i32(layout.e);
      this.address(to);
      panel();
      code.i32(7).scalar("i32.shl").scalar("i32.add").i32(0);
      this.inParts(step);
      code.call(0);
      return;
    }
    this.address(lanes);
    code.get(begin).i32(5).scalar("i32.shl").scalar("i32.add");
    code.get(begin).i32(4).scalar("i32.shl").i32(layout.valuePanels).scalar("i32.add");
    code.get(count).i32(4).scalar("i32.shl");
    code.i32(Math.ceil(layout.f / 4));
    code.get(end).get(begin).scalar("i32.sub");
    this.address(to);
    code.i32(continues ? 1 : 0);
    this.inParts(step);
    code.call(1);
  }

  /** What products other than chains take more: where their parts begin, and the scales of blocks. */
  private inParts({ over, scales }: ProductStep): void {
    const { code, layout, begin } = this;
    const { sum } = this.program.products[over];
    if (sum.kind === "chain") return;
    const { width } = sum;
    const blocks = width === null ? 0 : Math.ceil(layout.e / width);
    if (over === "E") {
      code.i32(0).i32(0).i32(0);
      code.get(laneGroup).i32(layout.scales.queries).scalar("i32.add");
      // The scales of the first panel that some row sees.
      code
        .get(begin)
        .i32(2)
        .scalar("i32.shr_u")
        .i32(blocks * panelBytes)
        .scalar("i32.mul");
      code
        .i32(layout.scales.keys)
        .scalar("i32.add")
        .i32(panelBytes)
        .i32(blocks * panelBytes);
    } else {
      code.i32(1).get(begin);
      code
        .get(firstKey)
        .i32((width ?? 1) - 1)
        .scalar("i32.and")
        .get(begin)
        .scalar("i32.add");
      code.i32(scales === null ? 0 : layout.placeOf(scales)).i32(layout.scales.values);
      code.i32(Math.ceil(layout.f / 4) * panelBytes).i32(panelBytes);
    }
    if (sum.kind === "blocks") code.i32(sum.exact ? 1 : 0);
    else if (over === "key") code.get(laneGroup);
    else code.i32(0);
  }

  /** The address of a variable's first value in this tile, on the stack. */
  private address(variable: Variable): void {
    const { code, layout } = this;
    const { life, axis } = variable;
    const place = layout.placeOf(variable);
    if (life === "tile") {
      code.i32(place);
      return;
    }
    code.get(laneGroup).i32(place).scalar("i32.add");
    if (life === "whole" && axis === "key") code.get(firstKey).i32(5).scalar("i32.shl").scalar("i32.add");
  }

  private loop(step: LoopStep): void {
    const { code, half, layout } = this;
    code.i32(0).set(half);
    code.loop(() => {
      code.get(laneGroup).get(half).scalar("i32.add").set(this.own);
      if (this.inTile) {
        code.get(this.own).get(firstKey).i32(5).scalar("i32.shl").scalar("i32.add").set(this.atKey);
        code.get(this.own).get(m1).i32(5).scalar("i32.shl").scalar("i32.add").set(this.atTile);
      }
      if (step.over === "key") {
        code
          .get(laneGroup)
          .loadInteger(layout.state.viewPartial)
          .either(
            () => this.body(step, true),
            () => this.body(step, false),
          );
      } else this.body(step, false);
      code.get(half).i32(vectorBytes).scalar("i32.add").tee(half).i32(laneBytes).scalar("i32.lt_s");
    });
  }

  private body({ over, body }: LoopStep, partial: boolean): void {
    const { code, layout, place, half } = this;
    const { state } = layout;
    const values = new LoopValues(code, this.scaled, layout.chainScale, layout.fused);
    const constant = values.constants(body);
    /** The address of a value at the loop's coordinate, and the rest as an offset. */
    const addressed = (variable: Variable): { readonly local: number; readonly offset: number } => {
      const offset = layout.placeOf(variable);
      if (variable.axis === "block") return { local: over === "key" ? inBlock : place, offset };
      if (variable.axis === "row") {
        if (variable.life === "tile") return { local: half, offset };
        return { local: variable.life === "whole" ? this.atTile : this.own, offset };
      }
      if (variable.life === "tile") return { local: place, offset };
      return { local: within, offset };
    };
    const within = code.local("i32");
    const inBlock = code.local("i32");
    const hasBlocks = over === "key" && this.readsBlocks(body);
    // What does not change in the loop, before it.
    const folds = new Map<Variable, number>();
    for (const statement of body) {
      if (statement.kind !== "fold") continue;
      if (statement.to.axis === "block") {
        this.fillBlocks(statement.to, statement.start ?? 0);
        continue;
      }
      const sum = code.local("v128");
      folds.set(statement.to, sum);
      if (statement.start !== null) code.splat(statement.start).set(sum);
      else {
        const { local, offset } = addressed(statement.to);
        code.get(local).load(offset);
        values.unscale(statement.to);
        code.set(sum);
      }
    }
    for (const [variable, sum] of folds) values.assign(variable, sum);
    if (over !== null) {
      for (const variable of rowsRead(body)) {
        if (folds.has(variable)) continue;
        const { local, offset } = addressed(variable);
        const kept = code.local("v128");
        code.get(local).load(offset);
        values.unscale(variable);
        code.set(kept);
        values.assign(variable, kept);
      }
    }
    constant();
    const checks = body.some(({ kind }) => kind === "check");
    const bad = code.local("v128");
    const sees = code.local("v128");
    const seen = code.local("v128");
    if (checks) code.get(this.own).load(state.bad).set(bad);
    const [starts, ends] = this.inTile ? [state.keyStarts, state.keyEnds] : [state.seenFrom, state.seenTo];
    code.get(this.own).load(starts);
    code.get(this.own).load(ends);
    code.vector("i32x4.lt_s").set(sees);
    const m = code.local("v128");
    const [lanesFrom, lanesTo] = [code.local("v128"), code.local("v128")];
    const last = code.local("i32");
    if (over === "key") {
      code.get(this.begin).i32(5).scalar("i32.shl").get(half).scalar("i32.add").set(place);
      code.get(this.end).i32(5).scalar("i32.shl").set(last);
      if (partial && layout.seenLanes === null) {
        code.get(this.own).load(state.keyStarts).set(lanesFrom);
        code.get(this.own).load(state.keyEnds).set(lanesTo);
        code.get(this.begin).vector("i32x4.splat").set(m);
      }
    } else if (over === "block") {
      this.blockBounds(last);
    } else if (over !== null) {
      code.get(half).set(place);
      code.i32((over === "E" ? layout.e : layout.f) * laneBytes).set(last);
    }
    const once = (): void => {
      if (hasBlocks) {
        code
          .get(place)
          .i32(5 + this.blockBits)
          .scalar("i32.shr_u")
          .i32(5)
          .scalar("i32.shl");
        code.get(half).scalar("i32.add").set(inBlock);
      }
      if (over === "key") {
        code.get(this.atKey).get(place).scalar("i32.add").get(half).scalar("i32.sub").set(within);
        if (partial && layout.seenLanes !== null) code.get(place).load(layout.seenLanes).set(seen);
        else if (partial) {
          code.get(m).get(lanesFrom).vector("i32x4.ge_s").get(m).get(lanesTo).vector("i32x4.lt_s");
          code.vector("v128.and").set(seen);
        }
      } else if (over !== null) code.get(this.own).get(place).scalar("i32.add").get(half).scalar("i32.sub").set(within);
      const where = over === "key" ? (partial ? seen : null) : sees;
      for (const statement of body) this.statement(statement, values, { addressed, folds, where, bad });
    };
    if (over === null) once();
    else {
      code.loop(() => {
        values.beginIteration();
        once();
        if (partial && layout.seenLanes === null) code.get(m).splatBits(1).vector("i32x4.add").set(m);
        code.get(place).i32(laneBytes).scalar("i32.add").tee(place).get(last).scalar("i32.lt_s");
      });
    }
    for (const [variable, sum] of folds) {
      const { local, offset } = addressed(variable);
      code.get(local).get(sum);
      values.rescale(variable);
      code.store(offset);
    }
    if (checks) code.get(this.own).get(bad).store(state.bad);
  }

  /** log2 of the keys of a block. */
  private get blockBits(): number {
    return Math.log2(this.program.blockKeys ?? 1);
  }

  private readsBlocks(body: readonly Statement[]): boolean {
    return body.some(
      statement =>
        (statement.kind === "fold" && statement.to.axis === "block") ||
        [...statementReads(statement)].some(({ axis }) => axis === "block"),
    );
  }

  /** Sets `place` to the first block that some row sees a key of, and `last` past the last. */
  private blockBounds(last: number): void {
    const { code, half, place, begin, end, blockBits } = this;
    code.get(begin).i32(blockBits).scalar("i32.shr_u").i32(5).scalar("i32.shl").get(half).scalar("i32.add").set(place);
    code.get(end).i32(-1).scalar("i32.add").i32(blockBits).scalar("i32.shr_u").i32(1).scalar("i32.add");
    code.i32(5).scalar("i32.shl").set(last);
  }

  private fillBlocks(variable: Variable, value: number): void {
    const { code, place } = this;
    const last = code.local("i32");
    this.blockBounds(last);
    code.loop(() => {
      code.get(place).splat(value).store(this.layout.placeOf(variable));
      code.get(place).i32(laneBytes).scalar("i32.add").tee(place).get(last).scalar("i32.lt_s");
    });
  }

  private statement(
    statement: Statement,
    values: LoopValues,
    at: {
      readonly addressed: (variable: Variable) => { readonly local: number; readonly offset: number };
      readonly folds: ReadonlyMap<Variable, number>;
      /** The rows for which the point exists; null where it does for all. */
      readonly where: number | null;
      readonly bad: number;
    },
  ): void {
    const { code } = this;
    const readHere = (variable: Variable): void => {
      const { local, offset } = at.addressed(variable);
      code.get(local).load(offset);
      values.unscale(variable);
    };
    if (statement.kind === "check") {
      values.emit(statement.value, readHere);
      code.vector("f32x4.abs").splat(statement.limit).vector("f32x4.le").vector("v128.not");
      if (at.where !== null) code.get(at.where).vector("v128.and");
      if (statement.where.unless !== null) {
        values.emitTest(statement.where.unless, readHere);
        code.vector("v128.andnot");
      }
      code.get(at.bad).vector("v128.or").set(at.bad);
      return;
    }
    if (statement.kind === "fold" && statement.to.axis === "block") {
      const { local, offset } = at.addressed(statement.to);
      code.get(local);
      values.emit(statement.value, readHere);
      if (at.where !== null) {
        readHere(statement.to);
        code.get(at.where).vector("v128.bitselect");
      }
      code.store(offset);
      return;
    }
    if (statement.kind === "fold") {
      const sum = at.folds.get(statement.to) as number;
      values.emit(statement.value, readHere);
      // Folding outside of keys is of a row's own vector, which is there whether it sees keys or not.
      if (at.where !== null) code.get(sum).get(at.where).vector("v128.bitselect");
      code.set(sum);
      return;
    }
    const { to, value } = statement;
    const made = code.local("v128");
    values.emit(value, readHere);
    if (at.where !== null && to.axis === "key") code.get(at.where).vector("v128.and");
    else if (at.where !== null && to.life === "row" && this.inTile) {
      readHere(to);
      code.get(at.where).vector("v128.bitselect");
    }
    code.set(made);
    values.assign(to, made);
    if (to.life === "local") return;
    const { local, offset } = at.addressed(to);
    code.get(local).get(made);
    values.rescale(to);
    code.store(offset);
  }
}
