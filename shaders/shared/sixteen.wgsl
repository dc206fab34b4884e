// Two blocks of accumulators, and the values that meet them: for attention-rows.wgsl and program.wgsl, with `values` of rows.wgsl.
// #import host: blocksAtOnce
// #import shared/block: Block8
// #import shared/eight: Eight, Words8, evens, odds
// #import shared/fours: Fours, outerFours
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord

// 16 keys or columns by 8 rows, or only the first 8.
struct Sixteen {
  first: Block8,
  second: Block8,
}

// Accumulators on their way between registers and memory.
var<private> held: array<Eight, 16>;

fn hold(s: Sixteen) {
  let a = s.first;
  held[0] = Eight(a.s00[0], a.s01[0]);
  held[1] = Eight(a.s00[1], a.s01[1]);
  held[2] = Eight(a.s00[2], a.s01[2]);
  held[3] = Eight(a.s00[3], a.s01[3]);
  held[4] = Eight(a.s10[0], a.s11[0]);
  held[5] = Eight(a.s10[1], a.s11[1]);
  held[6] = Eight(a.s10[2], a.s11[2]);
  held[7] = Eight(a.s10[3], a.s11[3]);
  let b = s.second;
  held[8] = Eight(b.s00[0], b.s01[0]);
  held[9] = Eight(b.s00[1], b.s01[1]);
  held[10] = Eight(b.s00[2], b.s01[2]);
  held[11] = Eight(b.s00[3], b.s01[3]);
  held[12] = Eight(b.s10[0], b.s11[0]);
  held[13] = Eight(b.s10[1], b.s11[1]);
  held[14] = Eight(b.s10[2], b.s11[2]);
  held[15] = Eight(b.s10[3], b.s11[3]);
}

fn heldSixteen() -> Sixteen {
  let a00 = mat4x4f(held[0][0], held[1][0], held[2][0], held[3][0]);
  let a01 = mat4x4f(held[0][1], held[1][1], held[2][1], held[3][1]);
  let a10 = mat4x4f(held[4][0], held[5][0], held[6][0], held[7][0]);
  let a11 = mat4x4f(held[4][1], held[5][1], held[6][1], held[7][1]);
  let b00 = mat4x4f(held[8][0], held[9][0], held[10][0], held[11][0]);
  let b01 = mat4x4f(held[8][1], held[9][1], held[10][1], held[11][1]);
  let b10 = mat4x4f(held[12][0], held[13][0], held[14][0], held[15][0]);
  let b11 = mat4x4f(held[12][1], held[13][1], held[14][1], held[15][1]);
  return Sixteen(Block8(a00, a01, a10, a11), Block8(b00, b01, b10, b11));
}

// Eights of weights on a page of the scratch: a word of them holds one or two keys.
const pageWeights = 8u / perWord;

// Four keys' columns times their weights.
fn addFourKeys(s: Sixteen, columns: array<Fours, 2>, weights: Fours) -> Sixteen {
  let first = outerFours(s.first, columns[0], weights);
  if (blocksAtOnce == 1u) {
    return Sixteen(first, s.second);
  }
  return Sixteen(first, outerFours(s.second, columns[1], weights));
}

// The columns of a key's words that the first block of accumulators takes. Where words hold two columns, the odd ones are those of
// the second; if there is no second, of another call.
fn firstColumns(words: Words8, odd8: bool) -> Eight {
  let a = evens(words);
  if (blocksAtOnce == 2u || perWord == 1u) {
    return a;
  }
  let b = odds(words);
  return Eight(select(a[0], b[0], odd8), select(a[1], b[1], odd8));
}
