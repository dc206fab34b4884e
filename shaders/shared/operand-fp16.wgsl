// Operands of binary16, two to a word, as fp32 values. Subnormals go through integers: an fp32 unit may flush them.
const perWord = 2u;

fn even(words: vec4u) -> vec4f {
  return decoded(words & vec4u(0xffffu));
}

fn odd(words: vec4u) -> vec4f {
  return decoded(words >> vec4u(16u));
}

fn decoded(halves: vec4u) -> vec4f {
  let magnitude = halves & vec4u(0x7fffu);
  let sign = (halves & vec4u(0x8000u)) << vec4u(16u);
  let normal = (magnitude << vec4u(13u)) + 0x38000000u;
  let subnormal = bitcast<vec4u>(vec4f(magnitude) * vec4f(0x1p-24f));
  return bitcast<vec4f>(sign | select(normal, subnormal, magnitude < vec4u(0x400u)));
}

fn encoded(x: vec4f) -> vec4u {
  let u = bitcast<vec4u>(x);
  let magnitude = u & vec4u(0x7fffffffu);
  let normal = (magnitude - vec4u(0x38000000u)) >> vec4u(13u);
  let subnormal = vec4u(bitcast<vec4f>(magnitude) * vec4f(0x1p24f));
  return ((u >> vec4u(16u)) & vec4u(0x8000u)) | select(normal, subnormal, magnitude < vec4u(0x38800000u));
}

fn packed(evens: vec4f, odds: vec4f) -> vec4u {
  return encoded(evens) | (encoded(odds) << vec4u(16u));
}

// rO: round to nearest even; nothing but zero is below binary16's smallest subnormal.
fn roundOperand(x: vec4f) -> vec4f {
  return roundFp16(x);
}
