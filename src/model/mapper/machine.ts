import { SpecError } from "../../errors.js";
import type { Design } from "../../spec/design.js";

/** An array with the levels on its way. */
export interface MapArray {
  readonly name: string;
  /** From DRAM to its registers. */
  readonly levels: readonly string[];
  /** The shared level in which it finds its tiles, and one around that, if any. */
  readonly buffer: string;
  readonly outer: string | undefined;
  /** Fan-outs within the buffer, outermost first. */
  readonly fanouts: readonly { readonly level: string; readonly size: number }[];
  readonly registers: string;
}

/** The levels that a design's architecture has, in the mapper's terms. */
export type Machine = ReturnType<typeof machineOf>;

/**
 * The way from DRAM to each array: a fan-out to cores, perhaps a shared level, the buffer, fan-outs within it. Arrays may have buffers of
 * their own.
 */
export function machineOf({ architecture }: Design) {
  const { levels, arrays } = architecture.data;
  const kindOf = (level: string): string => levels[level]?.kind ?? "";
  const fail = (got: string, expected: string): SpecError =>
    new SpecError({ where: architecture.at(["levels"]), got, expected });
  const ways = Object.entries(arrays).map(([name, { at }]) => {
    const way: string[] = [];
    for (let level: string | undefined = at; level !== undefined; ) {
      way.unshift(level);
      const spec: (typeof levels)[string] | undefined = levels[level];
      level = spec === undefined || spec.kind === "dram" ? undefined : spec.within;
    }
    const shared = way.filter(level => kindOf(level) === "sram");
    const buffer = shared.at(-1);
    if (buffer === undefined) throw fail(`no buffer on the way to ${name}`, "a level of kind sram");
    if (shared.length > 2) throw fail(`the buffers ${shared.join(", ")} on the way to ${name}`, "two at the most");
    const inside = way.slice(way.indexOf(buffer));
    const around = way.slice(0, way.indexOf(buffer)).filter(level => kindOf(level) === "fanout");
    return { name, way, buffer, outer: shared.length === 2 ? shared[0] : undefined, inside, around };
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
  for (const { way, outer, buffer } of ways) {
    if (core === undefined || outer === undefined || way.indexOf(core) < way.indexOf(outer)) continue;
    throw fail(`the fan-out ${core} between ${outer} and ${buffer}`, "cores around both, or around one buffer");
  }
  return {
    dram: first?.way[0] ?? "",
    cores: core,
    arrays: ways.map(({ name, way, buffer, outer, inside }) => ({
      name,
      levels: way,
      buffer,
      outer,
      registers: way.at(-1) ?? "",
      fanouts: inside.filter(level => kindOf(level) === "fanout"),
    })),
  };
}
