// A step of a tensor core's sum (docs/arithmetic.md; src/numerics/block-sum.ts): its products and the sum so far are cut toward
// zero at `dotAlign` bits below the largest exponent among them, added as integers, and the sum is cut toward zero.
//
// Four sums side by side. Exponents are as fp32 holds them, 127 for 1; `scale` is the one of the scales of a step's products, 0
// without.

// Below every exponent: of a zero.
const noExponent = -1000;

// 2^exponent of operands, +0 of zeros. Subnormals keep their type's least exponent.
fn powerOf(x: vec4f, leastNormal: f32) -> vec4f {
  let power = bitcast<vec4f>(bitcast<vec4u>(x) & vec4u(0x7f800000u));
  return select(max(power, vec4f(leastNormal)), vec4f(), x == vec4f());
}

fn exponentIn(x: vec4f) -> vec4i {
  return vec4i((bitcast<vec4u>(x) >> vec4u(23u)) & vec4u(0xffu));
}

// The largest exponent of a step. `power`: the largest power of two of its products.
fn largestExponentOf(s: vec4f, power: vec4f, scale: vec4i) -> vec4i {
  let ofProducts = select(exponentIn(power) + scale, vec4i(noExponent), power == vec4f());
  return max(ofProducts, select(exponentIn(s), vec4i(noExponent), s == vec4f()));
}

// What a product is times before it is cut to an integer.
fn cutFactor(largest: vec4i, scale: vec4i) -> vec4f {
  let exponent = vec4i(254 + dotAlign) - largest + scale;
  return bitcast<vec4f>(vec4u(clamp(exponent, vec4i(), vec4i(254))) * vec4u(0x800000u));
}

// The sum so far, cut to an integer.
fn cutSum(s: vec4f, largest: vec4i) -> vec4i {
  let up = vec4i(127 + dotAlign) - largest;
  let cut = vec4i(bitcast<vec4f>(bitcast<vec4u>(s) + vec4u(up) * vec4u(0x800000u)));
  return select(cut, vec4i(), (s == vec4f()) | (exponentIn(s) + up < vec4i(127)));
}

// Sums of integers: high halves, and low ones of 16 bits, which together say the number.
struct Halves {
  high: vec4i,
  low: vec4i,
}

fn folded(sum: Halves, term: vec4i) -> Halves {
  return Halves(sum.high + (term >> vec4u(16u)), sum.low + (term & vec4i(0xffff)));
}

// The end of a step: an integer cut toward zero to an fp32 value.
fn stepResult(sum: Halves, largest: vec4i) -> vec4f {
  let high = sum.high + (sum.low >> vec4u(16u));
  let low = sum.low & vec4i(0xffff);
  let negative = high < vec4i();
  let magnitudeLow = vec4u(select(low, (vec4i(0x10000) - low) & vec4i(0xffff), negative));
  let magnitudeHigh = vec4u(select(high, -high - min(low, vec4i(1)), negative));
  let whole = magnitudeHigh == vec4u();
  let word = select(magnitudeHigh, magnitudeLow, whole);
  let n = countLeadingZeros(word) & vec4u(31u);
  let leading = (word << n) | select((magnitudeLow * vec4u(0x8000u)) >> (vec4u(31u) - n), vec4u(), whole);
  let exponent = largest + vec4i(31 - dotAlign) - vec4i(n) + select(vec4i(16), vec4i(), whole);
  return cutToFp32(leading, exponent, negative);
}

// Significands whose leading bit is the top one of a word, cut to the bits that a result has.
fn cutToFp32(leading: vec4u, exponent: vec4i, negative: vec4<bool>) -> vec4f {
  let significand = (leading >> vec4u(8u)) & vec4u(dotResultBits);
  let bits = vec4u(max(exponent - vec4i(1), vec4i())) * vec4u(0x800000u) + significand;
  let value = bitcast<vec4f>(select(bits, bits | vec4u(0x80000000u), negative));
  return select(value, vec4f(), (exponent < vec4i(1)) | (leading == vec4u()));
}
