// A barrier that optimizers cannot see through: xor with a zero that was read from a read_write buffer.
// It pins a rounding, so that a product is rounded before something is added to it (docs/numerics.md).
var<private> opaqueZero: u32;

fn pin(x: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(x) ^ vec4u(opaqueZero));
}
