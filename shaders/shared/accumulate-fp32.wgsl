// Sums in fp32 over 16-bit operands: the product is exact, so the one rounding is that of the sum.
fn mac(s: vec4f, a: f32, b: vec4f) -> vec4f {
  return s + vec4f(a) * b;
}

fn roundA(x: vec4f) -> vec4f {
  return x;
}

fn outside(x: vec4f) -> vec4<bool> {
  return vec4<bool>();
}

fn expStep(p: vec4f, f: vec4f, c: f32) -> vec4f {
  return pin(p * f) + vec4f(c);
}
