// Terms of a step as two integers each, of which the first counts in steps of 2^12: products and sums so far, times their factors and 2^-12,
// cut toward zero. fp32 holds the sum of either.
// #import shared/block-sum: stepResult
const termStep = 0x1p-12f;

struct Terms {
  high: mat4x4f,
  low: mat4x4f,
}

fn moreTerms(t: Terms, a: vec4f, b: vec4f, factor: mat4x4f) -> Terms {
  let x0 = a.x * b * factor[0];
  let x1 = a.y * b * factor[1];
  let x2 = a.z * b * factor[2];
  let x3 = a.w * b * factor[3];
  let high = mat4x4f(trunc(x0), trunc(x1), trunc(x2), trunc(x3));
  return Terms(
    t.high + high,
    t.low + mat4x4f(lowOf(x0, high[0]), lowOf(x1, high[1]), lowOf(x2, high[2]), lowOf(x3, high[3])),
  );
}

fn lowOf(x: vec4f, high: vec4f) -> vec4f {
  return trunc((x - high) * 4096.0);
}

fn termSum(t: Terms, i: u32, top: vec4f) -> vec4f {
  return stepResult(t.high[i] * 4096.0, t.low[i], top);
}
