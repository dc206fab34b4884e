import { namesNear } from "../einsum/source.js";
import { SpecError } from "../errors.js";
import {
  type Compiled,
  compileExpression,
  constants,
  type Formula,
  namesIn,
  parseExpression,
} from "../spec/expression.js";
import type { FieldReads, Place } from "./field-reads.js";

/** A symbol's rule: a formula, or a computation over other symbols. `scope` is the Einsum whose own symbols come first. */
export interface Definition {
  readonly at: Place;
  readonly scope?: string | undefined;
  readonly rule: Formula | Native;
}

export interface Native {
  readonly reads: readonly string[];
  readonly compute: (values: Float64Array, slots: readonly number[]) => number;
}

/** All symbols of a design in one table of values, and the order to fill it in. */
export interface Program {
  readonly size: number;
  /** The place of an input, by its name. */
  inputSlot(name: string): number;
  /** The place of a symbol as seen from a scope. Throws SpecError when there is none. @param others what a message names besides */
  slotOf(name: string, scope: string | undefined, at: () => string, others?: readonly string[]): number;
  has(name: string, scope?: string): boolean;
  /** A formula of a spec's field, as seen from a scope. */
  compile(formula: Formula, scope: string | undefined, at: Place): Compiled;
  /** Fills the table from the inputs, which must be in it already. */
  run(values: Float64Array): void;
  /** The slots that a formula reads. */
  slotsIn(formula: Formula, scope: string | undefined, at: () => string): readonly number[];
  /** A run of only what depends on the given inputs. */
  rerun(inputs: readonly number[]): (values: Float64Array) => void;
  /** The slots that fix the given ones, whatever the inputs `open` are: those themselves that do not depend on these, else what they are computed from. */
  fixing(slots: readonly number[], open: readonly number[]): readonly number[];
}

/** The name under which an Einsum's own symbol is kept. */
export const scoped = (scope: string, name: string): string => `${scope}::${name}`;

/**
 * Orders definitions so that each comes after what it reads. Throws SpecError for unknown names and circles.
 * @param reads records whose values are asked for
 */
