import { SpecError } from "../errors.js";
import { isBeyondDouble, withinDouble } from "../numerics/decimal.js";

/**
 * The small formula language of the specs: numbers, names (dots allowed), `+ - * / ^`, comparisons (1 or 0),
 * parentheses and the functions below. A formula says a loop bound, a buffer's size or, over Einsum names, a binding.
 */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "binary"; readonly op: BinaryOp; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: "call";
      readonly fn: FunctionName;
      readonly args: readonly Expression[];
      /** Its place, for what is wrong with values alone. */
      readonly where: () => string;
    };

/** What a spec's numeric field may hold: a number or a formula. */
export type Formula = number | string;

type BinaryOp = "+" | "-" | "*" | "/" | "^" | "==" | "!=" | "<" | "<=" | ">" | ">=";

/** Units that formulas may name. */
export const constants: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const binary: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
  "==": (a, b) => (a === b ? 1 : 0),
  "!=": (a, b) => (a !== b ? 1 : 0),
  "<": (a, b) => (a < b ? 1 : 0),
  "<=": (a, b) => (a <= b ? 1 : 0),
  ">": (a, b) => (a > b ? 1 : 0),
  ">=": (a, b) => (a >= b ? 1 : 0),
};

const functions = {
  ceil: { arity: 1, apply: (a: number) => Math.ceil(a) },
  floor: { arity: 1, apply: (a: number) => Math.floor(a) },
  log2: { arity: 1, apply: (a: number) => Math.log2(a) },
  max: { arity: 2, apply: (a: number, b: number) => Math.max(a, b) },
  min: { arity: 2, apply: (a: number, b: number) => Math.min(a, b) },
  /** The largest divisor of a that is at most b; 0 when b < 1. */
  largestDivisor: { arity: 2, apply: (n: number, limit: number) => largestDivisor(n, limit) },
  /** if(c, a, b): a where c is not 0, else b. */
  if: { arity: 3, apply: (c: number, a: number, b: number) => (c !== 0 ? a : b) },
} as const;
export type FunctionName = keyof typeof functions;

/** What one formula may be; all of it is worked off before anything is computed. */
export const formulaLimits = { characters: 4000, tokens: 1000, nesting: 100 } as const;

/** Its divisors are found by trial up to the root: 2^24 divisions at the most. */
const largestDivided = 2 ** 48;

/** What has been divided already: a sweep asks for the same again and again. */
const divided = new Map<string, number>();
const mostDivided = 10_000;

/** The largest divisor of `n` that is at most `limit`; 0 when there is none (limit < 1). @throws SpecError for n > 2^48. */
export function largestDivisor(n: number, limit: number, where = (): string => "largestDivisor"): number {
  if (limit >= n) return n;
  if (!(limit >= 1) || !Number.isInteger(n)) return 0;
  if (n > largestDivided) {
    throw new SpecError({ where: where(), got: `largestDivisor of ${n}`, expected: "of a number of at most 2^48" });
  }
  const key = `${n} ${limit}`;
  const known = divided.get(key);
  if (known !== undefined) return known;
  if (divided.size >= mostDivided) divided.clear();
  const best = tryDivisors(n, limit);
  divided.set(key, best);
  return best;
}

function tryDivisors(n: number, limit: number): number {
  if (limit * limit <= n) {
    for (let d = Math.floor(limit); d > 1; d--) if (n % d === 0) return d;
    return 1;
  }
  // n / d falls as d grows: the first that is small enough is the largest. Else the largest d itself.
  let best = 1;
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue;
    if (n / d <= limit) return n / d;
    best = d;
  }
  return best;
}

const token =
  /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|([A-Za-z_@][\w@]*(?:\.[A-Za-z_][\w]*)*)|(==|!=|<=|>=|[-+*/^(),<>]))/y;

interface Token {
  readonly kind: "number" | "name" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

function tokenize(text: string, where: () => string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let at = 0;
  while (at < end) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) {
      throw new SpecError({
        where: where(),
        got: `'${text
          .slice(at, at + 40)
          .trim()
          .slice(0, 20)}' in the formula '${text}'`,
        expected: "numbers, names, + - * / ^, comparisons, parentheses and functions",
      });
    }
    const [all, number, name, symbol] = match;
    const kind = number !== undefined ? "number" : name !== undefined ? "name" : "symbol";
    tokens.push({ kind, text: number ?? name ?? symbol ?? "", at });
    at += all.length;
    if (tokens.length > formulaLimits.tokens) {
      throw new SpecError({
        where: where(),
        got: `a formula of more than ${formulaLimits.tokens} numbers, names and signs`,
        expected: "a shorter one",
        fix: "give parts of it names of their own under symbols",
      });
    }
  }
  tokens.push({ kind: "end", text: "the end", at });
  return tokens;
}

const precedence: Readonly<Record<string, number>> = {
  "==": 1,
  "!=": 1,
  "<": 1,
  "<=": 1,
  ">": 1,
  ">=": 1,
  "+": 2,
  "-": 2,
  "*": 3,
  "/": 3,
  "^": 4,
};

