import { SpecError } from "../errors.js";
import type { FieldReads } from "./field-reads.js";
import type { Patch } from "./patch.js";

/** A design with what its evaluations were seen to read. */
export interface ReadDesign {
  readonly name: string;
  readonly reads: FieldReads;
}

type Setting = Pick<Patch, "path" | "where">;

/**
 * Throws SpecError for a field that was set and that no design reads. Returns a line for each that some read and others
 * do not.
 */
export function checkSettings(settings: readonly Setting[], designs: readonly ReadDesign[]): readonly string[] {
  if (designs.length === 0) return [];
  return settings.flatMap(({ path, where = path }) => {
    const without = designs.filter(({ reads }) => isWord(path) || !reads.isRead(path));
    if (without.length === 0) return [];
    if (without.length < designs.length) {
      return [`${where} moves nothing of ${without.map(({ name }) => name).join(", ")}, which never reads it`];
    }
    throw new SpecError({
      where,
      got: "a field that no number here depends on",
      expected: "one that an evaluation reads",
      fix: reasonOf(path),
    });
  });
}

/** Names and sources move no number, though a name may be in a message. */
const isWord = (path: string): boolean => /\.(name|source)$/.test(path);

/** Why a field can be there and be read by nobody. */
function reasonOf(path: string): string {
  const [kind, ...rest] = path.split(".");
  if (isWord(path)) return "it is a word for people";
  if (path === "architecture.timing.dramLatencyCycles") {
    return "the model streams from DRAM at its bandwidth and hides the latency; fusemax schedule has it";
  }
  if (rest[0] === "timing") {
    return "only a schedule's simulation reads it: fusemax schedule, or --accounting corrected";
  }
  if (rest.includes("operations")) return "no Einsum does this operation there";
  if (kind === "workload") return "attention does not depend on it";
  return "no formula that is used names it";
}
