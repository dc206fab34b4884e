import { SpecError } from "../errors.js";
import type { Architecture } from "../spec/architecture.js";
import type { Path } from "../spec/document.js";
import type { EinsumMapping } from "../spec/mapping.js";

/**
 * The loops that are dealt to the instances of fan-outs, outermost fan-out first: some of the nearest memory around it, so
 * that whatever a memory within holds belongs to one unit of work. Throws SpecError.
 */
export function spreadLoops(
  { spread = {}, loops, array }: EinsumMapping,
  levels: readonly string[],
  architecture: Architecture,
  at: (path: Path) => string,
): readonly { readonly level: number; readonly loops: readonly string[] }[] {
  const isFanout = (level: string | undefined): boolean => architecture.levels[level ?? ""]?.kind === "fanout";
  return Object.entries(spread)
    .map(([fanout, dealt]) => {
      const level = levels.indexOf(fanout);
      const fail = (got: string, expected: string): SpecError =>
        new SpecError({ where: at(["spread", fanout]), got, expected });
      if (!isFanout(fanout) || level < 0) {
        const known = levels.filter(isFanout);
        throw fail(`the level '${fanout}'`, `a fan-out above the ${array} array: ${known.join(", ") || "it has none"}`);
      }
      if ((loops[fanout] ?? []).length > 0) throw fail(`loops over ${fanout} besides`, "either of the two");
      const memory = levels.slice(0, level).findLast(outer => !isFanout(outer)) ?? "";
      const own = loops[memory] ?? [];
      const inOrder = own.filter(part => dealt.includes(part));
      if (dealt.length === 0 || inOrder.join() !== dealt.join()) {
        const got = dealt.length === 0 ? "no loops" : `the loops ${dealt.join(", ")}`;
        throw fail(got, `some of those over ${memory}, in their order: ${own.join(", ")}`);
      }
      return { level, loops: dealt };
    })
    .sort((a, b) => a.level - b.level);
}
