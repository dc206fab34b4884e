// A step of a tensor core's sum (docs/arithmetic.md; src/numerics/block-sum.ts): its products and the sum so far are cut toward
// zero at `dotAlign` bits below the largest exponent among them, added as integers, and the sum is cut toward zero.
//
// Four sums side by side, without shifts by amounts of their own, for which SwiftShader takes lane by lane. `top` is the largest power
// of two of a step, `scale` what its products are times: a power of two.
// #import host: dotAlign, dotResultMask, leastTop
// #import shared/barrier: pin4
// #import shared/terms-split | shared/terms-whole: termStep

// The larger of values that are 0 or more, by their bits: SwiftShader takes one instruction for it, and seven for fp32's maximum, which
// looks for NaNs.
fn larger(a: vec4f, b: vec4f) -> vec4f {
  return bitcast<vec4f>(max(bitcast<vec4i>(a), bitcast<vec4i>(b)));
}

// 2^exponent of operands, +0 of zeros. Subnormals of a type keep its least exponent, 2^which is `leastPower`; 0 where it has none.
fn powerOf(x: vec4f, leastPower: f32) -> vec4f {
  let power = bitcast<vec4f>(bitcast<vec4u>(x) & vec4u(0x7f800000u));
  if (leastPower == 0.0) {
    return power;
  }
  return select(larger(power, vec4f(leastPower)), vec4f(), power == vec4f());
}

// The largest power of two of a step, of its products' one; of zeros alone one below that of every product.
fn topOf(s: vec4f, power: vec4f, scale: vec4f) -> vec4f {
  let ofSum = bitcast<vec4f>(bitcast<vec4u>(s) & vec4u(0x7f800000u));
  return max(max(power * scale, ofSum), vec4f(leastTop));
}

// What a value is times before it is cut to an integer: 2^dotAlign / top, times the `termStep` of terms.
fn cutFactor(top: vec4f) -> vec4f {
  return bitcast<vec4f>(vec4u((254u + dotAlign) * 0x800000u) - bitcast<vec4u>(top)) * termStep;
}

// The end of a step: the sum a + b of two integers, of which one is small or a large multiple of the other's steps, cut toward zero to an
// fp32 value. What an addition loses says whether it went past the sum.
fn stepResult(a: vec4f, b: vec4f, top: vec4f) -> vec4f {
  let sum = pin4(a + b);
  let lost = b - pin4(sum - a);
  let past = sum * lost < vec4f();
  let cut = (bitcast<vec4u>(sum) - select(vec4u(), vec4u(1u), past)) & vec4u(dotResultMask);
  let unit = bitcast<vec4f>(bitcast<vec4u>(top) - vec4u(dotAlign * 0x800000u));
  return bitcast<vec4f>(cut) * unit;
}
