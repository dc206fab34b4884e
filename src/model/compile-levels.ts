import { SpecError } from "../errors.js";
import type { Architecture, Level } from "../spec/architecture.js";
import type { Path } from "../spec/document.js";
import type { Compiled, Formula } from "../spec/expression.js";
import type { Place } from "./field-reads.js";
import type { Program } from "./symbols.js";

/** A level with its formulas ready to run. */
export interface CompiledLevel {
  readonly name: string;
  readonly spec: Level;
  /** The fan-outs around it: how many instances there are. */
  readonly around: readonly string[];
  /** Its place among all levels. */
  readonly index: number;
  /** What its energy is charged to: itself, or the level whose registers these are. */
  readonly component: string;
  /** The level's numbers by field name. */
  readonly fields: ReadonlyMap<string, Compiled>;
}

/** Checks that the levels form a tree that ends at DRAM, and makes their numbers ready to run. Throws SpecError. */
export function compileLevels(
  architecture: Architecture,
  program: Program,
  at: (path: Path) => Place,
): ReadonlyMap<string, CompiledLevel> {
  const compiled = new Map<string, CompiledLevel>();
  Object.entries(architecture.levels).forEach(([name, spec], index) => {
    const around: string[] = [];
    const seen = [name];
    for (let level: Level = spec; level.kind !== "dram"; ) {
      const parent: string = level.within;
      const next = architecture.levels[parent];
      const where = at(["levels", seen.at(-1) as string, "within"]);
      if (next === undefined) {
        const expected = `one of the levels ${Object.keys(architecture.levels).join(", ")}`;
        throw new SpecError({ where: where(), got: `the unknown level '${parent}'`, expected });
      }
      if (seen.includes(parent)) {
        const got = `a circle of levels: ${[...seen, parent].join(" within ")}`;
        throw new SpecError({ where: where(), got, expected: "levels that end at DRAM" });
      }
      seen.push(parent);
      if (next.kind === "fanout") around.push(parent);
      level = next;
    }
    const same = spec.kind === "registers" ? spec.sameAs : undefined;
    if (same !== undefined && architecture.levels[same]?.kind !== "registers") {
      const registers = Object.entries(architecture.levels).filter(([, { kind }]) => kind === "registers");
      throw new SpecError({
        where: at(["levels", name, "sameAs"])(),
        got: `'${same}'`,
        expected: `one of the register files ${registers.map(([level]) => level).join(", ")}`,
      });
    }
    const fields = new Map(
      numericFields(spec).map(([field, formula]) => [
        field,
        program.compile(formula, undefined, at(["levels", name, ...field.split(".")])),
      ]),
    );
    compiled.set(name, { name, spec, index, component: same ?? name, around, fields });
  });
  return compiled;
}

/** Throws SpecError unless one level is DRAM, and each array is at a memory. */
export function checkEnds({ levels, arrays }: Architecture, at: (path: Path) => Place): void {
  const [dram, another] = Object.keys(levels).filter(name => levels[name]?.kind === "dram");
  if (dram === undefined || another !== undefined) {
    throw new SpecError({
      where: at(another === undefined ? ["levels"] : ["levels", another])(),
      got: another === undefined ? "no level of the kind dram" : `two levels of the kind dram, ${dram} and ${another}`,
      expected: "one, around all others",
    });
  }
  const memories = Object.keys(levels).filter(name => levels[name]?.kind !== "fanout");
  for (const [name, { at: level }] of Object.entries(arrays)) {
    if (memories.includes(level)) continue;
    throw new SpecError({
      where: at(["arrays", name, "at"])(),
      got: `${Object.hasOwn(levels, level) ? "" : "the unknown level "}${level}`,
      expected: `the registers or the buffer that feed it, one of ${memories.join(", ")}`,
    });
  }
}

/** Throws SpecError for a level through which no array is reached: nothing would ever pass it. */
export function checkReached(
  architecture: Architecture,
  levels: ReadonlyMap<string, CompiledLevel>,
  at: (path: Path) => Place,
): void {
  const reached = new Set<string>();
  for (const { at: registers } of Object.values(architecture.arrays)) {
    for (let name = registers; ; ) {
      reached.add(name);
      const level = architecture.levels[name];
      if (level === undefined || level.kind === "dram") break;
      name = level.within;
    }
  }
  const idle = [...levels.keys()].find(name => !reached.has(name));
  if (idle === undefined) return;
  throw new SpecError({
    where: at(["levels", idle])(),
    got: `the level ${idle}, which is on no array's way to ${[...levels.values()].find(l => l.spec.kind === "dram")?.name}`,
    expected: "levels around the registers of some array",
    fix: "leave it out, or put what is below it within it",
  });
}

/** A level's numbers, each with its path within the level. */
export function numericFields(level: Level): [string, Formula][] {
  return Object.entries(level).flatMap(([field, value]): [string, Formula][] => {
    if (["kind", "within", "sameAs", "buffering"].includes(field) || value === undefined) return [];
    if (typeof value !== "object") return [[field, value as Formula]];
    return Object.entries(value as Record<string, Formula | boolean>).flatMap(([part, formula]) =>
      typeof formula === "boolean" ? [] : [[`${field}.${part}`, formula]],
    );
  });
}
