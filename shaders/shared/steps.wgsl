// Steps of a tensor core (block-sum.wgsl) for 8 keys or columns by 8 rows: number 2 i + j of an array is key or column i with rows 4 j
// to 4 j + 3. A step goes over its operands twice, for the largest exponent and for the terms.

var<private> stepSums: array<vec4f, 16>;
var<private> stepLargest: array<vec4i, 16>;
var<private> stepFactors: array<vec4f, 16>;
var<private> stepTotals: array<Halves, 16>;

// The largest powers of two of products, in registers.
fn largerPowers(t: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(max(t[0], a.x * b), max(t[1], a.y * b), max(t[2], a.z * b), max(t[3], a.w * b));
}

fn largerPowers8(t: Block8, a: Eight, b: Eight) -> Block8 {
  return Block8(
    largerPowers(t.s00, a[0], b[0]),
    largerPowers(t.s01, a[0], b[1]),
    largerPowers(t.s10, a[1], b[0]),
    largerPowers(t.s11, a[1], b[1]),
  );
}

fn powersOf(x: Eight, leastNormal: f32) -> Eight {
  return Eight(powerOf(x[0], leastNormal), powerOf(x[1], leastNormal));
}

// Sums of products that are cut to integers, in registers.
struct Terms4 {
  a: vec4i,
  b: vec4i,
  c: vec4i,
  d: vec4i,
}

struct Terms8 {
  t00: Terms4,
  t01: Terms4,
  t10: Terms4,
  t11: Terms4,
}

fn moreTerms(t: Terms4, a: vec4f, b: vec4f, factor: mat4x4f) -> Terms4 {
  return Terms4(
    t.a + vec4i(a.x * b * factor[0]),
    t.b + vec4i(a.y * b * factor[1]),
    t.c + vec4i(a.z * b * factor[2]),
    t.d + vec4i(a.w * b * factor[3]),
  );
}

fn moreTerms8(t: Terms8, a: Eight, b: Eight, factor: Block8) -> Terms8 {
  return Terms8(
    moreTerms(t.t00, a[0], b[0], factor.s00),
    moreTerms(t.t01, a[0], b[1], factor.s01),
    moreTerms(t.t10, a[1], b[0], factor.s10),
    moreTerms(t.t11, a[1], b[1], factor.s11),
  );
}

// Between the two: what products are times, and the sums so far as integers. `a` and `b` are the scales of the others and the rows.
fn startStep(powers: Block8, a: Eight, b: Eight) {
  var all = array<vec4f, 16>(
    powers.s00[0], powers.s01[0], powers.s00[1], powers.s01[1],
    powers.s00[2], powers.s01[2], powers.s00[3], powers.s01[3],
    powers.s10[0], powers.s11[0], powers.s10[1], powers.s11[1],
    powers.s10[2], powers.s11[2], powers.s10[3], powers.s11[3],
  );
  for (var i = 0u; i < 16u; i += 1u) {
    let scale = exponentIn(vec4f(a[i / 8u][i / 2u % 4u])) + exponentIn(b[i % 2u]) - vec4i(254);
    let largest = largestExponentOf(stepSums[i], all[i], scale);
    stepLargest[i] = largest;
    stepFactors[i] = cutFactor(largest, scale);
    stepTotals[i] = folded(Halves(), cutSum(stepSums[i], largest));
  }
}

fn factorsOf() -> Block8 {
  return Block8(
    mat4x4f(stepFactors[0], stepFactors[2], stepFactors[4], stepFactors[6]),
    mat4x4f(stepFactors[1], stepFactors[3], stepFactors[5], stepFactors[7]),
    mat4x4f(stepFactors[8], stepFactors[10], stepFactors[12], stepFactors[14]),
    mat4x4f(stepFactors[9], stepFactors[11], stepFactors[13], stepFactors[15]),
  );
}

// After each group of products whose integers a word still holds the sum of.
fn foldTerms(t: Terms8) {
  var all = array<vec4i, 16>(
    t.t00.a, t.t01.a, t.t00.b, t.t01.b, t.t00.c, t.t01.c, t.t00.d, t.t01.d,
    t.t10.a, t.t11.a, t.t10.b, t.t11.b, t.t10.c, t.t11.c, t.t10.d, t.t11.d,
  );
  for (var i = 0u; i < 16u; i += 1u) {
    stepTotals[i] = folded(stepTotals[i], all[i]);
  }
}

// The end of a step, for the rows that `seen` says.
fn endStep(seen: Words8) {
  for (var i = 0u; i < 16u; i += 1u) {
    stepSums[i] = select(stepSums[i], stepResult(stepTotals[i], stepLargest[i]), seen[i % 2u] != vec4u());
  }
}

const allRows = Words8(vec4u(1u), vec4u(1u));
const unscaled = Eight(vec4f(1.0), vec4f(1.0));

fn startSums(half: u32, goesOn: bool) {
  for (var i = 0u; i < 16u; i += 1u) {
    stepSums[i] = select(vec4f(), held[half * 8u + i / 2u][i % 2u], goesOn);
  }
}

fn holdSums(half: u32) {
  for (var i = 0u; i < 16u; i += 1u) {
    held[half * 8u + i / 2u][i % 2u] = stepSums[i];
  }
}
