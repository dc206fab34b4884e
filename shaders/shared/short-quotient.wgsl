// a / b correctly rounded, where b has at most 12 bits of significand, and all magnitudes are from 2^-100 to 2^100, or a is 0.
// A quotient from fp32, some units off, is put right by its remainder, which is exact: each half of the quotient has 12 bits, so
// that its product with b has at most 24. The quotient is at least 2^-36 of itself off any value between two of fp32, and what
// the last product loses is less than 2^-42 of it.
// #import shared/barrier: pin
fn shortQuotient(a: f32, b: f32) -> f32 {
  let inverse = 1.0 / b;
  let q = pin(a * inverse);
  let high = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
  let rest = pin(a - pin(high * b)) - pin((q - high) * b);
  return q + pin(rest * inverse);
}
