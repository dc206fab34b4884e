// Any operands, one to a word.
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
