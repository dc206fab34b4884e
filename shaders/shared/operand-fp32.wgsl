// Operands of fp32, one to a word.
const perWord = 1u;

fn even(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words);
}

fn odd(words: vec4u) -> vec4f {
  return vec4f();
}

fn packed(evenOperand: f32, oddOperand: f32) -> u32 {
  return bitcast<u32>(evenOperand);
}

// rO of a value >= 0: below 2^-30 gives +0.
fn roundOperand(x: f32) -> f32 {
  return select(x, 0.0, x < 0x1p-30f);
}
