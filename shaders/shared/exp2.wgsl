// E2(x), x <= 0: the array's exponential, six multiply-accumulates (docs/numerics.md). `factor` is c = scale * log2 e;
// c0 ... c5, rounded to A, come in the prelude.
fn exponential(x: vec4f, factor: f32) -> vec4f {
  let t = pin(x * vec4f(factor));
  let n = floor(t);
  let f = roundA(t - n);
  var p = vec4f(c5);
  p = expStep(p, f, c4);
  p = expStep(p, f, c3);
  p = expStep(p, f, c2);
  p = expStep(p, f, c1);
  p = expStep(p, f, c0);
  let scaled = bitcast<vec4f>(bitcast<vec4i>(p) + (vec4i(max(n, vec4f(-64.0))) << vec4u(23u)));
  return select(scaled, vec4f(), t < vec4f(-50.0));
}

// rP(E2(x)): a correction factor.
fn correction(x: vec4f, factor: f32) -> vec4f {
  let y = roundA(exponential(x, factor));
  return select(y, vec4f(), y < vec4f(0x1p-50f));
}

// z: below 2^-100 in magnitude gives +0.
fn flushTiny(x: vec4f) -> vec4f {
  return select(x, vec4f(), abs(x) < vec4f(0x1p-100f));
}
