import { z } from "zod/mini";
import type { Formula } from "./expression.js";
import { aboveZero, type Corrections, corrections, described, formula, formulas, names } from "./fields.js";

/**
 * A memory or a fan-out of an accelerator. Levels form a tree: each but the outermost is `within` another. A
 * `fanout` level is a row of equal instances that work side by side; everything within it exists once per instance.
 */
export type Level = DramLevel | SramLevel | RegisterLevel | FanoutLevel;

/** What a memory may say of its speed and its standing power; all of it is left out in the paper's specs. */
interface MemorySpeed {
  readonly bandwidth?: Bandwidth | undefined;
  /** Cycles from asking for a word to having it. */
  readonly latencyCycles?: Formula | undefined;
  /** Whether the next tile comes while this one is worked on; it then takes twice the room. */
  readonly buffering?: "single" | "double" | undefined;
  readonly staticWatts?: Formula | undefined;
}

/** What passes a memory in a cycle; of several fields the one that takes longest counts. */
export interface Bandwidth {
  /** Reads and writes together. */
  readonly bytesPerCycle?: Formula | undefined;
  readonly readBytesPerCycle?: Formula | undefined;
  readonly writeBytesPerCycle?: Formula | undefined;
  /** Accesses of a row of words per cycle: of either kind, reads, writes. */
  readonly ports?: Formula | undefined;
  readonly readPorts?: Formula | undefined;
  readonly writePorts?: Formula | undefined;
  /** True: all instances of the memory share it; else each has as much. */
  readonly shared?: boolean | undefined;
}

export interface DramLevel extends MemorySpeed {
  readonly kind: "dram";
  readonly bytesPerSecond: Formula;
  readonly areaUm2?: Formula | undefined;
}
export interface SramLevel extends MemorySpeed {
  readonly kind: "sram";
  readonly within: string;
  readonly bytes: Formula;
  /** Words read or written by one access. */
  readonly rowWords: Formula;
  readonly energyPj?: AccessEnergy | undefined;
  readonly areaUm2?: Formula | undefined;
}
export interface RegisterLevel extends MemorySpeed {
  readonly kind: "registers";
  readonly within: string;
  readonly depth: Formula;
  /** These are the registers of another level, reached from here; their area is counted there. */
  readonly sameAs?: string | undefined;
  readonly energyPj?: AccessEnergy | undefined;
  readonly areaUm2?: Formula | undefined;
}
export interface FanoutLevel {
  readonly kind: "fanout";
  readonly within: string;
  readonly size: Formula;
  readonly areaUm2?: Formula | undefined;
  /** Energy of a word on one link, and the links that it passes to one instance. */
  readonly hopPj?: Formula | undefined;
  readonly hopsPerWord?: Formula | undefined;
  readonly staticWatts?: Formula | undefined;
}

/** Energy per access in place of the technology's. */
export interface AccessEnergy {
  readonly read: Formula;
  readonly write: Formula;
}

/** PEs: the level whose registers feed them, and the cycles that each operation they have takes. */
export interface ProcessingArray {
  readonly at: string;
  readonly operations: Readonly<Record<string, Formula>>;
  /** Units of a PE that work beside the rest of it, with the operations that each does: `sfu: [exp]`. */
  readonly units?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Of one PE. */
  readonly staticWatts?: Formula | undefined;
}

/** What happens cycle by cycle (docs/schedule.md). */
export interface ArchitectureTiming {
  /** Rows of the global buffer that the arrays can read, and write, in one cycle. */
  readonly bufferReadRows: Formula | "unlimited";
  readonly bufferWriteRows: Formula | "unlimited";
  /** How RM gets back into the columns: link by link up them, or through the buffer in that many cycles. */
  readonly rmReturn: "columns" | Formula;
  readonly dramLatencyCycles: Formula;
}

export interface Architecture {
  readonly name: string;
  readonly source: string;
  readonly technology: string;
  readonly frequencyHz: Formula;
  readonly wordBits: number;
  readonly parameters: Readonly<Record<string, Formula>>;
  readonly levels: Readonly<Record<string, Level>>;
  readonly arrays: Readonly<Record<string, ProcessingArray>>;
  /** What a schedule's simulation needs beyond that; absent where the architecture runs none. */
  readonly timing?: ArchitectureTiming | undefined;
  readonly corrections?: Corrections | undefined;
}

const energyPj = described(
  "Energy of one access in picojoules, in place of the technology's.",
  z.optional(
    z.strictObject({
      read: described("Picojoules of reading one row of words.", formula),
      write: described("Picojoules of writing one row of words.", formula),
    }),
  ),
);
const areaUm2 = described(
  "Area of one instance in square micrometres, in place of the technology's.",
  z.optional(formula),
);
const staticWatts = described(
  "Power of one instance in watts, whatever it does; its energy is that times the latency (component static.NAME).",
  z.optional(formula),
);
const within = described("The level around this one.", z.string());

