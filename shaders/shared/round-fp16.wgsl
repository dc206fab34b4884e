// Round fp32 to binary16, to nearest even, subnormals included; the result is held in fp32, and -0 becomes +0 where
// a value rounds to zero. Above 65504 it is not clipped.
fn roundFp16(x: vec4f) -> vec4f {
  let u = bitcast<vec4u>(x);
  let magnitude = u & vec4u(0x7fffffffu);
  let normal = (u + 0xfffu + ((u >> vec4u(13u)) & vec4u(1u))) & vec4u(0xffffe000u);
  // Below 2^-14 the steps are 2^-24: count them exactly, then round the count.
  let steps = x * vec4f(0x1p24f);
  let whole = floor(steps);
  let rest = steps - whole;
  let isOdd = floor(whole * vec4f(0.5)) * vec4f(2.0) != whole;
  let up = (rest > vec4f(0.5)) | ((rest == vec4f(0.5)) & isOdd);
  let subnormal = (whole + select(vec4f(), vec4f(1.0), up)) * vec4f(0x1p-24f);
  return select(bitcast<vec4f>(normal), subnormal, magnitude < vec4u(0x38800000u));
}
