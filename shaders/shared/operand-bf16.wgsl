// Operands of bfloat16, two to a word.
const perWord = 2u;

fn even(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words << vec4u(16u));
}

fn odd(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words & vec4u(0xffff0000u));
}

fn packed(evens: vec4f, odds: vec4f) -> vec4u {
  return (bitcast<vec4u>(evens) >> vec4u(16u)) | bitcast<vec4u>(odds);
}

// rO of a value >= 0: round to nearest even, then below 2^-50 gives +0.
fn roundOperand(x: vec4f) -> vec4f {
  let u = bitcast<vec4u>(x);
  let rounded = (u + 0x7fffu + ((u >> vec4u(16u)) & vec4u(1u))) & vec4u(0xffff0000u);
  return bitcast<vec4f>(select(rounded, vec4u(), rounded < vec4u(0x26800000u)));
}
