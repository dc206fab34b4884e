// Sums in binary16 over binary16 operands. A value above 65504 becomes 2^100 and stays there whatever is added, so
// that one look at the end of a chain finds it.
fn macOne(s: f32, a: f32, b: f32) -> f32 {
  return roundA(s + a * b);
}

fn roundA(x: f32) -> f32 {
  let rounded = roundFp16(x);
  return select(rounded, 0x1p100f, outside(rounded));
}

fn outside(x: f32) -> bool {
  return abs(x) > 65504.0;
}

fn expStep(p: f32, f: f32, c: f32) -> f32 {
  return roundFp16(p * f + c);
}
