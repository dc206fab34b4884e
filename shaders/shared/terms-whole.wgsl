// Terms of a step whose sum fp32 holds as an integer: products and sums so far, times their factors, cut toward zero.
// #import shared/block-sum: stepResult
const termStep = 1.0;

alias Terms = mat4x4f;

fn moreTerms(t: Terms, a: vec4f, b: vec4f, factor: mat4x4f) -> Terms {
  return Terms(
    t[0] + trunc(a.x * b * factor[0]),
    t[1] + trunc(a.y * b * factor[1]),
    t[2] + trunc(a.z * b * factor[2]),
    t[3] + trunc(a.w * b * factor[3]),
  );
}

fn termSum(t: Terms, i: u32, top: vec4f) -> vec4f {
  return stepResult(t[i], vec4f(), top);
}