export function compileSymbols(
  inputs: readonly string[],
  definitions: ReadonlyMap<string, Definition>,
  reads?: FieldReads,
): Program {
  const slots = new Map<string, number>();
  for (const name of [...inputs, ...definitions.keys()]) slots.set(name, slots.size);
  const resolve = (name: string, scope: string | undefined): string | undefined => {
    if (scope !== undefined && slots.has(scoped(scope, name))) return scoped(scope, name);
    return slots.has(name) ? name : undefined;
  };
  const resolved = (
    name: string,
    scope: string | undefined,
    at: () => string,
    others: readonly string[] = [],
  ): string => {
    const key = resolve(name, scope);
    if (key !== undefined) return key;
    const ofScope = [...slots.keys()].flatMap(k =>
      scope !== undefined && k.startsWith(scoped(scope, "")) ? [k.slice(scoped(scope, "").length)] : [],
    );
    const common = [...slots.keys()].filter(k => !/::|^[#@]/.test(k));
    const known = [...new Set([...others, ...ofScope, ...common, ...Object.keys(constants)])];
    const expected = `one of ${namesNear(name, known, "the design's sizes, symbols and constants")}`;
    throw new SpecError({ where: at(), got: `the unknown name '${name}'`, expected });
  };
  const slotOf = (name: string, scope: string | undefined, at: () => string, others?: readonly string[]): number =>
    slots.get(resolved(name, scope, at, others)) as number;
  const compile = (formula: Formula, scope: string | undefined, at: () => string): Compiled =>
    compileExpression(parseExpression(formula, at), name => slotOf(name, scope, at));

  const slotsIn = (formula: Formula, scope: string | undefined, at: () => string): readonly number[] =>
    namesIn(parseExpression(formula, at)).map(name => slotOf(name, scope, at));

  const steps: { slot: number; reads: readonly number[]; compute: Compiled }[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (key: string, chain: readonly string[]): void => {
    const definition = definitions.get(key);
    if (definition === undefined || state.get(key) === "done") return;
    const { at, scope, rule } = definition;
    if (state.get(key) === "open") {
      const circle = [...chain.slice(chain.indexOf(key)), key].map(k => k.replace("::", "."));
      throw new SpecError({ where: at(), got: `a circle of symbols: ${circle.join(" -> ")}`, expected: "no circle" });
    }
    state.set(key, "open");
    const slot = slots.get(key) as number;
    if (typeof rule === "object") {
      const reads = rule.reads.map(name => resolved(name, scope, at));
      for (const read of reads) visit(read, [...chain, key]);
      const from = reads.map(read => slots.get(read) as number);
      steps.push({ slot, reads: from, compute: values => rule.compute(values, from) });
    } else {
      const reads = namesIn(parseExpression(rule, at)).map(name => resolved(name, scope, at));
      for (const read of reads) visit(read, [...chain, key]);
      steps.push({ slot, reads: reads.map(read => slots.get(read) as number), compute: compile(rule, scope, at) });
    }
    state.set(key, "done");
  };
  for (const key of definitions.keys()) visit(key, []);

  const dependents = (inputs: readonly number[]): typeof steps => {
    const moved = new Set(inputs);
    return steps.filter(({ slot, reads }) => {
      if (!reads.some(read => moved.has(read))) return false;
      moved.add(slot);
      return true;
    });
  };

  const asked = reads === undefined ? undefined : recordSymbols(reads, definitions, slots, steps);
  return {
    size: slots.size,
    inputSlot: name => slots.get(name) as number,
    slotOf(name, scope, at, others) {
      const slot = slotOf(name, scope, at, others);
      asked?.add(slot);
      return slot;
    },
    has: (name, scope) => resolve(name, scope) !== undefined,
    compile(formula, scope, at) {
      const run = compile(formula, scope, at);
      if (reads === undefined || asked === undefined) return run;
      reads.formula(at);
      const own = slotsIn(formula, scope, at);
      return values => {
        if (!reads.isPaused) for (const slot of own) asked.add(slot);
        reads.value(at);
        return run(values);
      };
    },
    slotsIn,
    run(values) {
      for (const { slot, compute } of steps) values[slot] = compute(values);
    },
    rerun(inputs) {
      const affected = dependents(inputs);
      return values => {
        for (const { slot, compute } of affected) values[slot] = compute(values);
      };
    },
    fixing(slots, open) {
      const readsOf = new Map(dependents(open).map(({ slot, reads }) => [slot, reads]));
      const found = new Set(slots);
      for (const slot of found) for (const read of readsOf.get(slot) ?? []) found.add(read);
      return [...found].filter(slot => !open.includes(slot) && !readsOf.has(slot));
    },
  };
}

/** Tells `reads` which fields the symbols that are asked for rest on. Returns where to note them. */
function recordSymbols(
  reads: FieldReads,
  definitions: ReadonlyMap<string, Definition>,
  slots: ReadonlyMap<string, number>,
  steps: readonly { readonly slot: number; readonly reads: readonly number[] }[],
): Set<number> {
  const asked = new Set<number>();
  const slotsOfField = new Map<string, number[]>();
  for (const [key, { at }] of definitions) {
    reads.formula(at);
    if (at.field !== undefined) {
      slotsOfField.set(at.field, [...(slotsOfField.get(at.field) ?? []), slots.get(key) as number]);
    }
  }
  const from = new Map(steps.map(({ slot, reads }) => [slot, reads]));
  reads.symbols(field => {
    // Workload fields are inputs by their own names.
    const wanted = slotsOfField.get(field) ?? [slots.get(field.replace(/^workload\./, "")) ?? -1];
    const reached = new Set(asked);
    for (const slot of reached) for (const read of from.get(slot) ?? []) reached.add(read);
    return wanted.some(slot => reached.has(slot));
  });
  return asked;
}
