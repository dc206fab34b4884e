// Round fp32 to binary16, to nearest even, subnormals included; the result is held in fp32. Above 65504 it is not
// clipped, and what rounds to zero is +0.
fn roundFp16(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  let normal = (u + 0xfffu + min(u & 0x2000u, 1u)) & 0xffffe000u;
  // Below 2^-14 the steps are 2^-24, as those of fp32 are from 0.5 to 1. The sum is pinned, or it would be folded away.
  let subnormal = pin(x + 0.75) - 0.75;
  return select(bitcast<f32>(normal), subnormal, (u & 0x7fffffffu) < 0x38800000u);
}
