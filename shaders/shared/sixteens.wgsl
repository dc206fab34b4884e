// Sums of sixteen products from +0, each whole before the next: the blocks of nvfp4.
// Sixteen operands of each of eight rows, keys or columns: a matrix for each, four in a column of it.
// #import host: macSixteens
// #import shared/block: Block8
// #import shared/fours: Fours
alias Sixteens = array<array<mat4x4f, 4>, 2>;

fn sixteensOfFour(a: mat4x4f, b: mat4x4f, c: mat4x4f, d: mat4x4f) -> array<mat4x4f, 4> {
  return array<mat4x4f, 4>(
    mat4x4f(a[0], b[0], c[0], d[0]),
    mat4x4f(a[1], b[1], c[1], d[1]),
    mat4x4f(a[2], b[2], c[2], d[2]),
    mat4x4f(a[3], b[3], c[3], d[3]),
  );
}

fn sixteens(a: Fours, b: Fours, c: Fours, d: Fours) -> Sixteens {
  return Sixteens(sixteensOfFour(a[0], b[0], c[0], d[0]), sixteensOfFour(a[1], b[1], c[1], d[1]));
}

fn outer16(a: array<mat4x4f, 4>, b: array<mat4x4f, 4>) -> mat4x4f {
  let s = vec4f();
  return mat4x4f(macSixteens(s, a[0], b), macSixteens(s, a[1], b), macSixteens(s, a[2], b), macSixteens(s, a[3], b));
}

fn outerSixteens(a: Sixteens, b: Sixteens) -> Block8 {
  return Block8(outer16(a[0], b[0]), outer16(a[0], b[1]), outer16(a[1], b[0]), outer16(a[1], b[1]));
}
