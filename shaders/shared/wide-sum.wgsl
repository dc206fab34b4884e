// Steps of a tensor core for products that fp32 does not hold, and for more bits than a word has: a term is an integer of 64 bits,
// (high, low) in two's complement. One sum at a time. Exponents are as fp32
// holds them, 127 for 1.
// Below every exponent: of a zero.
// #import host: dotAlign, dotResultMask
const noExponent = -1000;

// The largest exponent of a step. `power`: the largest power of two of its products; `scale`: the exponent of their scales.
fn largestExponentOf(s: f32, power: f32, scale: i32) -> i32 {
  let ofProducts = select(exponentOfOne(power) + scale, noExponent, power == 0.0);
  return max(ofProducts, select(exponentOfOne(s), noExponent, s == 0.0));
}

// 2^exponent of an operand, as powerOf of block-sum.wgsl.
fn powerOfOne(x: f32, leastPower: f32) -> f32 {
  return select(max(bitcast<f32>(bitcast<u32>(x) & 0x7f800000u), leastPower), 0.0, x == 0.0);
}

// A significand whose leading bit is the top one of a word, cut to the bits that a result has.
fn cutToFp32(leading: u32, exponent: i32, negative: bool) -> f32 {
  let bits = u32(max(exponent - 1, 0)) * 0x800000u + (leading >> 8u);
  let value = bitcast<f32>(select(bits, bits | 0x80000000u, negative) & dotResultMask);
  return select(value, 0.0, exponent < 1 || leading == 0u);
}

fn exponentOfOne(x: f32) -> i32 {
  return i32((bitcast<u32>(x) >> 23u) & 0xffu);
}

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
  let down = u32(clamp(46 - i32(dotAlign) + largest + 127 - exponentOfOne(a) - exponentOfOne(b) - scale, 0, 63));
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
  return cutToFp32(leading.x, largest - i32(dotAlign) + 63 - i32(leading.z), negative);
}

// (high, low) with the first one that is set moved to the top, and how far: (high, low, shift).
fn justified(x: vec2u) -> vec3u {
  let whole = x.x == 0u;
  let high = select(x.x, x.y, whole);
  let low = select(x.y, 0u, whole);
  let n = countLeadingZeros(high);
  let moved = vec2u((high << (n & 31u)) | ((low >> 1u) >> (31u - (n & 31u))), low << (n & 31u));
  return vec3u(moved, n + select(0u, 32u, whole));
}
