// Operands of fp32, one to a word.
const perWord = 1u;

fn even(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words);
}

fn odd(words: vec4u) -> vec4f {
  return vec4f();
}

fn packed(evens: vec4f, odds: vec4f) -> vec4u {
  return bitcast<vec4u>(evens);
}

// rO of a value >= 0: below 2^-30 gives +0.
fn roundOperand(x: vec4f) -> vec4f {
  return select(x, vec4f(), x < vec4f(0x1p-30f));
}
