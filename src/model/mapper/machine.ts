import { SpecError } from "../../errors.js";
import type { Design } from "../../spec/design.js";

/** An array with the levels on its way. */
export interface MapArray {
  readonly name: string;
  /** From DRAM to its registers. */
  readonly levels: readonly string[];
  /** Fan-outs within the buffer, outermost first. */
  readonly fanouts: readonly { readonly level: string; readonly size: number }[];
  readonly registers: string;
}

/** The levels that a design's architecture has, in the mapper's terms. */
export type Machine = ReturnType<typeof machineOf>;

/** The way from DRAM to each array: fan-outs around the buffer, the buffer that all share, fan-outs within it. */
export function machineOf({ architecture }: Design) {
  const { levels, arrays } = architecture.data;
  const ways = Object.entries(arrays).map(([name, { at }]) => {
    const way: string[] = [];
    for (let level: string | undefined = at; level !== undefined; ) {
      way.unshift(level);
      const spec: (typeof levels)[string] | undefined = levels[level];
      level = spec === undefined || spec.kind === "dram" ? undefined : spec.within;
    }
    return { name, way };
  });
  const kindOf = (level: string): string => levels[level]?.kind ?? "";
  const fail = (got: string, expected: string): SpecError =>
    new SpecError({ where: architecture.at(["levels"]), got, expected });
  const buffers = new Set(ways.map(({ way }) => way.findLast(level => kindOf(level) === "sram") ?? ""));
  const [buffer = ""] = buffers;
  if (buffers.size !== 1 || buffer === "") {
    throw fail(
      `arrays with the buffers ${[...buffers].join(", ") || "none"}`,
      "one level of kind sram that all arrays share",
    );
  }
  const [first] = ways;
  const outside = first?.way.slice(0, first.way.indexOf(buffer)) ?? [];
  const cores = outside.filter(level => kindOf(level) === "fanout");
  if (cores.length > 1) throw fail(`the fan-outs ${cores.join(", ")} around ${buffer}`, "one at the most");
  return {
    dram: outside[0] ?? "",
    buffer,
    cores: cores[0],
    arrays: ways.map(({ name, way }) => ({
      name,
      levels: way,
      registers: way.at(-1) ?? "",
      fanouts: way.slice(way.indexOf(buffer)).filter(level => kindOf(level) === "fanout"),
    })),
  };
}
