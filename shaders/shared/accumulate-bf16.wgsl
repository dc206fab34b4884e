// Sums in bfloat16 over bfloat16 operands: exact product, the sum rounded to fp32, then to bfloat16.
fn mac(s: vec4f, a: f32, b: vec4f) -> vec4f {
  return roundA(s + vec4f(a) * b);
}

fn roundA(x: vec4f) -> vec4f {
  let u = bitcast<vec4u>(x);
  return bitcast<vec4f>((u + 0x7fffu + ((u >> vec4u(16u)) & vec4u(1u))) & vec4u(0xffff0000u));
}

fn outside(x: vec4f) -> vec4<bool> {
  return vec4<bool>();
}

fn expStep(p: vec4f, f: vec4f, c: f32) -> vec4f {
  return roundA(p * f + vec4f(c));
}