/** Reads a formula; `where` names its place should it be wrong. Throws SpecError. */
export function parseExpression(formula: Formula, where: () => string): Expression {
  if (typeof formula === "number") return { kind: "number", value: formula };
  if (formula.length > formulaLimits.characters) {
    throw new SpecError({
      where: where(),
      got: `a formula of ${formula.length} characters`,
      expected: `at most ${formulaLimits.characters}`,
    });
  }
  const tokens = tokenize(formula, where);
  let next = 0;
  let depth = 0;
  const peek = (): Token => tokens[Math.min(next, tokens.length - 1)] as Token;
  const fail = (expected: string, fix?: string): never => {
    throw new SpecError({
      where: where(),
      got: `${peek().text} at character ${peek().at + 1} of '${formula}'`,
      expected,
      ...(fix === undefined ? {} : { fix }),
    });
  };
  const expect = (text: string): void => {
    if (peek().text !== text || peek().kind !== "symbol") fail(`'${text}'`);
    next++;
  };
  const primary = (): Expression => {
    const { kind, text } = peek();
    if (kind === "number") {
      if (isBeyondDouble(Number(text), text)) return fail(withinDouble);
      next++;
      return { kind: "number", value: Number(text) };
    }
    if (kind === "symbol" && text === "(") {
      next++;
      const inner = climb(1);
      expect(")");
      return inner;
    }
    if (kind === "symbol" && text === "-") {
      next++;
      return { kind: "binary", op: "-", left: { kind: "number", value: 0 }, right: climb(4) };
    }
    if (kind !== "name") return fail("a number, a name or '('");
    next++;
    if (peek().text !== "(") return { kind: "name", name: text };
    return call(text);
  };
  const call = (name: string): Expression => {
    if (!Object.hasOwn(functions, name)) {
      next--;
      return fail(`one of the functions ${Object.keys(functions).join(", ")}`);
    }
    const fn = name as FunctionName;
    next++;
    const args = [climb(1)];
    while (peek().text === ",") {
      next++;
      args.push(climb(1));
    }
    expect(")");
    const { arity } = functions[fn];
    const folds = fn === "max" || fn === "min";
    if (folds ? args.length < 1 : args.length !== arity) fail(`${fn} with ${arity} arguments, not ${args.length}`);
    return { kind: "call", fn, args, where };
  };
  const climb = (least: number): Expression => {
    depth += 1;
    if (depth > formulaLimits.nesting) fail(`at most ${formulaLimits.nesting} parentheses and signs in one another`);
    const result = operators(least);
    depth -= 1;
    return result;
  };
  const operators = (least: number): Expression => {
    let left = primary();
    for (;;) {
      const { kind, text } = peek();
      const level = kind === "symbol" ? precedence[text] : undefined;
      if (level === undefined || level < least) return left;
      next++;
      left = { kind: "binary", op: text as BinaryOp, left, right: climb(level + 1) };
    }
  };
  const result = climb(1);
  if (peek().kind !== "end") {
    fail("an operator or the end", peek().kind === "name" ? "a unit is a factor: 8 * MiB" : undefined);
  }
  return result;
}

/** The names that a formula reads, each once, in order of appearance. */
export function namesIn(expression: Expression): readonly string[] {
  const names = new Set<string>();
  const visit = (e: Expression): void => {
    if (e.kind === "name" && !Object.hasOwn(constants, e.name)) names.add(e.name);
    else if (e.kind === "binary") {
      visit(e.left);
      visit(e.right);
    } else if (e.kind === "call") e.args.forEach(visit);
  };
  visit(expression);
  return [...names];
}

/** A formula made ready to run over a table of values. */
export type Compiled = (values: Float64Array) => number;

/** Turns a formula into a closure; `slotOf` says where in the table each name's value is. */
export function compileExpression(expression: Expression, slotOf: (name: string) => number): Compiled {
  switch (expression.kind) {
    case "number": {
      const { value } = expression;
      return () => value;
    }
    case "name": {
      const constant = Object.hasOwn(constants, expression.name) ? constants[expression.name] : undefined;
      if (constant !== undefined) return () => constant;
      const slot = slotOf(expression.name);
      return values => values[slot] as number;
    }
    case "binary": {
      const apply = binary[expression.op];
      const left = compileExpression(expression.left, slotOf);
      const right = compileExpression(expression.right, slotOf);
      return values => apply(left(values), right(values));
    }
    case "call": {
      const args = expression.args.map(a => compileExpression(a, slotOf));
      if (expression.fn === "if") {
        const [condition, yes, no] = args as [Compiled, Compiled, Compiled];
        return values => (condition(values) !== 0 ? yes(values) : no(values));
      }
      if (expression.fn === "largestDivisor") {
        const [n, limit] = args as [Compiled, Compiled];
        const { where } = expression;
        return values => largestDivisor(n(values), limit(values), where);
      }
      const apply = functions[expression.fn].apply as (...a: number[]) => number;
      if (expression.fn === "max" || expression.fn === "min") {
        return values => args.reduce((soFar, arg, i) => (i === 0 ? arg(values) : apply(soFar, arg(values))), 0);
      }
      return values => apply(...args.map(arg => arg(values)));
    }
  }
}
