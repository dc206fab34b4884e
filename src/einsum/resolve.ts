import {
  type Access,
  accessesOf,
  type Einsum,
  type Expression,
  type Filter,
  type Index,
  type Iteration,
  type Reduction,
  rankNameOf,
  shiftedVariable,
} from "./einsum.js";
import type { CascadeText, Statement } from "./parse.js";
import { isVariable } from "./parse-index.js";
import { isMixedRadix } from "./ranks.js";
import { constantOf, nameSize, type Size } from "./size.js";
import { CascadeError, nearest, type Span } from "./source.js";

/**
 * Settles what every name means: a bare name outside brackets is a tensor where one of that name is written, declared
 * or read with brackets, else a rank's size, else an input without ranks. Settles also which left-hand sides
 * iterate, and what is reduced how.
 * @throws CascadeError for names, left-hand sides and reductions that mean nothing.
 */
export function resolveStatements(text: CascadeText): Einsum[] {
  const names = new Names(text);
  const steps = stepsOf(text);
  return text.statements.map(statement => resolveStatement(text, statement, names, steps));
}

class Names {
  private readonly text: CascadeText;
  private readonly tensors: ReadonlySet<string>;
  private readonly ranks: ReadonlySet<string>;
  private readonly written: ReadonlySet<string>;
  /** Null without an `inputs:` line: then every tensor that is not written is an input. */
  private readonly declared: ReadonlySet<string> | null;

  constructor(text: CascadeText) {
    this.text = text;
    this.written = new Set(text.statements.map(({ tensor }) => tensor));
    this.declared = text.inputs === null ? null : new Set(text.inputs.map(({ name }) => name));
    const tensors = new Set([...this.written, ...(this.declared ?? [])]);
    const ranks = new Set<string>();
    const addSize = (size: Size): void => {
      for (const term of size) for (const name of term.names) ranks.add(name);
    };
    const addIndex = ({ terms, offset }: Index): void => {
      addSize(offset);
      for (const { variable, coefficient } of terms) {
        ranks.add(rankNameOf(variable));
        addSize(coefficient);
      }
    };
    for (const { left, right, filters } of text.statements) {
      for (const { index } of left) addIndex(index);
      for (const filter of filters) for (const index of [filter.left, filter.right]) addIndex(index);
      for (const access of accessesOf(right)) {
        if (access.bracketed) tensors.add(access.tensor);
        for (const index of access.indices) addIndex(index);
      }
    }
    for (const { indices } of text.inputs ?? []) for (const index of indices ?? []) addIndex(index);
    for (const { name, size } of text.ranks) addSize([...nameSize(name), ...(size ?? [])]);
    for (const { variable, limit } of text.stops) addSize([...nameSize(rankNameOf(variable)), ...limit]);
    this.tensors = tensors;
    this.ranks = ranks;
  }

  resolve(access: Access): Expression {
    const { tensor, bracketed, span } = access;
    const declared = this.declared?.has(tensor) ?? true;
    if (this.tensors.has(tensor)) {
      if (declared || this.written.has(tensor)) return access;
      throw this.unknown(access);
    }
    if (bracketed) throw this.unknown(access);
    if (this.ranks.has(tensor)) return { kind: "size", size: nameSize(tensor) };
    if (this.ranks.has(rankNameOf(tensor)) && isVariable(tensor)) {
      throw new CascadeError(this.text.source, span, {
        got: `the rank variable "${tensor}" outside brackets`,
        expected: "a tensor, a number or a rank's size",
        fix: `${rankNameOf(tensor)} is the rank's size; a coordinate itself is not a value`,
      });
    }
    if (!declared) throw this.unknown(access);
    return access;
  }

  private unknown({ tensor, span }: Access): CascadeError {
    const known = [...this.text.statements.map(s => s.tensor), ...(this.text.inputs ?? []).map(({ name }) => name)];
    const near = nearest(tensor, known);
    return new CascadeError(this.text.source, span, {
      got: `the unknown tensor ${tensor}`,
      expected: `a tensor that an Einsum writes or that "inputs:" lists`,
      fix: near === undefined ? `add ${tensor} to inputs:, or write it first` : `did you mean ${near}?`,
    });
  }
}

/** For each tensor that some Einsum writes at `i+1`: which index that is, and its variable. */
type Steps = ReadonlyMap<string, { readonly position: number; readonly variable: string }>;

function stepsOf(text: CascadeText): Steps {
  const steps = new Map<string, { position: number; variable: string }>();
  for (const { tensor, left } of text.statements) {
    for (const [position, { index, start }] of left.entries()) {
      const variable = shiftedVariable(index);
      if (start === null && variable !== undefined && constantOf(index.offset) === 1 && !steps.has(tensor)) {
        steps.set(tensor, { position, variable });
      }
    }
  }
  return steps;
}

function resolveStatement(text: CascadeText, statement: Statement, names: Names, steps: Steps): Einsum {
  const { source } = text;
  const iteration = iterationOf(text, statement, steps);
  const indices = statement.left.map(({ index }) => index);
  const free = freeVariables(text, statement, iteration);
  const right = mapAccesses(statement.right, access => names.resolve(access));
  const reads = accessesOf(right);
  const seen = new Set(free);
  const reduced: string[] = [];
  for (const variable of rightVariables(reads, statement.filters)) {
    if (seen.has(variable)) continue;
    seen.add(variable);
    reduced.push(variable);
  }
  const reductions = reductionsOf(source, statement, free, reduced);
  const { tensor, filters, annotation, text: line, span } = statement;
  return {
    tensor,
    indices,
    iteration,
    right,
    filters,
    reductions,
    annotation,
    free,
    reduced,
    reads,
    text: line,
    span,
  };
}

