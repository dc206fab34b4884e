// Operands of bfloat16, two to a word. Left shifts are multiplications: SwiftShader shifts lane by lane.
const perWord = 2u;

fn even(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words * 0x10000u);
}

fn odd(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words & vec4u(0xffff0000u));
}

fn packed(evenOperand: f32, oddOperand: f32) -> u32 {
  return (bitcast<u32>(evenOperand) >> 16u) | bitcast<u32>(oddOperand);
}

// rO of a value >= 0: round to nearest even, then below 2^-50 gives +0.
fn roundOperand(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  let rounded = (u + 0x7fffu + min(u & 0x10000u, 1u)) & 0xffff0000u;
  return bitcast<f32>(select(rounded, 0u, rounded < 0x26800000u));
}
