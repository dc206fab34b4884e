// Steps of a tensor core for products that fp32 does not hold, and for more bits than a word has: a term is an integer of 64 bits,
// (high, low) in two's complement. One sum at a time, with the exponents of block-sum.wgsl.
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
  let down = u32(clamp(46 - dotAlign + largest + 127 - exponentOfOne(a) - exponentOfOne(b) - scale, 0, 63));
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
  return cutToFp32(vec4u(leading.x), vec4i(largest - dotAlign + 63 - i32(leading.z)), vec4<bool>(negative)).x;
}