const bandwidth = described(
  "What passes the memory in a cycle. Left out: as much as is asked for. Of several fields the slowest counts.",
  z.optional(
    z
      .strictObject({
        bytesPerCycle: described("Bytes per cycle, reads and writes together.", z.optional(aboveZero)),
        readBytesPerCycle: described("Bytes per cycle that are read.", z.optional(aboveZero)),
        writeBytesPerCycle: described(
          "Bytes per cycle that are written, from above and from below.",
          z.optional(aboveZero),
        ),
        ports: described(
          "Accesses per cycle, reads and writes together, each of a row of words.",
          z.optional(aboveZero),
        ),
        readPorts: described("Reads per cycle, each of a row of words.", z.optional(aboveZero)),
        writePorts: described("Writes per cycle, each of a row of words.", z.optional(aboveZero)),
        shared: described("true: all instances share it; false (default): each has as much.", z.optional(z.boolean())),
      })
      .check(
        z.refine(({ shared: _, ...limits }) => Object.keys(limits).length > 0, {
          error: "a number of bytes or of ports, or no bandwidth",
        }),
      ),
  ),
);

const speed = {
  bandwidth,
  latencyCycles: described(
    "Cycles from asking for a word to having it: once per phase, and with single buffering once per tile.",
    z.optional(formula),
  ),
  buffering: described(
    "double: the next tile comes while this one is worked on, in room of its own; single: work waits for it. Left out: loads overlap and mappings see to the room.",
    z.optional(z.enum(["single", "double"])),
  ),
  staticWatts,
};

const level: z.ZodMiniType<Level> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: described("Memory outside the chip.", z.literal("dram")),
    bytesPerSecond: described("Bytes per second, reads and writes together.", aboveZero),
    areaUm2,
    ...speed,
  }),
  z.strictObject({
    kind: described("A buffer; its energy and area are those of the technology's table.", z.literal("sram")),
    within,
    bytes: described("Capacity in bytes.", formula),
    rowWords: described("Words of one access.", formula),
    energyPj,
    areaUm2,
    ...speed,
  }),
  z.strictObject({
    kind: described("A register file.", z.literal("registers")),
    within,
    depth: described("Entries, a word each.", formula),
    sameAs: described(
      "These are the registers of that level, reached from here; their area is counted there.",
      z.optional(z.string()),
    ),
    energyPj,
    areaUm2,
    ...speed,
  }),
  z.strictObject({
    kind: described("A row of equal instances of all that is within it.", z.literal("fanout")),
    within,
    size: described("How many instances.", formula),
    areaUm2,
    hopPj: described("Picojoules of one word on one link of the fan-out (component NAME).", z.optional(formula)),
    hopsPerWord: described(
      "Links that a word passes for each instance that gets it, or sends it up (default 1: neighbour to neighbour).",
      z.optional(formula),
    ),
    staticWatts,
  }),
]);

export const architectureSchema: z.ZodMiniType<Architecture> = z.strictObject({
  name: described("Its name.", z.string()),
  source: described("Where its numbers come from.", z.string()),
  technology: described("The technology, by name or file.", z.string()),
  frequencyHz: described("Clock cycles per second.", aboveZero),
  wordBits: described("Bits of a word.", z.number().check(z.positive())),
  parameters: described("Numbers by names of your own, for formulas.", formulas),
  levels: described(
    "Memories and fan-outs by name; each is within another, up to the DRAM.",
    z.record(z.string(), level),
  ),
  arrays: described(
    "Arrays of processing elements (PEs) by name.",
    z.record(
      z.string(),
      z.strictObject({
        at: described("The registers that feed a PE.", z.string()),
        operations: described(
          "The operations that a PE has and the cycles that each takes; below 1 where several fit in a cycle.",
          formulas,
        ),
        units: described(
          "Units of a PE that work beside the rest of it, with the operations that each does: { sfu: [exp] }.",
          z.optional(z.record(z.string(), names)),
        ),
        staticWatts,
      }),
    ),
  ),
  timing: described(
    "What only a simulation of the schedule reads (docs/schedule.md).",
    z.optional(
      z.strictObject({
        bufferReadRows: described("Rows of the buffer that can be read in one cycle, or unlimited.", formula),
        bufferWriteRows: described("Rows of the buffer that can be written in one cycle, or unlimited.", formula),
        rmReturn: described(
          "How maxima get back into the columns: columns, or the cycles of a way through the buffer.",
          formula,
        ),
        dramLatencyCycles: described("Cycles from the end of a transfer to its tile's being readable.", formula),
      }),
    ),
  ),
  corrections: described("Fields that a correction changes: NAME: { field: value }.", z.optional(corrections)),
});
