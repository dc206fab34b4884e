import fc from "fast-check";

/** One Einsum of a random cascade over a rank K, by what it does; operands are numbers into what is there to read. */
type Line =
  | { readonly kind: "map"; readonly operands: readonly number[] }
  | { readonly kind: "reduce"; readonly op: "+" | "max"; readonly operands: readonly number[] }
  | { readonly kind: "scalar"; readonly operands: readonly number[] }
  | { readonly kind: "prefix" | "suffix"; readonly operands: readonly number[] }
  | { readonly kind: "iterate"; readonly operands: readonly number[] }
  | { readonly kind: "alias"; readonly form: AliasForm; readonly operands: readonly number[] };

/** How one rank is read under another name, at another place, or along another rank. */
const aliasForms = [
  "V[k] * W[j]",
  "V[k] * W[j: j<=k]",
  "V[k] * W[j: j>=k]",
  "V[k] * W[k+1]",
  "V[k] * W[k-1]",
  "V[k] * W[2*k]",
  "V[k] * W[K-1-k]",
  "W[K-1-k]",
  "W[K-1]",
  "W[0]",
  "V[k] * W[i]",
] as const;
type AliasForm = (typeof aliasForms)[number];

const operands = fc.array(fc.nat(30), { minLength: 1, maxLength: 3 });
const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("map" as const), operands }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("reduce" as const), op: fc.constantFrom("+" as const, "max"), operands }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("scalar" as const), operands }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("prefix" as const, "suffix"), operands }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("iterate" as const), operands }) },
);

const aliasLine: fc.Arbitrary<Line> = fc.record({
  kind: fc.constant("alias" as const),
  form: fc.constantFrom(...aliasForms),
  operands,
});

/** The same with reads of the rank by other names: broadcast, filtered, shifted, strided, reversed, along another rank. */
export function randomAliases(most: number): fc.Arbitrary<string> {
  const lines = fc.array(fc.oneof({ weight: 3, arbitrary: line }, { weight: 2, arbitrary: aliasLine }), {
    minLength: 2,
    maxLength: most,
  });
  return lines.map(written => textOf(["inputs: A[k], B[k], C[k]", ...writeLines(written)]));
}

/** Random cascades over one rank K with inputs A, B, C, of up to `most` Einsums: lines of text, each one Einsum. */
export function randomLines(most: number): fc.Arbitrary<string[]> {
  return fc.array(line, { minLength: 2, maxLength: most }).map(writeLines);
}

export const textOf = (lines: readonly string[]): string => `${lines.join("\n")}\nuntil: k >= K\n`;

export const randomCascade = (most: number): fc.Arbitrary<string> => randomLines(most).map(textOf);

function writeLines(lines: readonly Line[]): string[] {
  /** What can be read at k, and what has no rank. */
  const vectors = ["A[k]", "B[k]", "C[k]"];
  const scalars: string[] = [];
  const text: string[] = [];
  /** Tensors of which another coordinate may be read: those that no iteration makes. */
  const plain = ["A", "B", "C"];
  for (const [n, { kind, operands, ...rest }] of lines.entries()) {
    const name = `T${n}`;
    const everything = [...vectors, ...scalars];
    const picked = operands.map(i => everything[i % everything.length] as string);
    const vector = vectors[(operands[0] ?? 0) % vectors.length] as string;
    if (kind === "map") {
      text.push(`${name}[k] = ${[vector, ...picked.slice(1)].join(" * ")}`);
      vectors.push(`${name}[k]`);
      plain.push(name);
    } else if (kind === "reduce") {
      const op = "op" in rest ? rest.op : "+";
      text.push(`${name} = ${[vector, ...picked.slice(1)].join(" * ")} :: ${op}(k)`);
      scalars.push(name);
    } else if (kind === "scalar" && scalars.length > 0) {
      text.push(`${name} = ${operands.map(i => scalars[i % scalars.length]).join(" + ")}`);
      scalars.push(name);
    } else if (kind === "prefix" || kind === "suffix") {
      const filtered = vector.replace("[k]", `[j: j${kind === "prefix" ? "<=" : ">="}k]`);
      // Only plain tensors take a filter: R[k+1] stays at k.
      text.push(`${name}[k] = ${filtered === vector ? "A[j: j<=k]" : filtered}`);
      vectors.push(`${name}[k]`);
      plain.push(name);
    } else if (kind === "alias" && "form" in rest) {
      const other = plain[(operands[1] ?? operands[0] ?? 0) % plain.length] as string;
      const right = rest.form.replace("V[k]", vector).replace("W", other);
      if (rest.form === "W[K-1]" || rest.form === "W[0]") {
        text.push(`${name} = ${right}`);
        scalars.push(name);
        continue;
      }
      // Along another rank, as long as K: kept beside it, then summed.
      const isPair = rest.form.includes("[i]");
      if (isPair) text.push(`P${n}[k,i] = ${right}`);
      text.push(`${name}[k] = ${isPair ? `P${n}[k,i]` : right}`);
      vectors.push(`${name}[k]`);
      plain.push(name);
    } else if (kind === "iterate") {
      const start = scalars.length > 0 && (operands[0] ?? 0) % 3 === 0 ? (scalars[0] as string) : "0";
      text.push(`${name}[k=0] = ${start}`);
      text.push(`${name}[k+1] = ${name}[k] + ${picked.join(" * ")}`);
      vectors.push(`${name}[k]`, `${name}[k+1]`);
      scalars.push(`${name}[K]`);
    }
  }
  return text.some(written => written.includes("[k]")) ? text : [...text, "T99[k] = A[k]"];
}
