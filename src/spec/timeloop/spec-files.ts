import { howMany, shown } from "../../errors.js";
import type { SpecText } from "../document.js";
import { readArchitecture, type TimeloopArchitecture, type TimeloopLevel } from "./architecture.js";
import { type MappedLevel, readMapping, type TimeloopMapping } from "./mapping.js";
import { type DataSpace, type ProjectedDimension, readProblem, type TimeloopProblem } from "./problem.js";

/** Version 4 of Timeloop's files: an architecture, a problem and a mapping. */
export interface TimeloopFiles {
  readonly architecture: SpecText;
  readonly problem: SpecText;
  readonly mapping: SpecText;
}

/**
 * A design of the same counts, as texts by file name, with a comment for each thing that was guessed or left out.
 * @throws SpecError at the file's line that has no counterpart
 */
export function specFilesOf(files: TimeloopFiles): ReadonlyMap<string, string> {
  const architecture = readArchitecture(files.architecture);
  const problem = readProblem(files.problem);
  const mapping = readMapping(files.mapping, architecture, problem);
  const name = problem.output.name;
  const source = `fusemax import timeloop ${[files.architecture, files.problem, files.mapping].map(({ file }) => file).join(" ")}`;
  const head = `name: ${name}\nsource: ${JSON.stringify(source)}\n`;
  const hasCascade = problem.repeats.length === 0;
  return new Map([
    ["architecture.yaml", head + architectureText(architecture)],
    ...(hasCascade ? [[`${name}.cascade`, cascadeText(problem, source)] as const] : []),
    ["mapping.yaml", head + mappingText(architecture, problem, mapping)],
    ["binding.yaml", `${head}phases:\n  - { name: ${name}, latency: ${name} }\n`],
    [
      "design.yaml",
      `# Sizes are the problem's own, whatever --model and --seq say.\n${head}label: ${name}\n${hasCascade ? `cascade: ./${name}.cascade\n` : ""}architecture: ./architecture.yaml\nmapping: ./mapping.yaml\nbinding: ./binding.yaml\n`,
    ],
  ]);
}

const comments = (lines: readonly string[], indent: string): string =>
  lines.map(line => `${indent}# ${line}\n`).join("");

function architectureText({ levels, array, frequencyHz, technology, wordBits }: TimeloopArchitecture): string {
  const node = technology === undefined ? "the file names no technology" : `the file says ${shown(technology)}`;
  const hertz = frequencyHz === undefined ? "1e9 # guess: the file says no global_cycle_seconds" : rounded(frequencyHz);
  const level = (own: TimeloopLevel, i: number): string => {
    const within = i === 0 ? "" : `, within: ${levels[i - 1]?.name}`;
    if (own.kind === "fanout") return `  ${own.name}: { kind: fanout${within}, size: ${own.x * own.y} }\n`;
    const guesses = [...own.guesses];
    if (own.wordBits !== wordBits)
      guesses.push(`guess: words of ${howMany(wordBits, "bit")} as everywhere; here the file says ${own.wordBits}`);
    const speeds = bandwidthOf(own.bandwidth, wordBits);
    const fields = [`kind: ${own.kind}${within}`];
    if (own.kind === "dram") {
      const words = own.bandwidth.shared;
      if (words === undefined)
        guesses.push("guess: a bandwidth at which nothing waits; the file says none for reads and writes together");
      fields.push(
        `bytesPerSecond: ${words === undefined ? "1e30" : rounded((words * wordBits * (frequencyHz ?? 1e9)) / 8)}`,
      );
    } else if (own.kind === "sram") {
      fields.push(`bytes: ${((own.depth ?? 0) * wordBits) / 8}`, `rowWords: ${own.rowWords}`);
    } else fields.push(`depth: ${own.depth}`);
    if (speeds.length > 0) fields.push(`bandwidth: { ${speeds.join(", ")} }`);
    if (own.doubled) fields.push("buffering: double");
    return `${comments(guesses, "  ")}  ${own.name}: { ${fields.join(", ")} }\n`;
  };
  return [
    `technology: 45nm # guess: energies and areas of 45nm; ${node}\n`,
    `frequencyHz: ${hertz}\nwordBits: ${wordBits}\nparameters: {}\nlevels:\n`,
    ...levels.map(level),
    "arrays:\n  # A point of the problem takes a cycle, whatever is computed (cycles: 1 in the mapping).\n",
    `  ${array}: { at: ${levels.at(-1)?.name}, operations: { mac: 1, add: 1 } }\n`,
  ].join("");
}

function bandwidthOf(
  words: Readonly<Partial<Record<"shared" | "read" | "write", number>>>,
  wordBits: number,
): string[] {
  const fields = { shared: "bytesPerCycle", read: "readBytesPerCycle", write: "writeBytesPerCycle" } as const;
  return (["shared", "read", "write"] as const).flatMap(key => {
    const own = words[key];
    return own === undefined ? [] : [`${fields[key]}: ${(own * wordBits) / 8}`];
  });
}

/** Cycle times are written with few digits: what comes of one has no more. */
const rounded = (value: number): string => String(Number(value.toPrecision(12)));

