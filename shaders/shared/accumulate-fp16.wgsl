// Sums in binary16 over binary16 operands. A value above 65504 becomes 2^100 and stays there whatever is added, so
// that one look at the end of a chain finds it.
fn mac(s: vec4f, a: f32, b: vec4f) -> vec4f {
  return roundA(s + vec4f(a) * b);
}

fn roundA(x: vec4f) -> vec4f {
  let rounded = roundFp16(x);
  return select(rounded, vec4f(0x1p100f), outside(rounded));
}

fn outside(x: vec4f) -> vec4<bool> {
  return abs(x) > vec4f(65504.0);
}

fn expStep(p: vec4f, f: vec4f, c: f32) -> vec4f {
  return roundFp16(p * f + vec4f(c));
}
