// Sums in fp32 over fp32 operands: the product is rounded, then the sum; never fused.
fn mac(s: vec4f, a: f32, b: vec4f) -> vec4f {
  return s + pin(vec4f(a) * b);
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