/** A data-space as a cascade has it: `Inputs[c,p*2+r]`. */
const indexed = ({ name, ranks }: DataSpace): string => {
  const term = ({ dimension, stride }: ProjectedDimension): string =>
    stride === 1 ? dimension.toLowerCase() : `${dimension.toLowerCase()}*${stride}`;
  return ranks.length === 0 ? name : `${name}[${ranks.map(terms => terms.map(term).join("+")).join(",")}]`;
};

function cascadeText({ inputs, output }: TimeloopProblem, source: string): string {
  const right = inputs.map(indexed).join(" * ");
  return [
    `# title: ${output.name}`,
    `# source: ${shown(source)}`,
    "# guess: a sum of products; a problem of Timeloop says which data is read and written, and not what is computed",
    `inputs: ${inputs.map(indexed).join(", ")}`,
    `${indexed(output)} = ${right}`,
    "",
  ].join("\n");
}

function mappingText({ array }: TimeloopArchitecture, problem: TimeloopProblem, { levels }: TimeloopMapping): string {
  const parts = new Parts(levels, problem);
  const name = problem.output.name;
  const kept = (own: MappedLevel): string => `      ${own.level.name}: [${own.keeps.join(", ")}]\n`;
  const handed = problem.inputs.filter(input => !levels[0]?.keeps.includes(input.name));
  const assumed = handed.map(
    input => `      ${input.name}: the mapping keeps it in no memory outside; what writes it is another problem\n`,
  );
  const sizes = [...problem.dimensions].map(([dimension, size]) => `${dimension}: ${size}`).join(", ");
  const { repeats } = problem;
  const names = problem.inputs.map(input => input.name).join(", ");
  const typed =
    repeats.length === 0
      ? ""
      : `    # guess: no data-space has ${repeats.join(", ")}, which only repeats the work; no cascade can say that\n    inputs: [${names}]\n    output: ${name}\n    operations: { ${problem.inputs.length > 1 ? "mac" : "add"}: 1 }\n`;
  const tensors = [...problem.inputs, problem.output].map(own => `  ${own.name}: [${own.dimensions.join(", ")}]\n`);
  return [
    comments(problem.guesses, ""),
    ...(repeats.length === 0 ? [] : ["tensors:\n", ...tensors]),
    "einsums:\n",
    `  ${name}:\n    array: ${array}\n    cycles: 1 # Timeloop's, for a point of any problem\n`,
    typed,
    `    symbols: { ${sizes} }\n`,
    ...parts.partitions,
    "    loops:\n",
    ...parts.loops,
    "    keep:\n",
    ...levels.filter(({ keeps }) => keeps.length > 0).map(kept),
    ...(assumed.length === 0 ? [] : ["    assumed:\n", ...assumed]),
  ].join("");
}

/** The parts of dimensions: one for each loop, numbered from the innermost. */
class Parts {
  readonly partitions: readonly string[];
  readonly loops: readonly string[];

  constructor(levels: readonly MappedLevel[], { dimensions }: TimeloopProblem) {
    const [first] = dimensions.keys();
    // A fan-out whose instances the mapping leaves idle but one has a loop of one iteration.
    const iterating = levels.map(({ level, loops }) =>
      level.kind === "fanout" && loops.length === 0 && first !== undefined ? [{ dimension: first, bound: 1 }] : loops,
    );
    const idle = [...dimensions.keys()].filter(d => !iterating.flat().some(({ dimension }) => dimension === d));
    const all = iterating.map((loops, i) =>
      i === 0 ? [...idle.map(dimension => ({ dimension, bound: 1 })), ...loops] : [...loops],
    );
    const names = new Set(dimensions.keys());
    const partsOf = new Map<string, string[]>();
    for (const dimension of dimensions.keys()) {
      const count = all.flat().filter(loop => loop.dimension === dimension).length;
      const mark = [...Array(count).keys()].some(i => names.has(`${dimension}${i}`)) ? `${dimension}_` : dimension;
      partsOf.set(
        dimension,
        count === 1 ? [dimension] : Array.from({ length: count }, (_, i) => `${mark}${count - 1 - i}`),
      );
    }
    const next = new Map<string, number>();
    const named = all.map(loops =>
      loops.map(({ dimension, bound }) => {
        const at = next.get(dimension) ?? 0;
        next.set(dimension, at + 1);
        return { dimension, bound, part: partsOf.get(dimension)?.[at] ?? dimension };
      }),
    );
    const cut = [...partsOf].filter(([, parts]) => parts.length > 1);
    const line = ([dimension]: readonly [string, readonly string[]]): string => {
      const own = named.flat().filter(loop => loop.dimension === dimension);
      const sizes = own.map(({ part, bound }, i) => `${part}: ${i === 0 ? "rest" : bound}`);
      return `      ${dimension}: { ${sizes.join(", ")} }\n`;
    };
    this.partitions = cut.length === 0 ? [] : ["    partitions:\n", ...cut.map(line)];
    this.loops = named.flatMap((loops, i) =>
      loops.length === 0 ? [] : [`      ${levels[i]?.level.name}: [${loops.map(({ part }) => part).join(", ")}]\n`],
    );
  }
}
