/** How much is remembered at once: the same answers, sooner or later. */
const remembered = (file, lines) =>
  lines.map(line => ({ file: `src/model/mapper/${file}.ts`, line, reason: "how much is remembered at once" }));

/** Mutants of src/model/mapper that compute the same in every case; the form of an entry is equivalent.mjs's. */
export const mapper = [
  ...remembered("cost-table", ["const mostKnown = 50_000;", "if (this.known.size >= mostKnown) this.known.clear();"]),
  ...remembered("bounds", [
    "const mostRemembered = 100_000;",
    "if ((remembered?.size ?? 0) >= mostRemembered) remembered?.clear();",
  ]),
  {
    file: "src/model/mapper/tiling.ts",
    line: "array.fanouts.some(({ size }, i) => i < before && size > 1 && over[i] === undefined && sizeOf(part) <= size);",
    changes: ["i < before → (i) <= (before)"],
    reason: "at that fan-out something lies, or there is none",
  },
  {
    file: "src/model/mapper/design.ts",
    line: ".filter(set => set.every(e => arrayOf(e) !== undefined) && new Set(set.map(arrayOf)).size > 1)",
    changes: ["set.every(e => arrayOf(e) !== undefined) → (set).some(e => arrayOf(e) !== undefined)"],
    reason: "no block parts Einsums that wait for each other: what is carried between them stays within",
  },
  {
    file: "src/model/mapper/simulated.ts",
    line: "const agrees = Math.abs(ratio - 1) <= simulationTolerance;",
    changes: ["Math.abs(ratio - 1) <= simulationTolerance → (Math.abs(ratio - 1)) < (simulationTolerance)"],
    reason: "one plus the tolerance is no double's difference from one",
  },
];
