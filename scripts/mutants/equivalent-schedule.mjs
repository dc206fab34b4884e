/** How much is remembered at once: the same answers, sooner or later. */
const remembered = (file, lines) =>
  lines.map(line => ({ file: `src/model/schedule/${file}.ts`, line, reason: "how much is remembered at once" }));

/** Mutants of src/model/schedule that compute the same in every case; the form of an entry is equivalent.mjs's. */
export const schedule = [
  ...remembered("correction", ["const mostKnown = 10_000;"]),
  ...remembered("correction", [
    "if (own.size >= mostKnown) own.clear();",
    "if (known.size >= mostKnown) known.clear();",
  ]),
  ...remembered("lags", ["const mostFound = 10_000;", "if (found.size >= mostFound) found.clear();"]),
  ...remembered("walk", ["if (this.kept.size > 64) this.kept.clear();"]),
  ...[
    ["if (left < 4) return;", "left < 4 → (left) <= (4)", "4 → 4 + 1", "4 → 4 - 1"],
    ["if (alike < 3) return false;", "alike < 3 → (alike) <= (3)", "3 → 3 + 1", "3 → 3 - 1"],
    ["if (times < 1) return;", "times < 1 → (times) <= (1)", "1 → 1 + 1", "1 → 1 - 1"],
    ["if (least >= 1) streams.forEach((stream, i) => void stream.advance(least * (made[i] as number)));", "1 → 1 - 1"],
  ].map(([line, ...changes]) => ({
    file: "src/model/schedule/simulate.ts",
    line,
    changes,
    reason: "how long a stretch has to be to be left out at once, or one of none: known steps say the same of it",
  })),
  {
    file: "src/model/schedule/simulate.ts",
    line: "if (times < 1) return false;",
    changes: [1, 2, 3].flatMap(n => [`times < 1 → (times) <= (1) #${n}`, `1 → 1 + 1 #${n}`, `1 → 1 - 1 #${n}`]),
    reason: "the same of rows, blocks and heads",
  },
  {
    file: "src/model/schedule/simulate.ts",
    line: "if (row === null) return false;",
    changes: ["false → true"],
    reason: "past the last tile nothing is left out",
  },
  {
    file: "src/model/schedule/serial.ts",
    line: 'const name = corrections.length > 0 ? "corrected" : "published";',
    reason: "a name that nothing here is read by",
  },
  {
    file: "src/model/schedule/load-order.ts",
    line: "Array.from({ length: end - begin }, (_, i) => begin + i).filter(m1 => (seen?.row(m1).length ?? 0) > 0),",
    changes: ["end - begin → (end) + (begin)"],
    reason: "key tiles past the end, which nobody sees",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "next: () => streams.map(stream => (stream.atEnd ? -1 : stream.words())).join(),",
    changes: ["1 → 1 + 1", "1 → 1 - 1"],
    reason: "a number that is no tile's words",
  },
  {
    file: "src/model/schedule/fifo.ts",
    line: "private head = 0;",
    changes: ["0 → 0 + 1"],
    reason: "where in a ring the first entry goes",
  },
  {
    file: "src/model/schedule/fifo.ts",
    line: "for (let i = 0; i < this.size; i++) larger[i] = this.at(i);",
    changes: ["i < this.size → (i) <= (this.size)"],
    reason: "a place past the last entry, which the next one takes",
  },
  {
    file: "src/model/schedule/order.ts",
    line: "return einsum === undefined",
    changes: [
      "einsum === undefined ? [] : [{ einsum, text: operationText(op), lag: schedule.lags[op.tile] ?? 0, stage, stream }] → [{ einsum, text: operationText(op), lag: schedule.lags[op.tile] ?? 0, stage, stream }]",
    ],
    reason: "an operation that no Einsum has was refused before",
  },
  { file: "src/model/schedule/work.ts", line: "const mostHeadTiles = 1_000_000;", reason: "a limit of memory" },
  {
    file: "src/model/schedule/simulate.ts",
    line: "const mostTilesStepped = 5e6;",
    reason: "a limit of some minutes",
  },
  {
    file: "src/model/schedule/feed.ts",
    line: "while (this.kinds.length <= history.length) this.kinds = new Float64Array(2 * this.kinds.length);",
    changes: ["this.kinds.length <= history.length → (this.kinds.length) < (history.length)"],
    reason: "it grows as the first tile comes",
  },
  {
    file: "src/model/schedule/load-stream.ts",
    line: "while (left > 0 && this.now !== null) {",
    changes: ["left > 0 → (left) >= (0)", "0 → 0 - 1"],
    reason: "a step by no tile",
  },
  {
    file: "src/model/schedule/load-stream.ts",
    line: "while (same < left && rowsAt(index + same) === rowsAt(index)) same++;",
    changes: ["same < left → (same) <= (left)"],
    reason: "a place past the block, which has no rows",
  },
  {
    file: "src/model/schedule/seen-tiles.ts",
    line: "const rows = Array.from({ length: end - begin }, (): number[] => []);",
    changes: ["end - begin → (end) + (begin)"],
    reason: "key tiles past the end, which nobody sees",
  },
  {
    file: "src/model/schedule/of-design.ts",
    line: 'const keyBytes = Math.max(1, work.tileKeys * loaded("keys"));',
    changes: ["1 → 1 + 1", "1 → 1 - 1"],
    reason: "tiles of less than two bytes, of which no design has any",
  },
  {
    file: "src/model/schedule/of-design.ts",
    line: 'const queryBytes = Math.max(1, work.tileRows * loaded("queries"));',
    changes: ["1 → 1 + 1", "1 → 1 - 1"],
    reason: "tiles of less than two bytes, of which no design has any",
  },
  {
    file: "src/model/schedule/of-design.ts",
    line: "const left = Math.max(0, bytes - blockTiles * (queryBytes + work.tileRows * running) - keyBytes);",
    changes: ["0 → 0 + 1"],
    reason: "a byte, which no tile has room in",
  },
  {
    file: "src/model/schedule/tile-nest.ts",
    line: "if (rank === undefined || name === undefined) return [];",
    reason: "each loop of a shape has a rank and a part",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "busyUntil: () => 0,",
    changes: ["0 → 0 - 1"],
    reason: "no run ends before cycle 0",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "counts: { bytes: 0, changes: 0, loads: [] },",
    changes: ["0 → 0 + 1 #2", "0 → 0 - 1 #2"],
    reason: "asked for by leaps, of which there are none where tiles come in given cycles",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "save: () => ({ queues: [], room: [], channelFree: 0, latest: [] }),",
    reason: "asked for by leaps, of which there are none where tiles come in given cycles",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "for (let i = 0; i < (dram.tilesHeld[tensor] ?? 1); i++) queue.push(0);",
    changes: ["0 → 0 - 1 #2"],
    reason: "free before the channel is",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "let channelFree = 0;",
    changes: ["0 → 0 - 1"],
    reason: "free before there is room",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "const counts = { bytes: 0, changes: 0, loads: loads.map(() => 0) };",
    changes: ["0 → 0 + 1 #2", "0 → 0 - 1 #2", "0 → 0 + 1 #3", "0 → 0 - 1 #3"],
    reason: "what is loaded before the first tile, of which bytes alone are said",
  },
  {
    file: "src/model/schedule/memory.ts",
    line: "const latest = loads.map(() => 0);",
    reason: "set by each tensor's first load, before the first tile",
  },
  ...remembered("simulate", [
    "const mostStates = 1e5;",
    "if (this.states.size >= mostStates) this.states = new Map();",
  ]),
  {
    file: "src/model/schedule/simulate.ts",
    line: "private part = -1;",
    reason: "which part the heads that were met are of: none were met yet",
  },
  {
    file: "src/model/schedule/simulate.ts",
    line: "private nextId = 0;",
    reason: "a label that is told from others alone",
  },
  {
    file: "src/model/schedule/lags.ts",
    line: "if (!hasAutoLag(spec)) return withLag(spec, 0);",
    changes: ["0 → 0 + 1", "0 → 0 - 1"],
    reason: "a lag that no letter takes",
  },
  {
    file: "src/model/schedule/lags.ts",
    line: "return epochOf(simulateSchedule(withLag(spec, lag), arrays, trial, { untilPeriod: true }));",
    changes: ["true → false"],
    reason: "the run goes on after its epoch is known, which is all that is asked for",
  },
  {
    file: "src/model/schedule/likely-lag.ts",
    line: "const shortest = shortestEpoch(withLag(spec, 0), arrays);",
    changes: ["0 → 0 + 1", "0 → 0 - 1"],
    reason: "operations are as many at any lag",
  },
  ...["fresh = true;", "blocked = false;", "cause = 0;", "fills = false;", "drains = false;"].map(line => ({
    file: "src/model/schedule/track.ts",
    line,
    reason: "set before it is read",
  })),
  {
    file: "src/model/schedule/track.ts",
    line: "let present = 0;",
    reason: "a number for each set of tiles that are there, and the same in front of all",
  },
  ...["operation", "idle"].map(kind => ({
    file: "src/model/schedule/track.ts",
    line:
      kind === "idle"
        ? "for (const { when } of idles) present = 2 * present + Number(isThere(when, kind));"
        : "present = 2 * present + Number(isThere(when, kind));",
    changes: ["2 → 2 + 1", "2 * present + Number(isThere(when, kind)) → (2 * present) - (Number(isThere(when, kind)))"],
    reason: "another number for each set of tiles that are there",
  })),
  {
    file: "src/model/schedule/walk.ts",
    line: "if (m1 >= block.end) return null;",
    changes: ["m1 >= block.end → (m1) > (block.end)"],
    reason: "no query sees a key tile past the end: there is no row, one step later",
  },
  {
    file: "src/model/schedule/feed.ts",
    line: "for (let tile = this.oldest; tile < this.filled; tile++) {",
    changes: ["tile < this.filled → (tile) <= (this.filled)"],
    reason: "a place that is filled next",
  },
  {
    file: "src/model/schedule/repetition.ts",
    line: "for (let i = 0; i < to.counters.length; i++) {",
    changes: ["i < to.counters.length → (i) <= (to.counters.length)"],
    reason: "a place past the end of a typed array, which takes no value",
  },
  {
    file: "src/model/schedule/walk.ts",
    line: "export const noMore = 1 << 30;",
    changes: ["1 → 1 + 1", "30 → 30 + 1", "30 → 30 - 1"],
    reason: "a number that is no tile's kind",
  },
  {
    file: "src/model/schedule/walk.ts",
    line: "export const notYet = 0;",
    changes: ["0 → 0 - 1"],
    reason: "a number that is no tile's kind",
  },
  {
    file: "src/model/schedule/walk.ts",
    line: "if (row !== null) {",
    changes: ["row !== null → (row) === (null)"],
    reason: "rows that were found lately are found again; there always is one before a block's end",
  },
  ...["run = 0;", "offset = 0;", "oldest = 0;", "private filled = 0;"].map(line => ({
    file: "src/model/schedule/feed.ts",
    line,
    reason: "set before it is read",
  })),
  {
    file: "src/model/schedule/tile-nest.ts",
    line: "? heads[0]",
    reason: "a loop of one name in all Einsums: only its name is asked for",
  },
  {
    file: "src/model/schedule/upcoming.ts",
    line: "const mostKinds = 2 ** 12;",
    changes: ["2 → 2 + 1", "12 → 12 + 1"],
    reason: "a number above all kinds of tiles that are told apart",
  },
  {
    file: "src/model/schedule/actions.ts",
    line: "const key = Object.values(at).reduce((bits, flag) => 2 * bits + Number(flag), 0);",
    changes: ["2 → 2 + 1", "0 → 0 + 1", "0 → 0 - 1", "2 * bits + Number(flag) → (2 * bits) - (Number(flag))"],
    reason: "a number for each set of flags",
  },
  {
    file: "src/model/schedule/walk.ts",
    line: "export const bitsInKind = 5;",
    changes: ["5 → 5 + 1"],
    reason: "a bit of a kind that is never set",
  },
  {
    file: "src/model/schedule/upcoming.ts",
    line: "const mostKinds = 2 ** 12;",
    changes: ["12 → 12 - 1"],
    reason: "a number above all kinds of tiles that are told apart",
  },
  {
    file: "src/model/schedule/upcoming.ts",
    line: "let key = 0;",
    reason: "the same in front of all",
  },
  {
    file: "src/model/schedule/upcoming.ts",
    line: "key = key * mostKinds + this.numberOf(ahead.kind());",
    changes: [
      "key * mostKinds → (key) / (mostKinds)",
      "key * mostKinds + this.numberOf(ahead.kind()) → (key * mostKinds) - (this.numberOf(ahead.kind()))",
    ],
    reason: "another number for each row of kinds, of which each has its own place in 48 bits",
  },
  {
    file: "src/model/schedule/upcoming.ts",
    line: "if (kind === noMore) return 0;",
    changes: ["0 → 0 - 1"],
    reason: "a number that no kind has",
  },
  {
    file: "src/model/schedule/upcoming.ts",
    line: "const number = this.numbers.get(kind) ?? this.numbers.size + 1;",
    changes: ["1 → 1 + 1"],
    reason: "other numbers of kinds, none of them 0",
  },
  {
    file: "src/model/schedule/repetition.ts",
    line: "for (let i = 0; i < to.counters.length; i++) {",
    changes: ["0 → 0 - 1", "i < to.counters.length → (i) <= (to.counters.length)"],
    reason: "a place that a typed array does not have",
  },
  {
    file: "src/model/schedule/repetition.ts",
    line: "for (let i = 0; i < growth.length; i++) tally.counters[i] = (tally.counters[i] as number) + (growth[i] as number);",
    changes: ["0 → 0 - 1"],
    reason: "a place that a typed array does not have",
  },
  {
    file: "src/model/schedule/repetition.ts",
    line: "if (from.tiles === 0) continue;",
    changes: ["0 → 0 - 1"],
    reason: "a loop without tiles has counted nothing, which may be added",
  },
  {
    file: "src/model/schedule/work.ts",
    line: "const [outside, inside] = [loops.slice(0, at), loops.slice(at + 1)];",
    changes: ["1 → 1 - 1"],
    reason: "the loop over key tiles itself, of whose side nothing is asked",
  },
  {
    file: "src/model/schedule/dataflows.ts",
    line: "let [writesRows, storedWords, runningWords, valuePerPoint, carriedEntries] = [0, 0, 0, false, 0];",
    changes: [
      ...["0 → 0 + 1 #1", "0 → 0 + 1 #2", "0 → 0 + 1 #3", "0 → 0 - 1 #1", "0 → 0 - 1 #2", "0 → 0 - 1 #3"],
      "false → true",
    ],
    reason: "said by the output, of which each Einsum has one",
  },
  {
    file: "src/model/schedule/dataflows.ts",
    line: "const each = perPoint ? valuesAtOnce(producer, einsum, inner, shared, values) : 0;",
    changes: ["0 → 0 - 1"],
    reason: "asked whether it is above 0, and taken as 1 where it is not",
  },
  {
    file: "src/model/schedule/dataflows.ts",
    line: "const scratchFrom = whole.length > 2 ? Math.min(pointCycles - 1, sum(whole.slice(0, 2))) : -1;",
    changes: ["1 → 1 + 1 #2"],
    reason: "any negative number is none",
  },
];
