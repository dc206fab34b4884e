// E2(x), x <= 0: the array's exponential, six multiply-accumulates (docs/numerics.md). `factor` is c = scale * log2 e;
// c0 ... c5, rounded to A, and the limits come in the prelude.
fn exponential(x: f32, factor: f32) -> f32 {
  let t = pin(x * factor);
  let n = floor(t);
  let f = roundA(t - n);
  var p = expStep(c5, f, c4);
  p = expStep(p, f, c3);
  p = expStep(p, f, c2);
  p = expStep(p, f, c1);
  p = expStep(p, f, c0);
  // The low bits of 1.5 * 2^23 + n are n; moved up, they are added to the exponent of p. Where t is smaller they are anything.
  let scaled = bitcast<f32>(bitcast<u32>(p) + bitcast<u32>(n + 0x1.8p23f) * 0x800000u);
  return select(scaled, 0.0, t < smallestExponent);
}

// rP(E2(x)): a correction factor.
fn correction(x: f32, factor: f32) -> f32 {
  let y = roundA(exponential(x, factor));
  return select(y, 0.0, y < smallestCorrection);
}

// z: a magnitude below the smallest result gives +0.
fn flushTiny(x: f32) -> f32 {
  return select(x, 0.0, abs(x) < smallestResult);
}
