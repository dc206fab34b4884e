// Sums of blocks, times their scales, on top of sums: s + u * (a * b), each product rounded. Where scales are powers of two the
// products are exact, and may fuse with the sum.
// #import host: exactScales
// #import shared/barrier: pin4
// #import shared/block: Block8
// #import shared/eight: Eight
fn scaledOne(s: vec4f, u: vec4f, scale: vec4f) -> vec4f {
  if (exactScales) {
    return s + u * scale;
  }
  return s + pin4(u * pin4(scale));
}

fn scaledOuter(s: mat4x4f, u: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(
    scaledOne(s[0], u[0], a.x * b),
    scaledOne(s[1], u[1], a.y * b),
    scaledOne(s[2], u[2], a.z * b),
    scaledOne(s[3], u[3], a.w * b),
  );
}

fn addScaled(s: Block8, u: Block8, a: Eight, b: Eight) -> Block8 {
  return Block8(
    scaledOuter(s.s00, u.s00, a[0], b[0]),
    scaledOuter(s.s01, u.s01, a[0], b[1]),
    scaledOuter(s.s10, u.s10, a[1], b[0]),
    scaledOuter(s.s11, u.s11, a[1], b[1]),
  );
}