function mapAccesses(expression: Expression, map: (access: Access) => Expression): Expression {
  switch (expression.kind) {
    case "access":
      return map(expression);
    case "number":
    case "size":
      return expression;
    case "unary": {
      const operand = mapAccesses(expression.operand, map);
      const { scale } = expression;
      return scale === undefined
        ? { ...expression, operand }
        : { ...expression, operand, scale: mapAccesses(scale, map) };
    }
    case "binary": {
      const left = mapAccesses(expression.left, map);
      return { ...expression, left, right: mapAccesses(expression.right, map) };
    }
  }
}

function rightVariables(reads: readonly Access[], filters: readonly Filter[]): string[] {
  const variables: string[] = [];
  const add = ({ terms }: Index): void => {
    for (const { variable } of terms) variables.push(variable);
  };
  for (const { indices } of reads) for (const index of indices) add(index);
  for (const { left, right } of filters) for (const index of [left, right]) add(index);
  return variables;
}

/** Which index of a left-hand side iterates, and how. */
function iterationOf(text: CascadeText, statement: Statement, steps: Steps): Iteration | null {
  const { source } = text;
  let iteration: Iteration | null = null;
  const settle = (next: Iteration, span: Span): void => {
    if (iteration !== null) {
      throw new CascadeError(source, span, {
        got: `a second iterative rank of ${statement.tensor}`,
        expected: "one iterative rank a tensor",
        fix: "give each iteration a tensor of its own",
      });
    }
    iteration = next;
  };
  for (const [position, { index, start }] of statement.left.entries()) {
    const step = steps.get(statement.tensor);
    const variable = shiftedVariable(index);
    if (start !== null) {
      const span = start.span;
      if (
        variable === undefined ||
        index.offset.length > 0 ||
        start.terms.length > 0 ||
        constantOf(start.offset) !== 0
      ) {
        throw new CascadeError(source, span, {
          got: `this starting coordinate of ${statement.tensor}`,
          expected: "the first coordinate, 0",
          fix: "an initialization reads RM[m1=0, p] = -inf",
        });
      }
      settle({ role: "init", position, variable: step?.variable ?? variable }, index.span);
    } else if (index.terms.length === 0) {
      if (step?.position !== position || constantOf(index.offset) !== 0) throw fixedCoordinate(text, statement, index);
      settle({ role: "init", position, variable: step.variable }, index.span);
    } else if (variable !== undefined && index.offset.length > 0) {
      if (constantOf(index.offset) !== 1) throw fixedCoordinate(text, statement, index);
      settle({ role: "step", position, variable }, index.span);
    }
  }
  return iteration;
}

function fixedCoordinate(text: CascadeText, { tensor }: Statement, index: Index): CascadeError {
  return new CascadeError(text.source, index.span, {
    got: `this coordinate on the left of ${tensor}`,
    expected: "a rank variable (k), an iterative one (i+1), an initialization (i=0) or a flattened pair (m1*M0+m0)",
    fix: "an iterative rank writes coordinate i+1 from coordinate i",
  });
}

function freeVariables(text: CascadeText, statement: Statement, iteration: Iteration | null): string[] {
  const free: string[] = [];
  for (const [position, { index, start }] of statement.left.entries()) {
    if (start !== null || (iteration?.role === "init" && iteration.position === position)) continue;
    if (index.terms.length > 1 && !isMixedRadix(index)) throw fixedCoordinate(text, statement, index);
    if (index.terms.length === 1 && shiftedVariable(index) === undefined) throw fixedCoordinate(text, statement, index);
    for (const { variable } of index.terms) {
      if (free.includes(variable)) {
        throw new CascadeError(text.source, index.span, {
          got: `the rank variable ${variable} twice on the left of ${statement.tensor}`,
          expected: "each rank variable once",
        });
      }
      free.push(variable);
    }
  }
  return free;
}

/** The written reductions in order, after a sum over whatever none of them names. */
function reductionsOf(
  source: CascadeText["source"],
  statement: Statement,
  free: readonly string[],
  reduced: readonly string[],
): Reduction[] {
  const left = new Set(reduced);
  for (const { variables } of statement.reductions) {
    for (const { name, span } of variables) {
      if (left.delete(name)) continue;
      const why = free.includes(name)
        ? `${statement.tensor} keeps ${name} on the left`
        : reduced.includes(name)
          ? `${name} is reduced twice`
          : `no tensor on the right has ${name}`;
      throw new CascadeError(source, span, {
        got: `a reduction over a rank that is not there: ${why}`,
        expected:
          reduced.length === 0
            ? "no reduction, for no rank is missing on the left"
            : `one of the ranks missing on the left: ${reduced.join(", ")}`,
      });
    }
  }
  const written = statement.reductions.map(({ op, variables }) => ({ op, variables: variables.map(v => v.name) }));
  return left.size === 0 ? written : [{ op: "+", variables: [...left] }, ...written];
}
