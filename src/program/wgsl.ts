import type { FloatSpec } from "../numerics/number-type.js";
import type { Pass, Statement, Step } from "./program.js";
import { type BinaryPrimitive, partsOf, type Scalar } from "./scalar.js";
import { BodyText, type Dialect } from "./text.js";
import type { Variable } from "./variable.js";
import { wgslFloat, wgslRounder } from "./wgsl-number-type.js";
import type { WgslPlaces } from "./wgsl-places.js";

/*
 * Prints a program's scalar work as WGSL that follows shaders/program.wgsl, whose products it calls. An invocation works on
 * eight rows, one after the other; a variable has its place in one of that file's buffers.
 */

const operators: Readonly<Record<BinaryPrimitive, (a: string, b: string) => string>> = {
  add: (a, b) => `(${a} + ${b})`,
  sub: (a, b) => `(${a} - ${b})`,
  // Pinned, or a compiler could fuse it with what it is added to.
  mul: (a, b) => `pin(${a} * ${b})`,
  div: (a, b) => `quotient(${a}, ${b})`,
  divShort: (a, b) => `shortQuotient(${a}, ${b})`,
  max: (a, b) => `max(${a}, ${b})`,
  min: (a, b) => `min(${a}, ${b})`,
};

/** `named` are numbers that the host gives, so that one text serves them all. */
const dialectOf = (named: ReadonlyMap<number, string>, rounderOf: (type: FloatSpec) => string): Dialect => ({
  number: value => named.get(value) ?? wgslFloat(value),
  binary: (op, a, b) => operators[op](a, b),
  unary: (op, a) => (op === "binade" ? `bitcast<f32>(bitcast<u32>(${a}) & 0x7f800000u)` : `${op}(${a})`),
  round: (type, a) => `${rounderOf(type)}(${a})`,
  multiplyAdd: (a, b, c) => `fusedMultiplyAdd(${a}, ${b}, ${c})`,
  // The low bits of 1.5 * 2^23 + n are n, which move up into an exponent.
  scale2: (p, n) => `(${p} * bitcast<f32>(bitcast<u32>(${n} + 0x1.8p23f) * 0x800000u + 0x3f800000u))`,
  select: (when, a, b) => `select(${b}, ${a}, ${when})`,
  less: (a, b) => `(${a} < ${b})`,
  equal: (a, b) => `(${a} == ${b})`,
  pin: value => `pin(${value})`,
  declare: (name, value) => `let ${name} = ${value};`,
});

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
  const [tile, end] = [printer.steps(pass.tile), printer.steps(pass.end)];
  return [
    `const weightScales = ${printer.weightScales}u;\nconst blockFields = ${options.places.blockField.size}u;`,
    `const wholeBlocks = ${options.wholeBlocks};`,
    ...printer.rounders.values(),
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

  /** The field of the scales of a product's weights; 0 where they have none. */
  weightScales = 0;
  private readonly places: WgslPlaces;
  private readonly perWord: 1 | 2;

  constructor(private readonly options: WgslOptions) {
    this.places = options.places;
    this.perWord = options.perWord;
    this.dialect = dialectOf(new Map([[options.factor, "job.factor"]]), type => this.rounder(type));
  }

  private rounder(type: FloatSpec): string {
    const name = `roundTo_${type.name.replaceAll("-", "_")}`;
    this.rounders.set(type.name, wgslRounder(name, type));
    return name;
  }

  /** Writes a function for each step, and gives the calls. */
  steps(steps: readonly Step[]): string {
    const calls = steps.map(step => {
      if (step.kind === "product") return this.product(step);
      const name = `step${this.functions.length}`;
      this.functions.push(`fn ${name}() {\n${this.loop(step).join("\n")}\n}`);
      return `${name}();`;
    });
    return calls.map(call => `  ${call}\n`).join("");
  }

  private product({ over, lanes, to, continues, scales }: Extract<Step, { kind: "product" }>): string {
    if (scales !== null) this.weightScales = this.places.blockField.get(scales) ?? 0;
    if (over === "E") return `productOfKeys(${this.pageOf(to)});`;
    return `productOfValues(${this.packedPage(lanes)}, ${this.places.vector.get(to)}u, ${continues});`;
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

  private loop({ over, body }: Extract<Step, { kind: "loop" }>): string[] {
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
    const pinned = summedTwice(body);
    const text = new BodyText(this.dialect, context.readVariable, this.names, body, node => pinned.has(node));
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
const seenText = "let seen = (m >= window.x) & (m < window.y);";
const seenBits = "let seen = (m >= window.x) & (m < window.y) & seesKey(row, m);";

/** Sums that are summands themselves, or are set: a compiler could reassociate them with what they are added to. */
function summedTwice(body: readonly Statement[]): Set<Scalar> {
  const found = new Set<Scalar>();
  const visited = new Set<Scalar>();
  const isSum = ({ op }: Scalar): boolean => op === "add" || op === "sub";
  const visit = (at: Scalar): void => {
    if (visited.has(at)) return;
    visited.add(at);
    const parts = partsOf(at);
    if (isSum(at)) for (const part of parts) if (isSum(part)) found.add(part);
    for (const part of parts) visit(part);
  };
  for (const statement of body) {
    visit(statement.value);
    if (statement.kind === "set" && isSum(statement.value)) found.add(statement.value);
  }
  return found;
}
