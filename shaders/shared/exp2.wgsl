// E2: the array's exponential (docs/numerics.md). `factor` is c = scale * log2 e; the polynomial and the limits come in the
// prelude.
// #import host: polynomial, roundA, roundToA, smallestCorrection, smallestExponent, smallestResult
// #import shared/barrier: pin
fn exponential(x: f32, factor: f32) -> f32 {
  return powerOfTwo(pin(x * factor));
}

// E2 as a function of t, which is at most 64.
fn powerOfTwo(t: f32) -> f32 {
  let n = floor(t);
  let p = polynomial(roundToA(t - n));
  // The low bits of 1.5 * 2^23 + n are n; moved up, they are added to the exponent of 1. Where t is smaller they are anything. The
  // product is exact, and 0 where the polynomial is.
  let scaled = p * bitcast<f32>(bitcast<u32>(n + 0x1.8p23f) * 0x800000u + 0x3f800000u);
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
