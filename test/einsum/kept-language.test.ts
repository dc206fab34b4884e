import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import type { Einsum, Index } from "../../src/einsum/einsum.js";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { formatAccess, formatIndex } from "../../src/einsum/format-einsum.js";
import { formatExpression } from "../../src/einsum/format-expression.js";
import { jointShapes } from "../../src/einsum/joint-shape.js";
import { countOperations } from "../../src/einsum/operations.js";
import { formatSize } from "../../src/einsum/size.js";
import { CascadeError, type Span } from "../../src/einsum/source.js";
import { iterativeRead } from "../../src/einsum/tensors.js";
import { FusemaxError } from "../../src/errors.js";

/** The lines of a cascade, and what is made of it; of one that is refused the message and the place, as a user sees them. */
interface Kept {
  readonly text: readonly string[];
  readonly says: readonly string[];
}

/** Small texts, each with what the language made of it; UPDATE_KEPT_LANGUAGE=1 writes them anew (docs/testing.md, "Mutants"). */
const file = join(import.meta.dirname, "../golden/language/kept.json");
const isWriting = process.env["UPDATE_KEPT_LANGUAGE"] === "1";
const kept = JSON.parse(readFileSync(file, "utf8")) as readonly Kept[];

function saidOf(text: readonly string[]): readonly string[] {
  try {
    return saidOfCascade(parseCascade(text.join("\n"), "kept"));
  } catch (error) {
    if (error instanceof CascadeError) return [error.message, ...error.excerpt.split("\n"), placeOf(error.span)];
    throw error;
  }
}

const placeOf = ({ line, column, length }: Span): string => `${line}:${column}+${length}`;
const placed = (index: Index): string =>
  `${formatIndex(index)}${index.window === true ? " slides" : ""} ${placeOf(index.span)}`;

function saidOfEinsum(einsum: Einsum): string[] {
  const { tensor, indices, right, filters, reductions, iteration, annotation, free, reduced, reads, text, span } =
    einsum;
  return [
    `${formatAccess(tensor, indices)} = ${formatExpression(right)}`,
    `  ${text} | ${placeOf(span)} | ${indices.map(placed).join(", ")}`,
    `  over ${free.join(" ")} | ${reduced.join(" ")} | ${reductions.map(({ op, variables }) => `${op}(${variables})`).join(" ")}`,
    ...reads.map(
      read =>
        `  reads ${formatAccess(read.tensor, read.indices)} ${placeOf(read.span)} | ${read.indices.map(placed).join(", ")}`,
    ),
    ...filters.map(
      ({ left, relation, right: bound, span: at }) =>
        `  where ${placed(left)} ${relation} ${placed(bound)} ${placeOf(at)}`,
    ),
    ...(iteration === null ? [] : [`  ${iteration.role} of ${iteration.variable} at place ${iteration.position}`]),
    ...(annotation === null ? [] : [`  @${annotation}`]),
  ];
}

function saidOfCascade(cascade: Cascade): string[] {
  const { einsums, tensors, ranks, inputs, outputs, headers } = cascade;
  return [
    ...einsums.flatMap(saidOfEinsum),
    ...[...tensors.values()].map(
      ({ name, indices, writer, init, iterative }) =>
        `${formatAccess(name, indices)}: ${writer === null ? "input" : `${init ?? ""}>${writer}`}${iterative === null ? "" : `, ${iterative.variable} at place ${iterative.position} to ${formatSize(iterative.limit)}`}`,
    ),
    ...ranks.ranks.map(
      ({ names, parts, size }) =>
        `${names.join("=")} of ${parts.join("*")}${size === null ? "" : `, ${formatSize(size)}`}`,
    ),
    ...[...headers].map(([key, value]) => `# ${key}: ${value}`),
    `${inputs.join(", ")} -> ${outputs.join(", ")}`,
    ...einsums.flatMap(({ reads }) =>
      reads.flatMap(read => {
        const tensor = tensors.get(read.tensor);
        const kind = tensor === undefined ? null : iterativeRead(tensor, read);
        return kind === null ? [] : [`${formatAccess(read.tensor, read.indices)} is ${kind}`];
      }),
    ),
    countOperations(cascade)
      .map(({ einsum, op, count }) => `${einsum} ${op} ${count}`)
      .join(", "),
    ...valuesOf(cascade),
  ];
}

/** The outputs at small sizes, of inputs that are small whole numbers and a half. */
function valuesOf(cascade: Cascade): string[] {
  try {
    const { shapes, inputShapes } = jointShapes(cascade, cascade, {});
    const inputs = [...inputShapes].map(([name, shape], n) => {
      const elements = shape.reduce((product, size) => product * size, 1);
      return [
        name,
        { shape, data: Array.from({ length: elements }, (_, i) => (((i * 5 + n * 3) % 7) - 2) / 2) },
      ] as const;
    });
    const shape = Object.fromEntries(shapes[0]);
    const { tensors } = evaluateCascade(cascade, Object.fromEntries(inputs), { shape });
    return [
      Object.entries(shape)
        .map(([rank, size]) => `${rank}=${size}`)
        .join(" "),
      ...inputs.map(([name, one]) => `${name} [${one.shape}]`),
      ...cascade.outputs.map(name => {
        const { shape: own, data } = tensors.get(name) ?? { shape: [], data: [] };
        // 12 digits: an exponential may be another engine's in the last.
        return `${name} [${own}]: ${Array.from(data, x => String(Number(x.toPrecision(12)))).join(" ")}`;
      }),
    ];
  } catch (error) {
    if (error instanceof FusemaxError) return [`not computed: ${error.message}`];
    throw error;
  }
}

describe.skipIf(isWriting)("the language", () => {
  it.each(kept.map(one => [one.text.join(" ; "), one] as const))(
    "makes of a kept text what it made: %s",
    (_, { text, says }) => {
      expect(saidOf(text)).toEqual(says);
    },
  );
});

if (isWriting) {
  const anew = kept.map(({ text }) => ({ text, says: saidOf(text) }));
  writeFileSync(file, `${JSON.stringify(anew, null, 1)}\n`);
}
