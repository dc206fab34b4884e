import type { Pass, ProductStep, Statement, Step } from "./program.js";
import { readsOf, type Scalar, substitute } from "./scalar.js";
import type { Axis, Variable } from "./variable.js";

/** A variable whose life is settled once all that reads it is known. */
export type Draft = { -readonly [K in keyof Variable]: Variable[K] };

export type LoopAxis = Exclude<Axis, "row"> | null;

type Loop = { readonly kind: "loop"; readonly over: LoopAxis; readonly body: Statement[] };
type DraftStep = Loop | ProductStep;

/** The steps of a tile, or of a pass's end, as they are added: statements join the latest loop that they may run in. */
export class StepList {
  readonly steps: DraftStep[] = [];

  add(over: LoopAxis, statement: Statement): void {
    const reads = readsOf(statement.value);
    for (let i = this.steps.length - 1; i >= 0; i -= 1) {
      const step = this.steps[i] as DraftStep;
      if (step.kind === "loop" && step.over === over && !foldsIn(step).some(folded => reads.has(folded))) {
        step.body.push(statement);
        return;
      }
      if (writesOf(step).some(written => reads.has(written))) break;
    }
    this.steps.push({ kind: "loop", over, body: [statement] });
  }

  /** A step of its own, after all others. */
  append(step: DraftStep): void {
    this.steps.push(step);
  }

  /** Whether `variable` is read after `writer` was last set. */
  readAfterSet(variable: Variable, writer: Variable): boolean {
    let set = false;
    for (const step of this.steps) {
      if (step.kind === "product") {
        if (set && step.lanes === variable) return true;
        if (step.to === writer) set = true;
        continue;
      }
      for (const statement of step.body) {
        if (set && statementReads(statement).has(variable)) return true;
        if (statement.kind !== "check" && statement.to === writer) set = true;
      }
    }
    return false;
  }

  replace(from: Variable, to: Variable): void {
    const by = new Map([[from, to]]);
    for (const [i, step] of this.steps.entries()) {
      if (step.kind === "product") {
        const at = (variable: Variable): Variable => (variable === from ? to : variable);
        this.steps[i] = { ...step, lanes: at(step.lanes), to: at(step.to) };
        continue;
      }
      for (const [j, statement] of step.body.entries()) step.body[j] = replaced(statement, from, to, by);
    }
  }
}

function replaced(statement: Statement, from: Variable, to: Variable, by: ReadonlyMap<Variable, Variable>): Statement {
  const value = substitute(statement.value, by);
  if (statement.kind !== "check") return { ...statement, value, to: statement.to === from ? to : statement.to };
  const { unless } = statement.where;
  const where =
    unless === null
      ? statement.where
      : { ...statement.where, unless: { ...unless, a: substitute(unless.a, by), b: substitute(unless.b, by) } };
  return { ...statement, value, where };
}

const foldsIn = ({ body }: Loop): Variable[] => body.flatMap(s => (s.kind === "fold" ? [s.to] : []));

/** What a step writes. */
export function writesOf(step: DraftStep | Step): Variable[] {
  if (step.kind === "product") return [step.to];
  return step.body.flatMap(statement => (statement.kind === "check" ? [] : [statement.to]));
}

/** The expressions of a statement: its value's, and those of the test under which nothing is checked. */
export function expressionsIn(statement: Statement): readonly Scalar[] {
  const unless = statement.kind === "check" ? statement.where.unless : null;
  return unless === null ? [statement.value] : [statement.value, unless.a, unless.b];
}

/** What a statement reads, what it folds into excluded. */
export function statementReads(statement: Statement): Set<Variable> {
  const reads = new Set(expressionsIn(statement).flatMap(expression => [...readsOf(expression)]));
  if (statement.kind === "fold") reads.delete(statement.to);
  return reads;
}

/** What a step reads. */
export function stepReads(step: Step): Set<Variable> {
  if (step.kind === "product") return new Set(step.continues ? [step.lanes, step.to] : [step.lanes]);
  return new Set(step.body.flatMap(statement => [...statementReads(statement)]));
}

/**
 * Settles how long each value of a tile lives: whole when another pass reads it, local when only the loop that makes
 * it does.
 */
export function settleLives(drafts: readonly Draft[], passes: readonly Pass[], tileBound: ReadonlySet<Variable>): void {
  for (const draft of drafts) {
    if (!tileBound.has(draft)) continue;
    const steps = passes.flatMap((pass, n) => [...pass.tile, ...pass.end].map(step => ({ n, step })));
    const writer = steps.find(({ step }) => writesOf(step).includes(draft));
    const readers = steps.filter(({ step }) => stepReads(step).has(draft));
    if (readers.some(({ n }) => n !== writer?.n)) draft.life = "whole";
    else if (
      writer?.step.kind === "loop" &&
      !writer.step.body.some(s => s.kind === "fold" && s.to === draft) &&
      readers.every(({ step }) => step === writer.step)
    ) {
      draft.life = "local";
    } else draft.life = "tile";
  }
}
