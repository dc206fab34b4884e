// Sums in fp32 over fp32 operands: the product is rounded, then the sum; never fused.
fn macOne(s: f32, a: f32, b: f32) -> f32 {
  return s + pin(a * b);
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
