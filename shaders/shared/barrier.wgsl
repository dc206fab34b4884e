// A barrier that optimizers cannot see through: xor with a zero that was read from a read_write buffer.
// It pins a rounding, so that a product is rounded before something is added to it (docs/numerics.md). Every kernel sets
// opaqueZero first: a private variable that nothing is stored to is a constant, and no barrier.
var<private> opaqueZero: u32;

fn pin(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ opaqueZero);
}

fn pin4(x: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(opaqueZero));
}
