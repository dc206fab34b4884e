// Sums in fp32 over 16-bit operands: the product is exact, so the one rounding is that of the sum.
fn macOne(s: f32, a: f32, b: f32) -> f32 {
  return s + a * b;
}

fn roundA(x: f32) -> f32 {
  return x;
}

fn outside(x: f32) -> bool {
  return false;
}

fn expStep(p: f32, f: f32, c: f32) -> f32 {
  return pin(p * f) + c;
}
