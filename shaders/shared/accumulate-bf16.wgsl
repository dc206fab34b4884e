// Sums in bfloat16 over bfloat16 operands: exact product, the sum rounded to fp32, then to bfloat16.
fn macOne(s: f32, a: f32, b: f32) -> f32 {
  return roundA(s + a * b);
}

fn roundA(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return bitcast<f32>((u + 0x7fffu + min(u & 0x10000u, 1u)) & 0xffff0000u);
}

fn outside(x: f32) -> bool {
  return false;
}

fn expStep(p: f32, f: f32, c: f32) -> f32 {
  return roundA(p * f + c);
}
