/**
 * One schema for a struct that the host writes and a shader reads: its WGSL declaration and its writer come from the
 * same list of members. Members are 4-byte scalars, so each is at 4 times its place (WGSL, "Structure member layout").
 */
export type ScalarType = "u32" | "f32";

export interface StructLayout<Member extends string> {
  readonly name: string;
  readonly members: Readonly<Record<Member, ScalarType>>;
  /** Bytes of one struct, also the stride in an array. */
  readonly byteSize: number;
  /** Byte offset of each member. */
  readonly offsets: Readonly<Record<Member, number>>;
  /** The declaration for a shader. */
  readonly wgsl: string;
  /** Writes one struct at `at` bytes. */
  write(view: DataView, at: number, values: Readonly<Record<Member, number>>): void;
}

export function structLayout<Member extends string>(
  name: string,
  members: Readonly<Record<Member, ScalarType>>,
): StructLayout<Member> {
  const names = Object.keys(members) as Member[];
  const offsets = Object.fromEntries(names.map((member, i) => [member, 4 * i])) as Record<Member, number>;
  const lines = names.map(member => `  ${member}: ${members[member]},\n`);
  return {
    name,
    members,
    byteSize: 4 * names.length,
    offsets,
    wgsl: `struct ${name} {\n${lines.join("")}}\n`,
    write(view, at, values) {
      for (const member of names) {
        if (members[member] === "f32") view.setFloat32(at + offsets[member], values[member], true);
        else view.setUint32(at + offsets[member], values[member], true);
      }
    },
  };
}

/** What every dispatch over tiles says: its blocks of rows, its keys, and the pages of K and V that are bound. */
const walkMembers = {
  /** First workgroup block of the dispatch. */
  blockBegin: "u32",
  /** Keys [keyBegin, keyEnd) are worked on: whole tiles, or a part of one. */
  keyBegin: "u32",
  keyEnd: "u32",
  /** The first key/value head and key that the bound part of K and V holds. */
  chunkKvHead: "u32",
  chunkKey: "u32",
  /** Pages from one key/value head to the next in that part. */
  keyStride: "u32",
  valueStride: "u32",
  /** Pages of 8 queries or keys, their scales included; of E operands alone; and of 8 values, their scales included. */
  keyPages: "u32",
  operandPages: "u32",
  valuePages: "u32",
  /** F, and blocks of 16 columns of F. */
  valueDim: "u32",
  valueBlocks: "u32",
  /** M: all keys. */
  keyCount: "u32",
  m0: "u32",
} as const;

/** What one dispatch of an attention kernel does. */
export const jobLayout = structLayout("Job", {
  ...walkMembers,
  /** Bit 0: scores (BQK, LM); bit 1: the rest of the tile. */
  phases: "u32",
  /** Pages of scratch for the scores of a tile. */
  tilePages: "u32",
  /** Where in the scratch the weights begin, in pages. */
  weightsAt: "u32",
  /** Where in the sums the partial SLNV begins, in eights of words: the size of RNV. */
  partsAt: "u32",
  /** Eights of words that a dump has of eight slots (shaders/shared/dump.wgsl). */
  dumpEights: "u32",
  /** c = RNE32(scale * log2 e). */
  factor: "f32",
});

/** A block of query rows that one workgroup owns: rows of one kv head. */
export const blockLayout = structLayout("Block", {
  /** b * kvHeads + the key/value head. */
  kvHead: "u32",
  /** Tiles [tileBegin, tileEnd) hold a key that some row of the block sees. */
  tileBegin: "u32",
  tileEnd: "u32",
  /** The first key of the rows' sequence. */
  firstKey: "u32",
});

/** What one dispatch of the self-test's operations does. */
export const operationBatchLayout = structLayout("OperationBatch", {
  op: "u32",
  count: "u32",
  /** For `mac`: how many operands make one result. */
  chain: "u32",
});

/** What one dispatch of shaders/pack.wgsl does. */
export const packBatchLayout = structLayout("PackBatch", {
  /** Eights of rows. */
  eights: "u32",
  /** Operands of a row of the source. */
  width: "u32",
  /** Pages of an eight of rows, from one eight to the next, and before the first. */
  pages: "u32",
  stride: "u32",
  before: "u32",
});

/** What one dispatch of a printed program does (shaders/program.wgsl, shaders/collect.wgsl). */
export const programJobLayout = structLayout("ProgramJob", {
  ...walkMembers,
  /** 1: the steps after a pass's last tile, on no keys. */
  atEnd: "u32",
  /** E. */
  headDim: "u32",
  /** Eights of slots. */
  slotBlocks: "u32",
  /** Fields of the state of a slot, and how many tiles the keys have. */
  stateFields: "u32",
  tiles: "u32",
  /** Pages of a tile's keys and of all keys for an eight of slots, and for all of them. */
  tilePages: "u32",
  wholePages: "u32",
  tileStride: "u32",
  wholeStride: "u32",
  /** The vector that is AV. */
  outputVector: "u32",
  /** Where, behind the windows and in words, the bits of masks and the addends of scores begin, and how many a slot has. */
  maskAt: "u32",
  maskWords: "u32",
  biasAt: "u32",
  biasWords: "u32",
  /** c = RNE32(scale * log2 e). */
  factor: "f32",
});
