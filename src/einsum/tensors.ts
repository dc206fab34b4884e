import { type Access, type Einsum, type Index, rankNameOf, shiftedVariable } from "./einsum.js";
import type { CascadeText } from "./parse.js";
import { constantOf, formatSize, type Size, soleName } from "./size.js";
import { CascadeError, type Span } from "./source.js";

/** A tensor of a cascade. */
export interface Tensor {
  readonly name: string;
  /** Its indices where it is written (at `i+1` if it iterates), else as declared, else as first read. */
  readonly indices: readonly Index[];
  /** The Einsum that writes it, or its coordinates past the first if it iterates; null for an input. */
  readonly writer: number | null;
  /** The Einsum that writes its first coordinate, if it iterates. */
  readonly init: number | null;
  /** Its iterative index, or null. */
  readonly iterative: { readonly position: number; readonly variable: string; readonly limit: Size } | null;
}

/** How a read goes along the iterative index of a tensor. */
export type IterativeRead =
  /** Coordinate i of the iteration: what the one before left. */
  | "carried"
  /** Coordinate i + 1: what this one makes. */
  | "current"
  /** Coordinate 0. */
  | "first"
  /** The coordinate at the stop. */
  | "last"
  /** Some other fixed coordinate. */
  | "fixed";

/**
 * Collects the tensors.
 * @throws CascadeError for two definitions, an iteration without initialization or stop, or a wrong number of ranks.
 */
export function collectTensors(text: CascadeText, einsums: readonly Einsum[]): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const inits = new Map<string, number>();
  for (const [i, einsum] of einsums.entries()) {
    if (einsum.iteration?.role !== "init") continue;
    if (inits.has(einsum.tensor)) throw twice(text, einsum, einsums[inits.get(einsum.tensor) ?? 0]);
    inits.set(einsum.tensor, i);
  }
  for (const [i, einsum] of einsums.entries()) {
    if (einsum.iteration?.role === "init") continue;
    const known = tensors.get(einsum.tensor);
    if (known?.writer !== undefined) throw twice(text, einsum, einsums[known.writer ?? 0]);
    tensors.set(einsum.tensor, writtenTensor(text, einsum, i, inits.get(einsum.tensor) ?? null));
  }
  for (const [name, i] of inits) {
    if (!tensors.has(name)) throw neverStepped(text, einsums[i] as Einsum);
  }
  const listed = new Set<string>();
  for (const input of text.inputs ?? []) {
    const { name, span } = input;
    if (listed.has(name)) {
      throw new CascadeError(text.source, span, { got: `the input ${name} twice`, expected: "each input once" });
    }
    listed.add(name);
    if (tensors.has(name)) {
      throw new CascadeError(text.source, span, {
        got: `the input ${name}, which an Einsum writes`,
        expected: "inputs that no Einsum writes",
      });
    }
    if (input.indices !== null) tensors.set(name, inputTensor(name, input.indices));
  }
  for (const einsum of einsums) {
    checkRankCount(text, tensors.get(einsum.tensor), einsum.indices.length, einsum.span);
    for (const read of einsum.reads) {
      const known = tensors.get(read.tensor);
      if (known === undefined) tensors.set(read.tensor, inputTensor(read.tensor, read.indices));
      checkRankCount(text, known, read.indices.length, read.span);
    }
  }
  for (const einsum of einsums) {
    for (const read of einsum.reads) checkCoordinates(text, tensors, einsums, read);
  }
  return tensors;
}

function inputTensor(name: string, indices: readonly Index[]): Tensor {
  return { name, indices, writer: null, init: null, iterative: null };
}

function writtenTensor(text: CascadeText, einsum: Einsum, writer: number, init: number | null): Tensor {
  const { tensor: name, indices, iteration } = einsum;
  if (iteration === null) {
    if (init === null) return { name, indices, writer, init, iterative: null };
    throw new CascadeError(text.source, einsum.span, {
      got: `${name} written whole as well as initialized`,
      expected: "an iterative Einsum, which writes coordinate i+1, or no initialization",
    });
  }
  const { position, variable } = iteration;
  const span = indices[position]?.span ?? einsum.span;
  if (init === null) {
    const start = indices.map((index, i) => (i === position ? `${variable}=0` : indexText(index))).join(",");
    throw new CascadeError(text.source, span, {
      got: `the iterative rank ${variable} of ${name} without an initialization`,
      expected: `an Einsum that writes its first coordinate`,
      fix: `add ${name}[${start}] = ... under Initialization:`,
    });
  }
  const stop = text.stops.find(s => s.variable === variable);
  if (stop === undefined) {
    throw new CascadeError(text.source, span, {
      got: `the iterative rank ${variable} of ${name} without a stop`,
      expected: "a line that says where it ends",
      fix: `add until: ${variable} >= ${variable.toUpperCase()}`,
    });
  }
  return { name, indices, writer, init, iterative: { position, variable, limit: stop.limit } };
}

