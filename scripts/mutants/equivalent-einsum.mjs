const path = file => `src/einsum/${file}.ts`;
const noZero = "no coefficient of a size is 0";
const strongest = "nothing asks for more than 3, and what is no binary expression has no operator to look up";

/** Mutants of src/einsum that compute the same in every case; the form of an entry is equivalent.mjs's. */
export const einsum = [
  ...[
    ["const golden = (Math.sqrt(5) - 1) / 2;", "2 → 2 - 1"],
    [
      "const spread = ((i + 1) * (n + 1) * golden) % 1;",
      "1 → 1 + 1 #1",
      "1 → 1 + 1 #2",
      "1 → 1 + 1 #3",
      "(i + 1) * (n + 1) → (i + 1) / (n + 1)",
    ],
    [
      "return 0.5 + spread + (place !== -1 && i === changed ? by * (1 + n / 3) : 0);",
      "3 → 3 - 1",
      "1 + n / 3 → (1) - (n / 3)",
    ],
    ["return (0.5 + spread) * scale;", "0.5 → 0.5 + 1"],
  ].map(([line, ...changes]) => ({
    file: path("derive/remember"),
    line,
    changes,
    reason: "other places at which derivatives are taken; any that are not alike will do",
  })),
  {
    file: path("derive/remember"),
    line: "const slopes = up.map((value, output) => (value - (down[output] ?? 0)) / (2 * step));",
    changes: [
      "(value - (down[output] ?? 0)) / (2 * step) → (value - (down[output] ?? 0)) * (2 * step)",
      "2 * step → (2) / (step)",
      "2 → 2 - 1",
      "2 → 2 + 1",
    ],
    reason: "all derivatives times one number: the same rank",
  },
  {
    file: path("derive/remember"),
    line: "const halves = Array.from({ length: 3 * elements }, (_, j) => 0.05 + (2.2 * j) / (3 * elements));",
    reason: "how many second halves there are and which: any that are not alike, and are more than elements, will do",
  },
  {
    file: path("derive/remember"),
    line: "let [at, column, most] = [-1, -1, 0];",
    changes: ["-1 → 1 #1", "-1 → 1 #2"],
    reason: "a place that is not used where nothing is above 0",
  },
  {
    file: path("axes"),
    line: "for (let to = 0; to < out.length; to += 1) {",
    changes: ["to < out.length → (to) <= (out.length)"],
    reason: "a place past the end of a typed array, which takes no value",
  },
  {
    file: path("equal"),
    line: "let [at, most] = [0, -1];",
    changes: ["0 → 0 + 1", "0 → 0 - 1", "1 → 1 + 1", "1 → 1 - 1"],
    reason: "the first place is taken anyway, at a difference of 0 too",
  },
  {
    file: path("equal"),
    line: "let largest = 0;",
    changes: ["0 → 0 - 1"],
    reason: "the first finite value is larger; where there is none no difference is finite",
  },
  {
    file: path("traffic-bound"),
    line: "for (let subset = 0; subset < 2 ** boundaries; subset += 1) {",
    changes: ["subset < 2 ** boundaries → (subset) <= (2 ** boundaries)", "2 → 2 + 1"],
    reason: "subsets that were tried before",
  },
  {
    file: path("traffic-bound"),
    line: "tensors.reduce((most, w) => (among(w) ? Math.max(most, of(w)) : most), 0);",
    changes: ["0 → 0 - 1"],
    reason: "what a row keeps is 0 at least",
  },
  {
    file: path("traffic-bound"),
    line: "rowsPerBlock = Math.min(rowsPerBlock, Math.max(1, (points * streamed) / again.ofFractions));",
    changes: ["1 → 1 - 1"],
    reason: "no more is read again than every row's points",
  },
  {
    file: path("point-space"),
    line: "if (variables.length === 1 && first !== undefined) {",
    changes: ["1 → 1 - 1"],
    reason: "the general way visits the same points",
  },
  {
    file: path("point-space"),
    line: "for (; i >= 0; i -= 1) {",
    changes: ["0 → 0 - 1"],
    reason: "a step more, at no variable",
  },
  {
    file: path("point-space"),
    line: "if (checks.length > 0) return null;",
    changes: ["0 → 0 - 1", "checks.length > 0 → (checks.length) >= (0)"],
    reason: "the general way sums the same, and checks nothing where there is nothing to check",
  },
  {
    file: path("kernel"),
    line: "let [known, op] = [Number.NaN, arithmetic.exp(1)];",
    changes: ["1 → 1 + 1", "1 → 1 - 1"],
    reason: "no scale is NaN: it is made anew at the first point",
  },
  {
    file: path("kernel"),
    line: "const [scale = 1] = this.store.scales(scaled.output.values) ?? [];",
    reason: "values with scales have one",
  },
  {
    file: path("sum-of-products"),
    line: 'if (right.kind !== "binary" || right.op !== "*") return null;',
    changes: ['right.kind !== "binary" → (right.kind) === ("binary")'],
    reason: "the general way sums the same",
  },
  {
    file: path("split"),
    line: "if (rank.parts.length === 1) return rank.parts;",
    changes: ["1 → 1 - 1"],
    reason: "one part is in order",
  },
  {
    file: path("format-einsum"),
    line: "const isNegative = ({ coefficient }: IndexTerm): boolean => coefficient.every(part => part.coefficient < 0);",
    changes: ["0 → 0 + 1", "part.coefficient < 0 → (part.coefficient) <= (0)"],
    reason: noZero,
  },
  {
    file: path("size"),
    line: 'const sign = coefficient < 0 ? (i === 0 ? "-" : " - ") : i === 0 ? "" : " + ";',
    changes: ["coefficient < 0 → (coefficient) <= (0)", "0 → 0 + 1 #1"],
    reason: noZero,
  },
  {
    file: path("format-expression"),
    line: 'expression.kind === "binary" ? ({ "+": 1, "-": 1, "*": 2, "/": 2, max: 3, min: 3 } as const)[expression.op] : 3;',
    changes: [
      "3 → 3 + 1 #1",
      "3 → 3 + 1 #2",
      "3 → 3 + 1 #3",
      'expression.kind === "binary" ? ({ "+": 1, "-": 1, "*": 2, "/": 2, max: 3, min: 3 } as const)[expression.op] : 3 → ({ "+": 1, "-": 1, "*": 2, "/": 2, max: 3, min: 3 } as const)[expression.op]',
    ],
    reason: strongest,
  },
  {
    file: path("joint-shape"),
    line: "for (let d = Math.floor(Math.sqrt(n)); d > 1; d -= 1) if (n % d === 0) return d;",
    changes: ["d > 1 → (d) >= (1)", "1 → 1 - 1 #1"],
    reason: "1 divides, and is the answer anyway",
  },
  {
    file: path("arithmetic"),
    line: "sigmoid: x => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),",
    changes: ["x >= 0 → (x) > (0)"],
    reason: "both give 0.5 at 0",
  },
  {
    file: path("parse"),
    line: "for (let line = 1; line <= source.lines.length; line += 1) reader.readLine(line);",
    changes: ["1 → 1 - 1 #1"],
    reason: "a line before the first, which is empty",
  },
  {
    file: path("derive/correct-running-sum"),
    line: "coefficient: 1,",
    reason: "of what is left only factors and divisors are used",
  },
  {
    file: path("derive/check"),
    line: '{ relative: 0, input: told[0]?.name ?? "" },',
    changes: ["0 → 0 - 1 #1"],
    reason: "the first input is named anyway",
  },
  ...[
    [
      "derive/defer-factor",
      'factors: [{ kind: "access", tensor: name, indices: free, bracketed: true, span: einsum.span }, ...fixed.factors],',
    ],
    ["derive/defer-past-extremum", "bracketed: true,"],
    ["derive/iterate", 'return { kind: "access", tensor, indices, bracketed: true, span: einsum.span };'],
    ["derive/name-terms", "bracketed: true,"],
    [
      "derive/name-terms",
      'return same ? ({ kind: "access", tensor, indices, bracketed: true, span } as const) : null;',
    ],
    [
      "derive/take-apart",
      'const kept: Access = { kind: "access", tensor: "", indices: own, bracketed: true, span: einsum.span };',
    ],
  ].map(([name, line]) => ({
    file: path(name),
    line,
    changes: ["true → false"],
    reason: "asked of what was read from a text; this one is written as a text, and read again",
  })),
  {
    file: path("derive/factors"),
    line: 'part.kind === "access" ? inlined(part, writerOf(cascade, part.tensor)) : null;',
    reason: "the types ask which kind it is; what is no access has no writer",
  },
  {
    file: path("derive/check"),
    line: "if (differing === null || differing.difference === null) return true;",
    changes: [
      "differing === null || differing.difference === null → (differing === null) && (differing.difference === null)",
    ],
    reason: "the types ask: where cascades differ, one input is the first, and all have a difference",
  },
  {
    file: path("derive/search"),
    line: "if (compareNodes(found, this.best) < 0) this.best = found;",
    changes: ["0 → 0 + 1", "compareNodes(found, this.best) < 0 → (compareNodes(found, this.best)) <= (0)"],
    reason: "of two that are equally good either is the best",
  },
  {
    file: path("derive/normal-form"),
    line: 'const [head = { kind: "number", value: 1 } as const, ...rest] = [...number, ...factors];',
    reason: "the types ask for it: without factors there is a number",
  },
  {
    file: path("derive/remember"),
    line: "for (const elements of [6, 12]) {",
    reason: "the lengths of halves that are measured: parameters",
  },
  {
    file: path("derive/check"),
    line: "const leastInputs = 8;",
    reason: "so few inputs, one more or less: a parameter",
  },
  ...["derive/change-reference", "derive/late"].map(name => ({
    file: path(name),
    line: 'if (tensor === undefined || tensor.iterative === null || iterativeRead(tensor, access) !== "last") return null;',
    changes: [
      "tensor === undefined || tensor.iterative === null → (tensor === undefined) && (tensor.iterative === null)",
    ],
    reason: "an access has a tensor, and one that does not iterate is not read last",
  })),
  {
    file: path("derive/search"),
    line: "for (let steps = 0; steps < mostSteps; steps += 1) {",
    changes: ["steps < mostSteps → (steps) <= (mostSteps)", "0 → 0 - 1", "0 → 0 + 1"],
    reason: "how many steps a phase may take, one more or less: no phase takes a tenth of them",
  },
  {
    file: path("derive/title"),
    line: "const kept = lines.filter((line, i) => i >= end || !isHeader(line, dropped));",
    changes: ["i >= end → (i) > (end)"],
    reason: "the first line that is no comment is no header",
  },
];
