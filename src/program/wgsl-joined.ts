import type { LoopStep, Pass, ProductStep, Statement, Step } from "./program.js";
import { partsOf, type Scalar } from "./scalar.js";
import { expressionsIn, statementReads, stepReads, writesOf } from "./steps.js";
import { BodyText, type Dialect } from "./text.js";
import type { Variable } from "./variable.js";
import { dialectOfLanes, laneOperations, pinnedIn } from "./wgsl-dialect.js";
import { wgslFloat } from "./wgsl-number-type.js";

/*
 * Loops that run where a product makes its sums, before these are stored: the maximum of scores, and what the sums of values are
 * added to. An eight of rows at once, as two vectors of four; a loop of its own reads all sums again, row by row.
 */

/** The place of the loop that joins the product at place `at` of a pass's tile; null where none can. */
export function joiningLoop({ tile, end }: Pass, at: number): number | null {
  const product = tile[at];
  if (product?.kind !== "product") return null;
  if (product.over === "E") return foldsScores(product, tile[at + 1]) ? at + 1 : null;
  const place = tile.findIndex((step, i) => i > at && stepReads(step).has(product.to));
  const loop = tile[place];
  if (product.continues || product.to.life !== "tile" || loop === undefined) return null;
  const others = [...tile.slice(place + 1), ...end];
  if (!setsVectors(product, loop) || others.some(step => stepReads(step).has(product.to))) return null;
  return tile.slice(at + 1, place).every(step => step.kind === "loop" && areApart(step, loop)) ? place : null;
}

/** Folds of scores into values of a row, key by key. */
function foldsScores({ to }: ProductStep, loop: Step | undefined): boolean {
  if (loop?.kind !== "loop" || loop.over !== "key") return false;
  return loop.body.every(
    statement =>
      statement.kind === "fold" &&
      statement.to.axis === "row" &&
      isInLanes(statement) &&
      [...statementReads(statement)].every(variable => variable === to || variable.axis === "row"),
  );
}

/** Vectors over F, from the sums, other vectors and values of a row. */
function setsVectors({ to }: ProductStep, loop: Step): boolean {
  if (loop.kind !== "loop" || loop.over !== "F") return false;
  return loop.body.every(
    statement => statement.kind === "set" && statement.to !== to && statement.to.axis === "F" && isInLanes(statement),
  );
}

/** Whether two steps can change places. */
function areApart(one: Step, other: Step): boolean {
  const meets = (a: Step, b: Step): boolean => {
    const reads = stepReads(b);
    const writes = writesOf(b);
    return writesOf(a).some(variable => reads.has(variable) || writes.includes(variable));
  };
  return !meets(one, other) && !meets(other, one);
}

/** Whether all operations of a statement have a form for vectors. */
function isInLanes(statement: Statement): boolean {
  const has = (scalar: Scalar): boolean => laneOperations.has(scalar.op) && partsOf(scalar).every(has);
  return expressionsIn(statement).every(has);
}

/** The names and places of the text that joined loops are printed into. */
export interface JoinedContext {
  /** The dialect of one row. */
  readonly dialect: Dialect;
  readonly names: { next: number };
  /** The field of a row's variable in the state. */
  readonly field: (variable: Variable) => string;
  /** The number of a vector over F. */
  readonly vector: (variable: Variable) => number;
}

/** The text of a loop that joins a product. */
export interface JoinedLoop {
  /** Private variables of it. */
  readonly declarations: readonly string[];
  readonly before: readonly string[];
  /** For a key m, or for a column, the sums of which are `sum`. */
  readonly each: readonly string[];
  readonly after: readonly string[];
}

/** Prints a loop that joins a product; `sum`, m and the column are names of shaders/program.wgsl. */
export function joinedLoop(product: ProductStep, loop: LoopStep, context: JoinedContext): JoinedLoop {
  return new Joined(product, loop, context).print();
}

class Joined {
  private readonly declarations: string[] = [];
  private readonly before: string[] = [];
  /** By variable, the names of a row's values, which last for the whole product, and of a vector's values in the column. */
  private readonly rows = new Map<Variable, string>();
  private readonly vectors = new Map<Variable, string>();

  constructor(
    private readonly product: ProductStep,
    private readonly loop: LoopStep,
    private readonly context: JoinedContext,
  ) {}

  print(): JoinedLoop {
    const { field, vector } = this.context;
    const after: string[] = [];
    for (const statement of this.loop.body) {
      if (statement.kind !== "fold") continue;
      const { to, start } = statement;
      const number = `vec4f(${wgslFloat(start ?? 0)})`;
      const name = this.row(to, start === null ? this.inState(to) : `Eight(${number}, ${number})`);
      after.push(`keepSeen(${field(to)}, ${name});`);
    }
    const halves = [...this.half(0), ...this.half(1)];
    const columns = [...this.vectors].map(([v, name]) => `let ${name} = &sums[vectorAt(${vector(v)}u) + column];`);
    const { declarations, before } = this;
    return { declarations, before, each: [...columns, ...halves], after };
  }

  /** The statements for rows 0 to 3, or 4 to 7. */
  private half(half: 0 | 1): readonly string[] {
    const { body, over } = this.loop;
    const place = (variable: Variable): string => {
      if (variable === this.product.to) return `sum[${half}]`;
      if (variable.axis === "F") return `(*${this.vector(variable)})[${half}]`;
      return `${this.row(variable, this.inState(variable))}[${half}]`;
    };
    const lanes = dialectOfLanes(this.context.dialect);
    const text = new BodyText(lanes, place, this.context.names, body, pinnedIn(body));
    const seen = over === "key" ? `seesKeys${half}(m)` : `seesTile${half}()`;
    for (const statement of body) {
      if (statement.kind === "check") continue;
      const { kind, to, value } = statement;
      const name = text.name(text.of(value));
      if (kind === "set") text.assign(to, name);
      if (to.life !== "local") text.lines.push(`${place(to)} = select(${place(to)}, ${name}, ${seen});`);
    }
    return text.lines;
  }

  private row(variable: Variable, start: string): string {
    const known = this.rows.get(variable);
    if (known !== undefined) return known;
    const name = this.fresh();
    this.rows.set(variable, name);
    this.declarations.push(`var<private> ${name}: Eight;`);
    this.before.push(`${name} = ${start};`);
    return name;
  }

  private vector(variable: Variable): string {
    const name = this.vectors.get(variable) ?? this.fresh();
    this.vectors.set(variable, name);
    return name;
  }

  private inState(variable: Variable): string {
    return `state[stateAt(${this.context.field(variable)})]`;
  }

  private fresh(): string {
    const { names } = this.context;
    names.next += 1;
    return `x${names.next - 1}`;
  }
}