function indexText(index: Index): string {
  return index.terms.map(({ variable }) => variable).join("+");
}

function twice(text: CascadeText, einsum: Einsum, first: Einsum | undefined): CascadeError {
  return new CascadeError(text.source, einsum.span, {
    got: `a second Einsum that writes ${einsum.tensor}`,
    expected: "one Einsum a tensor (and one initialization where it iterates)",
    fix: `the first is on line ${first?.span.line ?? "?"}: give one of them another name`,
  });
}

function neverStepped(text: CascadeText, einsum: Einsum): CascadeError {
  const variable = einsum.iteration?.variable ?? "i";
  return new CascadeError(text.source, einsum.span, {
    got: `an initialization of ${einsum.tensor}, which never iterates`,
    expected: `an Einsum that writes ${einsum.tensor} at ${variable}+1`,
  });
}

const rankCount = (n: number): string => (n === 0 ? "no rank" : n === 1 ? "1 rank" : `${n} ranks`);

function checkRankCount(text: CascadeText, tensor: Tensor | undefined, found: number, span: Span): void {
  if (tensor === undefined || tensor.indices.length === found) return;
  const [first] = tensor.indices;
  throw new CascadeError(text.source, span, {
    got: `${tensor.name} with ${rankCount(found)}`,
    expected: `${rankCount(tensor.indices.length)}, as ${first === undefined ? "where it is written" : `on line ${first.span.line}`}`,
    fix: "every mention of a tensor has the same number of ranks (rank mismatch)",
  });
}

/** How `read` goes along the iterative index of `tensor`. */
export function iterativeRead(tensor: Tensor, read: Access): IterativeRead | null {
  if (tensor.iterative === null) return null;
  const index = read.indices[tensor.iterative.position];
  if (index === undefined) return null;
  if (index.terms.length > 0) return constantOf(index.offset) === 1 ? "current" : "carried";
  if (constantOf(index.offset) === 0) return "first";
  // T of an iteration over t is where it stops, whatever `until:` calls that.
  const isLast =
    soleName(index.offset) === rankNameOf(tensor.iterative.variable) ||
    formatSize(index.offset) === formatSize(tensor.iterative.limit);
  return isLast ? "last" : "fixed";
}

function checkCoordinates(
  text: CascadeText,
  tensors: ReadonlyMap<string, Tensor>,
  einsums: readonly Einsum[],
  read: Access,
): void {
  const tensor = tensors.get(read.tensor);
  if (tensor === undefined) return;
  for (const [position, index] of read.indices.entries()) {
    if (tensor.iterative?.position === position) {
      const shift = constantOf(index.offset);
      const variable = shiftedVariable(index);
      if (index.terms.length === 0 || (variable !== undefined && (shift === 0 || shift === 1))) continue;
      throw new CascadeError(text.source, index.span, {
        got: `this coordinate of the iterative rank ${tensor.iterative.variable} of ${tensor.name}`,
        expected: `${tensor.iterative.variable}, ${tensor.iterative.variable}+1, 0 or ${formatSize(tensor.iterative.limit)}`,
      });
    }
    const name = index.terms.length === 0 ? soleName(index.offset) : undefined;
    if (name === undefined) continue;
    // K is one past the last coordinate of a rank that does not iterate, unless the tensor has a border (A[k+1]).
    const bordered = einsums.some(({ reads }) =>
      reads.some(
        r =>
          r.tensor === read.tensor &&
          r !== read &&
          (r.indices[position]?.offset.length ?? 0) > 0 &&
          (r.indices[position]?.terms.length ?? 0) > 0,
      ),
    );
    if (bordered) continue;
    throw new CascadeError(text.source, index.span, {
      got: `coordinate ${name} of ${tensor.name}, which is one past its last`,
      expected: `a rank variable, or a coordinate from 0 to ${name}-1`,
      fix: `write ${name.toLowerCase()} to range over ${name}; only an iterative rank has a coordinate ${name}`,
    });
  }
}
