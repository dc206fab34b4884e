import type { FloatSpec } from "../numerics/number-type.js";
import type { LoopStep, Pass, ProductStep, Statement, Step } from "./program.js";
import { BodyText, type Dialect } from "./text.js";
import type { Variable } from "./variable.js";
import { pinnedIn, wgslDialect } from "./wgsl-dialect.js";
import { type JoinedContext, joinedLoop, joiningLoop } from "./wgsl-joined.js";
import { wgslFloat, wgslRounder } from "./wgsl-number-type.js";
import type { WgslPlaces } from "./wgsl-places.js";

/*
 * Prints a program's scalar work as WGSL that follows shaders/program.wgsl, whose products it calls. An invocation works on
 * eight rows, one after the other; a variable has its place in one of that file's buffers.
 */

export interface WgslOptions {
  readonly places: WgslPlaces;
  /** Operands in a word. */
  readonly perWord: 1 | 2;
  /** The c of exponentials that comes with the job. */
  readonly factor: number;
  /** Rows may see less than all keys of an interval. */
  readonly bits: boolean;
  /** Tiles begin at whole eights of keys, so that blocks do. */
  readonly wholeEights: boolean;
  /** Keys of a block, of a program that has values over blocks. */
  readonly blockKeys: number | null;
  /** Tiles begin with a block of keys. */
  readonly wholeBlocks: boolean;
}

/** The text of one pass: its functions tileSteps and endSteps. */
export function printWgsl(pass: Pass, options: WgslOptions): string {
  const printer = new Printer(options);
  const [tile, end] = [printer.tile(pass), printer.steps(pass.end)];
  return [
    `const weightScales = ${printer.weightScales}u;\nconst blockFields = ${options.places.blockField.size}u;`,
    `const wholeBlocks = ${options.wholeBlocks};`,
    ...printer.rounders.values(),
    ...printer.joined(),
    ...printer.functions,
    `fn tileSteps() {\n${tile}}`,
    `fn endSteps() {\n${end}}`,
  ].join("\n\n");
}

class Printer {
  readonly functions: string[] = [];
  /** By the name of a number type, the function that rounds to it. */
  readonly rounders = new Map<string, string>();
  private readonly names = { next: 0 };
  private readonly dialect: Dialect;
  /** The loops that join products so far, and their text. */
  private joins = 0;
  private readonly joinedDeclarations: string[] = [];
  private readonly joinedScores: string[] = [];
  private readonly joinedColumns: string[] = [];

  /** The field of the scales of a product's weights; 0 where they have none. */
  weightScales = 0;
  private readonly places: WgslPlaces;
  private readonly perWord: 1 | 2;

  constructor(private readonly options: WgslOptions) {
    this.places = options.places;
    this.perWord = options.perWord;
    this.dialect = wgslDialect(new Map([[options.factor, "job.factor"]]), type => this.rounder(type));
  }

  private rounder(type: FloatSpec): string {
    const name = `roundTo_${type.name.replaceAll("-", "_")}`;
    this.rounders.set(type.name, wgslRounder(name, type));
    return name;
  }

  /** Writes the steps of a tile, some loops of which join products. */
  tile(pass: Pass): string {
    const joining = new Map<Step, LoopStep>();
    for (const [i, step] of pass.tile.entries()) {
      const loop = pass.tile[joiningLoop(pass, i) ?? -1];
      // Single keys that a row sees are told by bits, row by row.
      if (loop?.kind === "loop" && !(loop.over === "key" && this.options.bits)) joining.set(step, loop);
    }
    const joined = new Set<Step>(joining.values());
    const others = pass.tile.filter(step => !joined.has(step));
    return `${joined.size === 0 ? "" : "  seeRows();\n"}${this.steps(others, joining)}`;
  }

  /** What program.wgsl calls with the sums of products, and what that needs. */
  joined(): readonly string[] {
    return [
      this.joinedDeclarations.join("\n"),
      `fn joinScores(joined: u32, m: u32, sum: Eight) {\n${this.joinedScores.join("\n")}\n}`,
      `fn joinColumn(joined: u32, column: u32, sum: Eight) {\n${this.joinedColumns.join("\n")}\n}`,
    ];
  }

  /** Writes a function for each step, and gives the calls. */
  steps(steps: readonly Step[], joining: ReadonlyMap<Step, LoopStep> = new Map()): string {
    const calls = steps.map(step => {
      if (step.kind === "product") return this.productWith(step, joining.get(step));
      const name = `step${this.functions.length}`;
      this.functions.push(`fn ${name}() {\n${this.loop(step).join("\n")}\n}`);
      return `${name}();`;
    });
    return calls.map(call => `  ${call}\n`).join("");
  }

