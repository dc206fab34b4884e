import { SpecError } from "../../errors.js";
import type { Design } from "../../spec/design.js";

/** An array with the levels on its way. */
export interface MapArray {
  readonly name: string;
  /** From DRAM to its registers. */
  readonly levels: readonly string[];
  /**
   * The memories around its fan-outs, outermost first: shared levels, and perhaps a register file of all its PEs. Tiles are found in
   * the last, the loops over blocks are those of `blocksAt`.
   */
  readonly shared: readonly string[];
  readonly buffer: string;
  readonly blocksAt: string;
  /** Fan-outs within the buffer, outermost first. */
  readonly fanouts: readonly { readonly level: string; readonly size: number }[];
  readonly registers: string;
}

/** The levels that a design's architecture has, in the mapper's terms. */
export type Machine = ReturnType<typeof machineOf>;

/**
 * The way from DRAM to each array: shared levels, perhaps a fan-out to cores around them or between two, perhaps a register file that is
 * no other array's, fan-outs within. Arrays may have buffers of their own.
 */
export function machineOf({ architecture }: Design) {
  const { levels, arrays } = architecture.data;
  const kindOf = (level: string | undefined): string => levels[level ?? ""]?.kind ?? "";
  const isOwnFile = (level: string | undefined): boolean => {
    const spec = levels[level ?? ""];
    return spec?.kind === "registers" && spec.sameAs === undefined;
  };
  const fail = (got: string, expected: string): SpecError =>
    new SpecError({ where: architecture.at(["levels"]), got, expected });
  const ways = Object.entries(arrays).map(([name, { at }]) => {
    const way: string[] = [];
    for (let level: string | undefined = at; level !== undefined; ) {
      way.unshift(level);
      const spec: (typeof levels)[string] | undefined = levels[level];
      level = spec === undefined || spec.kind === "dram" ? undefined : spec.within;
    }
    const last = way.findLastIndex(level => kindOf(level) === "sram");
    if (last < 0) throw fail(`no buffer on the way to ${name}`, "a level of kind sram");
    // A register file around fan-outs, where no array has it as its own.
    const inner = last + (last + 2 < way.length && isOwnFile(way[last + 1]) ? 1 : 0);
    const shared = way.slice(0, inner + 1).filter((level, i) => kindOf(level) === "sram" || i === inner);
    const around = way.slice(0, inner).filter(level => kindOf(level) === "fanout");
    return { name, way, shared, buffer: way[inner] ?? "", inside: way.slice(inner), around };
  });
  const cores = new Set(ways.map(({ around }) => around.join(", ")));
  const [first] = ways;
  if (cores.size > 1 || (first?.around.length ?? 0) > 1) {
    throw fail(
      `the fan-outs ${[...cores].filter(text => text !== "").join("; ")} around buffers`,
      "one, around all of them",
    );
  }
  const [core] = first?.around ?? [];
  const dram = first?.way[0] ?? "";
  // The memory around the cores: what is dealt to them are its loops.
  const memory = core === undefined ? dram : (first?.way[(first.way.indexOf(core) ?? 0) - 1] ?? dram);
  return {
    dram,
    cores: core,
    /** A shared level around the cores, whose loops are dealt; undefined where DRAM is around them. */
    shared: memory === dram ? undefined : memory,
    arrays: ways.map(({ name, way, shared, buffer, inside }) => ({
      name,
      levels: way,
      shared,
      buffer,
      blocksAt: memory === dram ? (shared.length > 1 ? (shared[0] ?? dram) : dram) : memory,
      registers: way.at(-1) ?? "",
      fanouts: inside.filter(level => kindOf(level) === "fanout"),
    })),
  };
}
