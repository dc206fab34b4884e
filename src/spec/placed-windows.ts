import type { Cascade } from "../einsum/cascade.js";
import { type Index, rankNameOf } from "../einsum/einsum.js";
import { formatAccess } from "../einsum/format-einsum.js";
import { constantOf, formatSize, sizeValue } from "../einsum/size.js";
import { SpecError } from "../errors.js";
import type { MappedWindow } from "./mapping.js";
import type { PlacedRead } from "./placement.js";

/** The windows that slide over a tensor where it is read, by its name in the mapping; none in most mappings. */
export function placedWindows(
  cascade: Cascade,
  reads: readonly PlacedRead[],
  nameOf: (variable: string) => readonly string[],
  where: string,
): Readonly<Record<string, readonly MappedWindow[]>> {
  const found = reads.flatMap(read => {
    const windows = read.indices.filter(({ window }) => window === true);
    checkIndices(read, where);
    return windows.length === 0
      ? []
      : [[read.name, windows.map(index => windowOf(cascade, read, index, nameOf, where))]];
  });
  return Object.fromEntries(found);
}

/** Words of a place are counted where its variables go forward, each in one place. Throws SpecError. */
function checkIndices(read: PlacedRead, where: string): void {
  const text = formatAccess(read.tensor, read.indices);
  const fail = (got: string, expected: string): SpecError => new SpecError({ where, got, expected });
  for (const { terms } of read.indices) {
    const back = terms.find(({ coefficient }) => coefficient.some(part => part.coefficient < 0));
    if (terms.length < 2 || back === undefined) continue;
    throw fail(`${text}, in which ${back.variable} goes back along what others go along`, "windows that go forward");
  }
  if (!read.indices.some(({ window }) => window === true)) return;
  const variables = read.indices.flatMap(({ terms }) => [...new Set(terms.map(({ variable }) => variable))]);
  const twice = variables.find((variable, i) => variables.indexOf(variable) < i);
  if (twice !== undefined) throw fail(`${text}, with ${twice} in two places`, "each variable in one place of a window");
}

function windowOf(
  cascade: Cascade,
  read: PlacedRead,
  { terms }: Index,
  nameOf: (variable: string) => readonly string[],
  where: string,
): MappedWindow {
  const known = (name: string): number | undefined => {
    const size = cascade.ranks.byName(name)?.size;
    return size === null || size === undefined ? undefined : constantOf(size);
  };
  return terms.map(({ variable, coefficient }) => {
    const [rank, ...others] = nameOf(variable);
    if (rank === undefined || others.length > 0) {
      const got = `${rankNameOf(variable)} as ${[rank, ...others].join(", ")}, over which windows of ${read.tensor} slide`;
      throw new SpecError({ where, got, expected: "ranks that the mapping cuts by their own names" });
    }
    return { rank, stride: sizeValue(coefficient, known) ?? formatSize(coefficient) };
  });
}
