import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { numberTypes } from "../numerics/number-type.js";
import type { PlacedEinsum } from "../spec/placement.js";
import type { OperationCost, Technology } from "../spec/technology.js";
import { hasRegistersOfAnyWidth } from "./building-blocks.js";
import { type ElementRoles, typeOfOperation } from "./element-roles.js";

/** Energy and area of a design's operations in the types of its arithmetic, and what a technology does not have. */
export interface Figures {
  /** Of an operation of an Einsum; undefined where the technology has none of its type. */
  of(einsum: string, operation: string): OperationCost | undefined;
  /** The distinct operators of an operation on an array, one for each type in which its Einsums do it. */
  operators(array: string, operation: string): readonly OperationCost[];
  /** What the technology lacks, in words; empty where energy and area are known. */
  readonly lacking: readonly string[];
  /** What stands for wider words than the technology says its figures are for; undefined where nothing does. */
  readonly assumed: string | undefined;
}

/**
 * Words of one width for everything, as the architecture has them.
 * @param silent the arithmetic that values are computed in although nobody names it: its sums may be wider, which is said
 */
export function uniformFigures(technology: Technology, wordBits: number, silent?: ArithmeticSpec): Figures {
  const wide = silent !== undefined && numberTypes[silent.accumulator].storageBits > wordBits;
  const known = (technology.wordBits ?? wordBits) === wordBits;
  const of = (operation: string): OperationCost | undefined => technology.operations[operation];
  return {
    of: (_, operation) => of(operation),
    operators: (_, operation) => [of(operation)].filter(cost => cost !== undefined),
    lacking:
      technology.lacks.length > 0
        ? technology.lacks
        : known
          ? []
          : [`operators and registers of ${wordBits}-bit words`],
    assumed: wide
      ? `no arithmetic is named: every word is charged ${wordBits} bits, sums as well (--arithmetic ${silent.name} charges its own)`
      : undefined,
  };
}

/**
 * Figures by types. A technology's own operations are of operators whose factors have its `wordBits`; types that it lists have
 * their own. Where all operands have these bits, sums wider than they are charged its own operators, and that is said.
 */
export function typedFigures(
  technology: Technology,
  architectureBits: number,
  arithmetic: ArithmeticSpec,
  placement: readonly PlacedEinsum[],
  roles: ElementRoles,
): Figures {
  const own = technology.wordBits ?? architectureBits;
  const { q, k, v, p } = arithmetic.operands;
  const operands = [q, k, v, p].map(({ type }) => type);
  const fits = operands.every(({ storageBits }) => storageBits === own);
  const accumulator = numberTypes[arithmetic.accumulator];
  const listed = (type: string, operation: string): OperationCost | undefined =>
    technology.types?.[type]?.operations[operation];
  const of = (einsum: string, operation: string): OperationCost | undefined => {
    const type = typeOfOperation(arithmetic, roles, einsum, operation);
    const found = listed(type.name, operation);
    return found ?? (fits || type.storageBits === own ? technology.operations[operation] : undefined);
  };
  const lacking = new Set<string>();
  let widened = false;
  for (const { name, variants } of placement) {
    const done = variants.flatMap(({ operations }) => Object.entries(operations).filter(([, times]) => times !== 0));
    for (const operation of new Set(done.map(([operation]) => operation))) {
      const type = typeOfOperation(arithmetic, roles, name, operation);
      if (of(name, operation) === undefined) lacking.add(`${operation} of ${type.name}`);
      else if (type.storageBits !== own && listed(type.name, operation) === undefined) widened = true;
    }
  }
  if (!fits && !hasRegistersOfAnyWidth(technology)) {
    const bits = [...new Set([...operands, accumulator].map(({ storageBits }) => storageBits))].filter(b => b !== own);
    lacking.add(`registers of ${bits.join(", ")} bits`);
  }
  return {
    of,
    operators(array, operation) {
      const doing = placement.filter(({ variants }) =>
        variants.some(variant => variant.array === array && operation in variant.operations),
      );
      // Types that the technology does not list share its own operator.
      const byType = new Map<string, OperationCost | undefined>();
      for (const { name } of doing) {
        const type = typeOfOperation(arithmetic, roles, name, operation).name;
        byType.set(listed(type, operation) === undefined ? "" : type, of(name, operation));
      }
      if (doing.length === 0) byType.set("", technology.operations[operation]);
      return [...byType.values()].filter(cost => cost !== undefined);
    },
    lacking: technology.lacks.length > 0 ? technology.lacks : [...lacking],
    assumed: widened
      ? `sums in ${accumulator.name} are charged ${technology.name}'s operators and registers of ${own} bits: it has no wider ones`
      : undefined,
  };
}
