import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readState, writeState } from "../../explorer/state.js";
import { hasUnseen } from "../../src/errors.js";
import { loadCascade } from "../../src/io/cascade-files.js";
import { checkEnded, command } from "./command.js";
import { mutateText } from "./mutate.js";
import type { Target } from "./target.js";

const cascades = ["attention-1-pass", "attention-2-pass", "cascade-3", "variance-welford", "softmax"].map(name =>
  loadCascade(name).source.lines.join("\n"),
);
const words = [
  "M",
  "M0",
  "m1",
  "Q[e,p]",
  "K[e,m]",
  "RM[m1+1,p]",
  ":: max(m0)",
  "exp(",
  "max(",
  "@operand",
  "ranks:",
  "inputs:",
  "until: m1 = M1",
  "M = M1 * M0",
  "2.5",
  "inf",
  "filter",
];

export const cascadesTarget: Target = {
  name: "cascades",
  few: 40,
  attempt: async (random, folder) => {
    const file = join(folder, "mutated.cascade");
    writeFileSync(file, mutateText(random, random.pick(cascades), words));
    const line = random.pick([
      ["passes", file, "--json"],
      ["passes", file, "--shape", mutateText(random, "M=64,M0=16,P=8,E=16,F=16")],
      ["equal", file, random.pick(["attention-3-pass", file]), "--trials", "2", "--json"],
      ["traffic-bound", "--cascade", file, "--seq", "1K", "--json"],
    ]);
    checkEnded(await command(line), line.includes("--json"));
  },
};

const links = [
  "1/cost?model=XLM&seq=64K&designs=flat,fusemax&rows=128",
  "1/cascade?cascade=softmax&source=Y%20%3D%20A%5Bk%5D",
  "1/schedule?epoch=4&epochs=8",
  "1/numerics?queries=256&format=fp16&seed=3",
];

export const linksTarget: Target = {
  name: "links",
  few: 600,
  attempt: async random => {
    const { state, notes } = readState(
      mutateText(random, random.pick(links), [
        "cost",
        "model",
        "seq",
        "rows",
        "source",
        "%",
        "%u0000",
        "__proto__",
        "constructor",
        "&",
        "=",
        "1e9",
      ]),
    );
    if (notes.length > 6 || notes.some(note => note.length > 500 || hasUnseen(note)))
      throw new Error(`notes: ${notes.join("|")}`);
    // What a link gives, the page may write again.
    if (JSON.stringify(readState(writeState(state)).state) !== JSON.stringify(state))
      throw new Error("a state that does not come back");
  },
};
