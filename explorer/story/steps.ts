import type { State } from "../state.js";

/** A step of the story: what it says, and the settings that show it; all others are the defaults. */
export interface Step {
  readonly title: string;
  readonly text: string;
  readonly settings: Partial<State>;
}

/** The laws that the story has applied; the last four are left to the reader. */
const firstLaws = [
  "defer-a-factor.AV",
  "split-a-rank-into-tiles.AV",
  "reduce-in-two-steps.GM",
  "a-running-extremum.GM",
  "change-the-reference-of-an-exponential.SN",
  "reduce-in-two-steps.SD",
  "defer-a-factor.SDS",
].join();

/** Why one pass beats three: FuseMax's argument, section by section, each step beside what the page computes for it. */
export const story: readonly Step[] = [
  {
    title: "Attention as the textbook has it",
    text: "Each query weighs all keys. Softmax needs the largest score before it can take the first exponential, and the sum of all exponentials before it can divide: three passes over the keys M, whatever the machine (FuseMax, section III).",
    settings: { panel: "cascade", cascade: "attention-3-pass", rank: "M" },
  },
  {
    title: "What passes leave behind",
    text: "Between passes a whole fiber of scores must be kept, one for each key. Give the sizes, and the page says how many bytes: they grow with the sequence.",
    settings: { panel: "cascade", cascade: "attention-3-pass", rank: "M", shape: "M=262144,P=256" },
  },
  {
    title: "Buffer or traffic",
    text: "Unfused writes every score to DRAM. FLAT keeps rows of scores on the chip, as long as they fit: look at the traffic, and move the sequence length.",
    settings: { panel: "cost", designs: ["unfused", "flat"], seq: 262144 },
  },
  {
    title: "One pass",
    text: "Eleven laws that keep the function lead from the first cascade to one pass: keep a running maximum, and correct what was summed so far whenever it grows. Then every key is read once, and what is kept no longer depends on the sequence. The last four are still to be applied here: press Next law, or choose them yourself.",
    settings: { panel: "derive", cascade: "attention-3-pass", rank: "M", laws: firstLaws },
  },
  {
    title: "One pass alone is not enough",
    text: "The same cascade on FLAT's chip: less traffic, but hardly any time is won. All exponentials and corrections fall to the small 1D array, and the large 2D array waits.",
    settings: { panel: "cost", designs: ["flat", "cascade"] },
  },
  {
    title: "Another array",
    text: "FuseMax's processing elements compute exponentials themselves, by six multiply-adds. The 2D array takes the work over, and the time falls.",
    settings: { panel: "cost", designs: ["flat", "cascade", "architecture"] },
  },
  {
    title: "Arrays that wait for each other",
    text: "Yet a tile's steps depend on each other: while one array works, the other waits. The waterfall shows where the cycles go.",
    settings: { panel: "schedule", design: "architecture", epoch: 4, epochs: 4 },
  },
  {
    title: "Interleaving",
    text: "Work on several tiles at a time, each at another step, and both arrays always have something to do. This is the binding of section V.",
    settings: { panel: "schedule", design: "fusemax", epoch: 40, epochs: 6 },
  },
  {
    title: "What it comes to",
    text: "All of it together. Both arrays are busy, and DRAM hardly works: this is the paper's Fig. 8.",
    settings: { panel: "cost" },
  },
  {
    title: "What it does to the numbers",
    text: "The array adds in its own order and has its own exponential. The emulator computes every bit, and says how far the result is from float64.",
    settings: { panel: "numerics", arithmetics: ["bf16", "bf16-strict", "fp32"] },
  },
  {
    title: "What the paper leaves out",
    text: "The published evaluation forgets some costs on both sides. With its errors corrected the picture stays, the numbers move: docs/model.md lists each correction.",
    settings: { panel: "cost", accounting: "corrected" },
  },
  {
    title: "Where it does not help",
    text: "Decoding one token at a time reads all keys for a single query. DRAM limits every design, and FuseMax's large array is nearly empty.",
    settings: { panel: "cost", model: "llama-3-8b", phase: "decode", seq: 8192, batch: 16 },
  },
];

/** Settings worth a look, by name: the paper's figures, models of today, and where FuseMax loses. */
export const presets: readonly { readonly name: string; readonly settings: Partial<State> }[] = [
  { name: "Fig. 6: utilization, BERT 256K", settings: { panel: "cost", seq: 262144 } },
  { name: "Fig. 7: the 2D array's cycles, BERT 1M", settings: { panel: "cost", seq: 1048576 } },
  { name: "Fig. 8 and 9: attention, XLM 64K", settings: { panel: "cost", model: "xlm" } },
  { name: "Fig. 10 and 11: a whole layer, BERT 64K", settings: { panel: "cost", scope: "layer" } },
  {
    name: "Fig. 12: a quarter of the array, BERT 256K",
    settings: { panel: "cost", seq: 262144, rows: 128, columns: 128 },
  },
  {
    name: "Llama 3 8B, prefill of 8K",
    settings: { panel: "cost", model: "llama-3-8b", seq: 8192, batch: 1 },
  },
  {
    name: "Llama 3 8B, decode at 8K",
    settings: { panel: "cost", model: "llama-3-8b", phase: "decode", seq: 8192, batch: 16 },
  },
  {
    name: "Where FuseMax loses: short sequences, batch 1",
    settings: { panel: "cost", seq: 1024, batch: 1, accounting: "corrected" },
  },
];
