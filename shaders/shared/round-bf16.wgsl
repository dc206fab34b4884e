// Round fp32 to bfloat16, to nearest even; the result is held in fp32.
fn roundBf16(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  return bitcast<f32>((u + 0x7fffu + min(u & 0x10000u, 1u)) & 0xffff0000u);
}