  private productWith(product: ProductStep, loop: LoopStep | undefined): string {
    if (loop === undefined) return this.product(product, 0);
    this.joins += 1;
    const context: JoinedContext = {
      dialect: this.dialect,
      names: this.names,
      field: variable => this.field(variable),
      vector: variable => this.places.vector.get(variable) ?? 0,
    };
    const { declarations, before, each, after } = joinedLoop(product, loop, context);
    this.joinedDeclarations.push(...declarations);
    const texts = product.over === "E" ? this.joinedScores : this.joinedColumns;
    texts.push(`if (joined == ${this.joins}u) {`, ...each, "}");
    const name = `product${this.joins}`;
    const body = [...before, this.product(product, this.joins), ...after];
    this.functions.push(`fn ${name}() {\n${body.join("\n")}\n}`);
    return `${name}();`;
  }

  /** The call for a product with the loop of a number; 0 for none. */
  private product({ over, lanes, to, continues, scales }: ProductStep, joined: number): string {
    if (scales !== null) this.weightScales = this.places.blockField.get(scales) ?? 0;
    if (over === "E") return `productOfKeys(${this.pageOf(to)}, ${joined}u);`;
    const vector = this.places.vector.get(to);
    return `productOfValues(${this.packedPage(lanes)}, ${vector}u, ${continues}, ${joined}u);`;
  }

  private pageOf(variable: Variable): string {
    const whole = this.places.wholePages.get(variable);
    if (whole === undefined) return `tilePage(${this.places.tilePages.get(variable)}u * job.tileStride)`;
    return `wholePage(${this.places.tileVariables}u * job.tileStride + ${whole}u * job.wholeStride)`;
  }

  private packedPage(variable: Variable): string {
    return `tilePage(${this.places.packed.get(variable)}u * job.tileStride)`;
  }

  private field(variable: Variable): string {
    const { field, wholeField, wholeFieldAt } = this.places;
    const whole = wholeField.get(variable);
    if (whole === undefined) return `${field.get(variable)}u`;
    return `${wholeFieldAt}u + ${whole}u * job.tiles + tileIndex`;
  }

  private loop({ over, body }: LoopStep): string[] {
    const before: string[] = ["let window = windowOf(row);", "let half = row / 4u;", "let lane = row % 4u;"];
    const after: string[] = [];
    const folds = new Map<Variable, string>();
    const scalars = new Map<Variable, string>();
    const blocks = new Map<Variable, BlockValue>();
    const packs = body.find(s => s.kind === "set" && this.places.packed.has(s.to));
    for (const statement of body) {
      if (statement.kind !== "fold") continue;
      if (statement.to.axis === "block") {
        blocks.set(statement.to, { name: this.fresh(), start: statement.start ?? 0 });
        continue;
      }
      const name = this.fresh();
      folds.set(statement.to, name);
      const start = statement.start === null ? `stateOf(${this.field(statement.to)}, row)` : wgslFloat(statement.start);
      before.push(`var ${name} = ${start};`);
      after.push(`state[stateAt(${this.field(statement.to)})][half][lane] = ${name};`);
    }
    /** The page of a variable's eight keys, by a name in the loop over eights. */
    const pages = new Map<Variable, string>();
    const vectors = new Map<Variable, string>();
    const readVariable = (variable: Variable): string => {
      const folded = folds.get(variable);
      if (folded !== undefined) return folded;
      if (variable.given === "bias") return "biasOf(row, m)";
      if (variable.given === "keyScale") return "keyScales[place / 4u][place % 4u]";
      if (variable.axis === "block")
        return over === "block" ? this.blockPlace(variable, "n") : this.blockValue(blocks, variable);
      if (variable.axis === "key") return `bitcast<f32>((*${this.named(pages, variable)})[place][half][lane])`;
      if (variable.axis === "F") return `sums[${this.named(vectors, variable)} + i][half][lane]`;
      const known = scalars.get(variable);
      if (known !== undefined) return known;
      const name = this.fresh();
      scalars.set(variable, name);
      before.push(`let ${name} = stateOf(${this.field(variable)}, row);`);
      return name;
    };
    const at = { folds, readVariable, pages, vectors, blocks, packs: packs !== undefined };
    const sees = "window.x < window.y";
    if (over === null) {
      const text = this.body(body, { ...at, seen: null });
      return [rowsBegin, ...before.slice(0, 3), `if (${sees}) {`, ...before.slice(3), ...text, ...after, "}", "}"];
    }
    if (over === "F") {
      const text = this.body(body, { ...at, seen: null });
      const bases = [...vectors].map(([v, name]) => `let ${name} = vectorAt(${this.places.vector.get(v)}u);`);
      const inner = ["for (var i = 0u; i < job.valueDim; i += 1u) {", ...text, "}"];
      return [
        rowsBegin,
        ...before.slice(0, 3),
        `if (${sees}) {`,
        ...before.slice(3),
        ...bases,
        ...inner,
        ...after,
        "}",
        "}",
      ];
    }
    if (over === "block") {
      const width = `${this.options.blockKeys}u`;
      const text = this.body(body, { ...at, seen: null });
      const [first, last] = [`(window.x - tileBegin) / ${width}`, `(window.y - 1u - tileBegin) / ${width}`];
      const inner = [`for (var n = ${first}; n <= ${last}; n += 1u) {`, ...text, "}"];
      return [rowsBegin, ...before.slice(0, 3), `if (${sees}) {`, ...before.slice(3), ...inner, ...after, "}", "}"];
    }
    return [rowsBegin, ...this.keyLoop(body, before, after, at), "}"];
  }

