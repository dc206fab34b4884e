// A step of a tensor core's sum (docs/arithmetic.md; src/numerics/block-sum.ts): its products and the sum so far are cut toward
// zero at `dotAlign` bits below the largest exponent among them, added as integers, and the sum is cut toward zero.
//
// Exponents are as fp32 holds them, 127 for 1; `scale` is the one of the scales of a step's products, 0 without.

// Below every exponent: of a zero.
const noExponent = -1000;

// 2^exponent of an operand, +0 of a zero. Subnormals keep their type's least exponent.
fn powerOf(x: f32, leastNormal: f32) -> f32 {
  return select(max(bitcast<f32>(bitcast<u32>(x) & 0x7f800000u), leastNormal), 0.0, x == 0.0);
}

fn exponentIn(x: f32) -> i32 {
  return i32((bitcast<u32>(x) >> 23u) & 0xffu);
}

// The largest exponent of a step. `power`: the largest power of two of its products.
fn largestExponentOf(s: f32, power: f32, scale: i32) -> i32 {
  let ofProducts = select(exponentIn(power) + scale, noExponent, power == 0.0);
  return max(ofProducts, select(exponentIn(s), noExponent, s == 0.0));
}

// What a product is times before it is cut to an integer.
fn cutFactor(largest: i32, scale: i32) -> f32 {
  let exponent = 254 + dotAlign - largest + scale;
  return bitcast<f32>(u32(clamp(exponent, 0, 254)) * 0x800000u);
}

// The sum so far, cut to an integer.
fn cutSum(s: f32, largest: i32) -> i32 {
  let shift = 127 + dotAlign - largest;
  let cut = i32(bitcast<f32>(bitcast<u32>(s) + u32(shift) * 0x800000u));
  return select(cut, 0, s == 0.0 || exponentIn(s) + shift < 127);
}

// Sums of integers: halves of high bits and of 16 low ones, which together say the number.
fn folded(sum: vec2i, term: i32) -> vec2i {
  return sum + vec2i(term >> 16u, term & 0xffff);
}

// The end of a step: an integer cut toward zero to an fp32 value.
fn stepResult(sum: vec2i, largest: i32) -> f32 {
  let high = sum.x + (sum.y >> 16u);
  let low = sum.y & 0xffff;
  let negative = high < 0;
  let magnitudeLow = u32(select(low, (0x10000 - low) & 0xffff, negative));
  let magnitudeHigh = u32(select(high, -high - min(low, 1), negative));
  let whole = magnitudeHigh == 0u;
  let word = select(magnitudeHigh, magnitudeLow, whole);
  let n = countLeadingZeros(word) & 31u;
  let leading = (word << n) | select((magnitudeLow * 0x8000u) >> (31u - n), 0u, whole);
  let exponent = largest - dotAlign + 31 - i32(n) + select(16, 0, whole);
  return cutToFp32(leading, exponent, negative);
}

// A significand whose leading bit is the top one of a word, cut to the bits that a result has.
fn cutToFp32(leading: u32, exponent: i32, negative: bool) -> f32 {
  let significand = (leading >> 8u) & dotResultBits;
  let bits = u32(max(exponent - 1, 0)) * 0x800000u + significand;
  let value = bitcast<f32>(select(bits, bits | 0x80000000u, negative));
  return select(value, 0.0, exponent < 1 || leading == 0u);
}

// The same for products that fp32 does not hold, and for more bits than a word has: a term is an integer of 64 bits, (high, low)
// in two's complement.
fn wideTerm(a: f32, b: f32, largest: i32, scale: i32) -> vec2u {
  let ua = bitcast<u32>(a);
  let ub = bitcast<u32>(b);
  let ma = (ua & 0x7fffffu) | 0x800000u;
  let mb = (ub & 0x7fffffu) | 0x800000u;
  let middle = (ma >> 12u) * (mb & 0xfffu) + (ma & 0xfffu) * (mb >> 12u);
  let below = (ma & 0xfffu) * (mb & 0xfffu) + (middle & 0xfffu) * 0x1000u;
  let above = (ma >> 12u) * (mb >> 12u) + (middle >> 12u) + (below >> 24u);
  // 48 bits, of which the last is 2^-46 of the exponents together.
  let product = vec2u(above >> 8u, above * 0x1000000u + (below & 0xffffffu));
  let down = u32(clamp(46 - dotAlign + largest + 127 - exponentIn(a) - exponentIn(b) - scale, 0, 63));
  let far = down >= 32u;
  let r = down & 31u;
  let high = select(product.x, 0u, far);
  let low = select(product.y, product.x, far);
  let cut = vec2u(high >> r, (low >> r) | ((high * 2u) << (31u - r)));
  let flip = select(0u, 0xffffffffu, ((ua ^ ub) & 0x80000000u) != 0u);
  let negated = (cut.y ^ flip) + (flip & 1u);
  let term = vec2u((cut.x ^ flip) + select(0u, 1u, flip != 0u && negated == 0u), negated);
  return select(term, vec2u(), a == 0.0 || b == 0.0);
}

fn wideSum(sum: vec2u, term: vec2u) -> vec2u {
  let low = sum.y + term.y;
  return vec2u(sum.x + term.x + select(0u, 1u, low < term.y), low);
}

fn wideResult(sum: vec2u, largest: i32) -> f32 {
  let negative = (sum.x & 0x80000000u) != 0u;
  let flip = select(0u, 0xffffffffu, negative);
  let low = (sum.y ^ flip) + (flip & 1u);
  let leading = justified(vec2u((sum.x ^ flip) + select(0u, 1u, negative && low == 0u), low));
  return cutToFp32(leading.x, largest - dotAlign + 63 - i32(leading.z), negative);
}
