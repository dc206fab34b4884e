// Steps of a tensor core (block-sum.wgsl) for 8 keys or columns by 8 rows, in blocks of four keys or columns by four rows. A step goes over
// its operands twice, for the largest exponent and for the terms. All of it is written out: SwiftShader finds an element of an array lane by
// lane.
// #import shared/block: Block8
// #import shared/block-sum: cutFactor, larger, powerOf, topOf
// #import shared/eight: Eight, Words8
// #import shared/terms-split | shared/terms-whole: Terms, moreTerms, termSum

// The largest powers of two of products.
fn largerPowers(t: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(larger(t[0], a.x * b), larger(t[1], a.y * b), larger(t[2], a.z * b), larger(t[3], a.w * b));
}

fn largerPowers8(t: Block8, a: Eight, b: Eight) -> Block8 {
  return Block8(
    largerPowers(t.s00, a[0], b[0]),
    largerPowers(t.s01, a[0], b[1]),
    largerPowers(t.s10, a[1], b[0]),
    largerPowers(t.s11, a[1], b[1]),
  );
}

fn powersOf(x: Eight, leastPower: f32) -> Eight {
  return Eight(powerOf(x[0], leastPower), powerOf(x[1], leastPower));
}

struct Terms8 {
  t00: Terms,
  t01: Terms,
  t10: Terms,
  t11: Terms,
}

fn moreTerms8(t: Terms8, a: Eight, b: Eight, factor: Block8) -> Terms8 {
  return Terms8(
    moreTerms(t.t00, a[0], b[0], factor.s00),
    moreTerms(t.t01, a[0], b[1], factor.s01),
    moreTerms(t.t10, a[1], b[0], factor.s10),
    moreTerms(t.t11, a[1], b[1], factor.s11),
  );
}

// Scales of keys or columns times those of rows.
fn outerOf(a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(a.x * b, a.y * b, a.z * b, a.w * b);
}

fn outerOf8(a: Eight, b: Eight) -> Block8 {
  return Block8(outerOf(a[0], b[0]), outerOf(a[0], b[1]), outerOf(a[1], b[0]), outerOf(a[1], b[1]));
}

fn topsOf(s: mat4x4f, power: mat4x4f, scale: mat4x4f) -> mat4x4f {
  return mat4x4f(
    topOf(s[0], power[0], scale[0]),
    topOf(s[1], power[1], scale[1]),
    topOf(s[2], power[2], scale[2]),
    topOf(s[3], power[3], scale[3]),
  );
}

fn topsOf8(s: Block8, power: Block8, scale: Block8) -> Block8 {
  return Block8(
    topsOf(s.s00, power.s00, scale.s00),
    topsOf(s.s01, power.s01, scale.s01),
    topsOf(s.s10, power.s10, scale.s10),
    topsOf(s.s11, power.s11, scale.s11),
  );
}

// Of a step whose products are all zeros 0: the scales could take it out of fp32's range.
fn factorsOf(top: mat4x4f, scale: mat4x4f, power: mat4x4f) -> mat4x4f {
  return mat4x4f(
    select(cutFactor(top[0]) * scale[0], vec4f(), power[0] == vec4f()),
    select(cutFactor(top[1]) * scale[1], vec4f(), power[1] == vec4f()),
    select(cutFactor(top[2]) * scale[2], vec4f(), power[2] == vec4f()),
    select(cutFactor(top[3]) * scale[3], vec4f(), power[3] == vec4f()),
  );
}

fn factorsOf8(top: Block8, scale: Block8, power: Block8) -> Block8 {
  return Block8(
    factorsOf(top.s00, scale.s00, power.s00),
    factorsOf(top.s01, scale.s01, power.s01),
    factorsOf(top.s10, scale.s10, power.s10),
    factorsOf(top.s11, scale.s11, power.s11),
  );
}

// The sums so far, as terms: 1 times each.
fn sumTerms(s: mat4x4f, top: mat4x4f) -> Terms {
  let factor = mat4x4f(
    s[0] * cutFactor(top[0]),
    s[1] * cutFactor(top[1]),
    s[2] * cutFactor(top[2]),
    s[3] * cutFactor(top[3]),
  );
  return moreTerms(Terms(), vec4f(1.0), vec4f(1.0), factor);
}

fn sumTerms8(s: Block8, top: Block8) -> Terms8 {
  return Terms8(
    sumTerms(s.s00, top.s00),
    sumTerms(s.s01, top.s01),
    sumTerms(s.s10, top.s10),
    sumTerms(s.s11, top.s11),
  );
}

// The end of a step, for the rows that `seen` says.
fn ended(s: mat4x4f, t: Terms, top: mat4x4f, seen: vec4<bool>) -> mat4x4f {
  return mat4x4f(
    select(s[0], termSum(t, 0u, top[0]), seen),
    select(s[1], termSum(t, 1u, top[1]), seen),
    select(s[2], termSum(t, 2u, top[2]), seen),
    select(s[3], termSum(t, 3u, top[3]), seen),
  );
}

fn ended8(s: Block8, t: Terms8, top: Block8, seen: Words8) -> Block8 {
  let first = seen[0] != vec4u();
  let second = seen[1] != vec4u();
  return Block8(
    ended(s.s00, t.t00, top.s00, first),
    ended(s.s01, t.t01, top.s01, second),
    ended(s.s10, t.t10, top.s10, first),
    ended(s.s11, t.t11, top.s11, second),
  );
}

const allRows = Words8(vec4u(1u), vec4u(1u));
const unscaled = Eight(vec4f(1.0), vec4f(1.0));