  private keyLoop(
    body: readonly Statement[],
    before: readonly string[],
    after: readonly string[],
    at: Omit<BodyContext, "seen">,
  ): string[] {
    const bodies = Array.from({ length: 8 }, () => this.body(body, { ...at, seen: "seen" }));
    const entering = this.enterBlock(at.blocks);
    const [blockVars, leaving] = this.aroundBlocks(at.blocks);
    const packed = body.flatMap(s => (s.kind === "set" && this.places.packed.has(s.to) ? [s.to] : []));
    const pages = [
      ...[...at.pages].map(([v, name]) => `let ${name} = &scratch[${this.pageOf(v)} + eight];`),
      ...packed.map((v, i) => `let packed${i} = &scratch[${this.packedPage(v)} + eight];`),
    ];
    const keyScales = bodies.some(lines => lines.some(line => line.includes("keyScales"))) ? [keyScalesText] : [];
    const perWord = at.packs ? this.perWord : 1;
    const slots = packed.flatMap((_, i) => [`var even${i} = 0.0;`, `var odd${i} = 0.0;`]);
    const word = (w: number): readonly string[] =>
      packed.map((_, i) => `(*packed${i})[${w}u][half][lane] = packed(even${i}, odd${i});`);
    // Key by key: an iteration of a loop, and an element at a place that is not constant, cost SwiftShader more than most operations.
    const keys = bodies.map((lines, place) => [
      ...(place % perWord === 0 ? ["{", ...slots] : []),
      "{",
      `const place = ${place}u;`,
      "let m = eight * 8u + place;",
      this.options.bits ? seenBits : seenText,
      ...(place === 0 || !this.options.wholeEights ? entering : []),
      ...lines.map(line => line.replaceAll("@packed", place % perWord === 0 ? "even" : "odd")),
      "}",
      ...(place % perWord === perWord - 1 ? [...word(Math.floor(place / perWord)), "}"] : []),
    ]);
    return [
      ...before,
      windowText,
      ...blockVars,
      "let lastEight = (tileEnd + 7u) / 8u;",
      "for (var eight = tileBegin / 8u; eight < lastEight; eight += 1u) {",
      ...pages,
      ...keyScales,
      ...keys.flat(),
      "}",
      ...leaving,
      // A row that sees no key of the tile keeps what it had.
      "if (window.x < window.y) {",
      ...after,
      "}",
    ];
  }

  private body(body: readonly Statement[], context: BodyContext): string[] {
    const text = new BodyText(this.dialect, context.readVariable, this.names, body, pinnedIn(body));
    let packs = 0;
    for (const statement of body) {
      if (statement.kind === "check") {
        const unless = statement.where.unless === null ? "" : ` & !${text.test(statement.where.unless)}`;
        const seen = context.seen === null ? "" : ` & ${context.seen}`;
        text.lines.push(`if (!(abs(${text.of(statement.value)}) <= ${wgslFloat(statement.limit)})${unless}${seen}) {`);
        text.lines.push("markBad(row);", "}");
      } else if (statement.kind === "fold") {
        const name = context.folds.get(statement.to) ?? context.blocks.get(statement.to)?.name;
        const value = text.of(statement.value);
        text.lines.push(
          context.seen === null ? `${name} = ${value};` : `${name} = select(${name}, ${value}, ${context.seen});`,
        );
      } else {
        const name = text.name(text.of(statement.value));
        text.assign(statement.to, name);
        if (this.places.packed.has(statement.to)) {
          text.lines.push(`@packed${packs} = select(0.0, ${name}, ${context.seen});`);
          packs += 1;
        }
        this.store(statement.to, name, text, context);
      }
    }
    return text.lines;
  }

