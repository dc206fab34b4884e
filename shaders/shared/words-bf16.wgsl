// Operands that bfloat16 holds, two to a word. Left shifts are multiplications: SwiftShader shifts lane by lane.
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
