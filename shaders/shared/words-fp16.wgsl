// Operands that binary16 holds, two to a word, as fp32 values. Subnormals go through integers: an fp32 unit may flush
// them. Left shifts are multiplications: SwiftShader shifts lane by lane.
const perWord = 2u;

fn even(words: vec4u) -> vec4f {
  return decoded(words & vec4u(0x7fffu), (words & vec4u(0x8000u)) * 0x10000u);
}

fn odd(words: vec4u) -> vec4f {
  return decoded((words >> vec4u(16u)) & vec4u(0x7fffu), words & vec4u(0x80000000u));
}

fn decoded(magnitude: vec4u, sign: vec4u) -> vec4f {
  let normal = magnitude * 0x2000u + 0x38000000u;
  let subnormal = bitcast<vec4u>(vec4f(magnitude) * vec4f(0x1p-24f));
  return bitcast<vec4f>(sign | select(normal, subnormal, magnitude < vec4u(0x400u)));
}

fn encoded(x: f32) -> u32 {
  let u = bitcast<u32>(x);
  let magnitude = u & 0x7fffffffu;
  let normal = (magnitude - 0x38000000u) >> 13u;
  let subnormal = u32(bitcast<f32>(magnitude) * 0x1p24f);
  return ((u >> 16u) & 0x8000u) | select(normal, subnormal, magnitude < 0x38800000u);
}

fn packed(evenOperand: f32, oddOperand: f32) -> u32 {
  return encoded(evenOperand) | (encoded(oddOperand) * 0x10000u);
}