  private store(to: Variable, name: string, text: BodyText, context: BodyContext): void {
    const { places } = this;
    if (to.life === "local") return;
    if (to.axis === "block") text.lines.push(`${this.blockPlace(to, "n")} = ${name};`);
    else if (to.axis === "row") text.lines.push(`state[stateAt(${this.field(to)})][half][lane] = ${name};`);
    else if (to.axis === "F") {
      text.lines.push(`sums[${this.named(context.vectors, to)} + i][half][lane] = ${name};`);
    } else if (places.wholePages.has(to)) {
      // Another tile may have keys on the same page.
      text.lines.push(`if (${context.seen}) {`);
      text.lines.push(`(*${this.named(context.pages, to)})[place][half][lane] = bitcast<u32>(${name});`, "}");
    } else if (places.tilePages.has(to)) {
      text.lines.push(`(*${this.named(context.pages, to)})[place][half][lane] = bitcast<u32>(${name});`);
    }
  }

  private blockPlace(variable: Variable, n: string): string {
    const { blockField } = this.places;
    return `state[stateAt(${blockField.get(variable)}u + ${n} * ${blockField.size}u)][half][lane]`;
  }

  /** The name of a block's value in a loop over keys. */
  private blockValue(blocks: Map<Variable, BlockValue>, variable: Variable): string {
    const known = blocks.get(variable) ?? { name: this.fresh(), start: null };
    blocks.set(variable, known);
    return known.name;
  }

  /** Where a block begins: values that are folded are put away, others fetched. `n` is the number of the next block. */
  private enterBlock(blocks: ReadonlyMap<Variable, BlockValue>): readonly string[] {
    if (blocks.size === 0) return [];
    const values = [...blocks].flatMap(([variable, { name, start }]) =>
      start === null
        ? [`${name} = ${this.blockPlace(variable, "n")};`]
        : [
            "if (m > tileBegin) {",
            `${this.blockPlace(variable, "(n - 1u)")} = ${name};`,
            "}",
            `${name} = ${wgslFloat(start)};`,
          ],
    );
    const width = `${this.options.blockKeys}u`;
    return ["if ((m == nextBlock) & (m < tileEnd)) {", ...values, "n += 1u;", `nextBlock += ${width};`, "}"];
  }

  /** What is before and after a loop over keys. */
  private aroundBlocks(blocks: ReadonlyMap<Variable, BlockValue>): readonly [readonly string[], readonly string[]] {
    if (blocks.size === 0) return [[], []];
    const names = [...blocks.values()].map(({ name }) => `var ${name} = 0.0;`);
    const stores = [...blocks].flatMap(([variable, { name, start }]) =>
      start === null ? [] : [`${this.blockPlace(variable, "(n - 1u)")} = ${name};`],
    );
    return [["var n = 0u;", "var nextBlock = tileBegin;", ...names], stores];
  }

  private named(names: Map<Variable, string>, variable: Variable): string {
    const known = names.get(variable) ?? this.fresh();
    names.set(variable, known);
    return known;
  }

  private fresh(): string {
    const name = `x${this.names.next}`;
    this.names.next += 1;
    return name;
  }
}

/** A block's value in a loop over keys, and what it starts from where the loop folds it. */
interface BlockValue {
  readonly name: string;
  readonly start: number | null;
}

interface BodyContext {
  readonly blocks: Map<Variable, BlockValue>;
  readonly folds: ReadonlyMap<Variable, string>;
  readonly readVariable: (variable: Variable) => string;
  readonly pages: Map<Variable, string>;
  readonly vectors: Map<Variable, string>;
  /** Whether the loop makes operands of a product. */
  readonly packs: boolean;
  /** What holds where the point exists; null where it always does. */
  readonly seen: string | null;
}

const rowsBegin = "for (var row = 0u; row < 8u; row += 1u) {";
const keyScalesText = "let keyScales = keyScalesOf(eight);";
// Signed, which SwiftShader compares in fewer instructions.
const windowText = "let firstSeen = i32(window.x);\nlet endSeen = i32(window.y);";
const seenText = "let seen = (i32(m) >= firstSeen) & (i32(m) < endSeen);";
const seenBits = "let seen = (i32(m) >= firstSeen) & (i32(m) < endSeen) & seesKey(row, m);";
