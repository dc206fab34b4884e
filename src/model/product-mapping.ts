import { SpecError } from "../errors.js";
import type { Architecture, Level } from "../spec/architecture.js";
import type { Design } from "../spec/design.js";
import type { Document } from "../spec/document.js";
import type { Mapping } from "../spec/mapping.js";

/** The levels from DRAM down to an array, by what they are to a matrix product. */
interface Machine {
  readonly array: string;
  readonly dram: string;
  readonly buffer: string;
  /** The innermost fan-out takes rows of the product, the next one columns; a single one takes columns. */
  readonly row: string | undefined;
  readonly column: string | undefined;
  /** Fan-outs beyond these take rows too: those around the buffer, and those within it. */
  readonly outer: readonly string[];
  readonly inner: readonly string[];
  readonly registers: string;
}

/**
 * The mapping of a matrix product on another machine, whatever its arrays and levels are called. Throws SpecError for a
 * machine without an array that multiplies and accumulates, or without a buffer.
 */
export function productMapping(product: Document<Mapping>, { architecture }: Design): Document<Mapping> {
  const machine = machineOf(architecture);
  const { array, dram, buffer, row, column, outer, inner, registers } = machine;
  const size = (fanout: string | undefined): string => (fanout === undefined ? "1" : `${fanout}.size`);
  const rowsOver = (fanouts: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(fanouts.map(fanout => [`P_${fanout}`, size(fanout)]));
  const { product: own } = product.data.einsums;
  // A loop over a fan-out that the machine lacks iterates once, beside the buffer's.
  const spatial = (fanout: string | undefined, loop: string) => (fanout === undefined ? {} : { [fanout]: [loop] });
  const still = [...(column === undefined ? ["F0"] : []), ...(row === undefined ? ["P0"] : [])];
  const raw = {
    ...product.data,
    symbols: {
      ...product.data.symbols,
      tileRows: size(row),
      tileColumns: size(column),
      tileBytes: `${buffer}.bytes`,
    },
    einsums: {
      product: {
        ...own,
        array,
        partitions: {
          P: { P2: "rest", ...rowsOver(outer), P1: "rowTiles", ...rowsOver(inner), P0: "tileRows" },
          F: { F2: "rest", F1: "columnTiles", F0: "tileColumns" },
          E: { E1: "rest", E0: "depth" },
        },
        loops: {
          [dram]: ["H", "P2", "F2", "E1"],
          ...Object.fromEntries([...outer, ...inner].map(fanout => [fanout, Object.keys(rowsOver([fanout]))])),
          [buffer]: ["P1", "F1", "E0", ...still],
          ...spatial(column, "F0"),
          ...spatial(row, "P0"),
        },
        keep: {
          [dram]: ["X", "W", "Y"],
          [buffer]: { X: 1, W: 1, Y: "E1 > 1" },
          [registers]: ["X", "W", "Y"],
        },
      },
    },
  };
  return { ...product, raw, data: product.read(raw, product.at) };
}

/** Of the arrays that multiply and accumulate, the one with the most fan-outs around it; the first of several. */
function machineOf(architecture: Document<Architecture>): Machine {
  const { arrays, levels } = architecture.data;
  const candidates = Object.entries(arrays)
    .filter(([, { operations }]) => "mac" in operations)
    .map(([array, { at }]) => ({ array, path: pathTo(levels, at) }));
  const fanouts = (path: Path): number => path.filter(([, { kind }]) => kind === "fanout").length;
  const [best] = candidates.sort((a, b) => fanouts(b.path) - fanouts(a.path));
  const named = (kind: Level["kind"]): readonly string[] =>
    (best?.path ?? []).filter(([, level]) => level.kind === kind).map(([name]) => name);
  const [dram, buffer, registers] = [named("dram")[0], named("sram")[0], named("registers").at(-1)];
  if (best === undefined || dram === undefined || buffer === undefined || registers === undefined) {
    throw new SpecError({
      where: architecture.at(best === undefined ? ["arrays"] : ["levels"]),
      got:
        best === undefined ? "no array with the operation mac" : `no buffer between DRAM and ${best.array}'s registers`,
      expected: "an array that multiplies matrices, with a level of kind sram above its registers",
    });
  }
  const fromInside = [...named("fanout")].reverse();
  const [row, column, ...more] = fromInside.length === 1 ? [undefined, ...fromInside] : fromInside;
  const order = best.path.map(([name]) => name);
  const isOuter = (fanout: string): boolean => order.indexOf(fanout) < order.indexOf(buffer);
  const rest = more.filter(fanout => fanout !== undefined).reverse();
  return {
    ...{ array: best.array, dram, buffer, registers, row, column },
    outer: rest.filter(isOuter),
    inner: rest.filter(fanout => !isOuter(fanout)),
  };
}

type Path = readonly (readonly [name: string, level: Level])[];

/** The levels from DRAM down to one; as far as they go where it is within an unknown one. */
function pathTo(levels: Architecture["levels"], name: string): Path {
  const path: (readonly [string, Level])[] = [];
  for (let at: string | undefined = name; at !== undefined && path.every(([seen]) => seen !== at); ) {
    const level: Level | undefined = levels[at];
    if (level === undefined) break;
    path.unshift([at, level]);
    at = level.kind === "dram" ? undefined : level.within;
  }
  return path;
}
