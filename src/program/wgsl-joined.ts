import type { Pass, Statement, Step } from "./program.js";
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

type Product = Extract<Step, { readonly kind: "product" }>;
type Loop = Extract<Step, { readonly kind: "loop" }>;

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
function foldsScores({ to }: Product, loop: Step | undefined): boolean {
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
function setsVectors({ to }: Product, loop: Step): boolean {
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
export function joinedLoop({ to }: Product, { over, body }: Loop, context: JoinedContext): JoinedLoop {
  const { field, vector, names } = context;
  const lanes = dialectOfLanes(context.dialect);
  const declarations: string[] = [];
  const before: string[] = [];
  const after: string[] = [];
  /** Eights that last for the whole product, and eights of a column's place in vectors. */
  const rows = new Map<Variable, string>();
  const vectors = new Map<Variable, string>();
  const fresh = (): string => {
    names.next += 1;
    return `x${names.next - 1}`;
  };
  const rowName = (variable: Variable, start: string): string => {
    const known = rows.get(variable);
    if (known !== undefined) return known;
    const name = fresh();
    rows.set(variable, name);
    declarations.push(`var<private> ${name}: Eight;`);
    before.push(`${name} = ${start};`);
    return name;
  };
  const inState = (variable: Variable): string => `state[stateAt(${field(variable)})]`;
  const vectorName = (variable: Variable): string => {
    const name = vectors.get(variable) ?? fresh();
    vectors.set(variable, name);
    return name;
  };
  for (const statement of body) {
    if (statement.kind !== "fold") continue;
    const start = `vec4f(${wgslFloat(statement.start ?? 0)})`;
    const name = rowName(statement.to, statement.start === null ? inState(statement.to) : `Eight(${start}, ${start})`);
    after.push(`keepSeen(${field(statement.to)}, ${name});`);
  }
  const halves = [0, 1].flatMap(half => {
    const readVariable = (variable: Variable): string => {
      if (variable === to) return `sum[${half}]`;
      if (variable.axis === "F") return `(*${vectorName(variable)})[${half}]`;
      return `${rowName(variable, inState(variable))}[${half}]`;
    };
    const text = new BodyText(lanes, readVariable, names, body, pinnedIn(body));
    const seen = over === "key" ? `seesKeys${half}(m)` : `seesTile${half}()`;
    for (const statement of body) {
      const name = text.name(text.of((statement as Exclude<Statement, { kind: "check" }>).value));
      if (statement.kind === "fold") {
        const folded = `${rows.get(statement.to)}[${half}]`;
        text.lines.push(`${folded} = select(${folded}, ${name}, ${seen});`);
      } else if (statement.kind === "set") {
        text.assign(statement.to, name);
        if (statement.to.life === "local") continue;
        const place = `(*${vectorName(statement.to)})[${half}]`;
        text.lines.push(`${place} = select(${place}, ${name}, ${seen});`);
      }
    }
    return text.lines;
  });
  const columns = [...vectors].map(([v, name]) => `let ${name} = &sums[vectorAt(${vector(v)}u) + column];`);
  return { declarations, before, each: [...columns, ...halves], after };
}
