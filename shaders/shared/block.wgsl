// A block of accumulators that stay in registers while operands stream by. Written component by component: a compiler
// that runs out of registers then keeps each product in one until it is added (bench/README.md).
// #import host: macOne
// #import shared/eight: Eight, Words8, evens, odds
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: perWord
fn mac(s: vec4f, a: f32, b: vec4f) -> vec4f {
  return vec4f(macOne(s.x, a, b.x), macOne(s.y, a, b.y), macOne(s.z, a, b.z), macOne(s.w, a, b.w));
}

// s[i][j] = rA(s[i][j] + a[i] * b[j]).
fn outer(s: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(mac(s[0], a.x, b), mac(s[1], a.y, b), mac(s[2], a.z, b), mac(s[3], a.w, b));
}

// Eight keys or columns by eight query rows: the first digit is 0 for keys or columns 0 to 3, the second for rows 0 to 3.
struct Block8 {
  s00: mat4x4f,
  s01: mat4x4f,
  s10: mat4x4f,
  s11: mat4x4f,
}

fn outer8(s: Block8, a: Eight, b: Eight) -> Block8 {
  return Block8(outer(s.s00, a[0], b[0]), outer(s.s01, a[0], b[1]), outer(s.s10, a[1], b[0]), outer(s.s11, a[1], b[1]));
}

// The operands of a word of each, in ascending order.
fn outerWord(s: Block8, a: Words8, b: Words8) -> Block8 {
  if (perWord == 1u) {
    return outer8(s, evens(a), evens(b));
  }
  return outer8(outer8(s, evens(a), evens(b)), odds(a), odds(b));
}
