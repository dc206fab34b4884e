// Four operands of each of eight rows, keys or columns: a vector for each of the first four, and for each of the others. A sum takes all
// four products before the next sum takes its own, so that it stays in a register meanwhile (bench/README.md).
// #import host: macFours
// #import shared/block: Block8
// #import shared/eight: Eight, Words8, evens, odds
alias Fours = array<mat4x4f, 2>;

fn fours(a: Eight, b: Eight, c: Eight, d: Eight) -> Fours {
  return Fours(transpose(mat4x4f(a[0], b[0], c[0], d[0])), transpose(mat4x4f(a[1], b[1], c[1], d[1])));
}

// Of two words that hold two operands each.
fn foursOf(one: Words8, other: Words8) -> Fours {
  return fours(evens(one), odds(one), evens(other), odds(other));
}

// s[i][j] plus the products of a[i] and b[j], in order.
fn outerFour(s: mat4x4f, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(macFours(s[0], a[0], b), macFours(s[1], a[1], b), macFours(s[2], a[2], b), macFours(s[3], a[3], b));
}

fn outerFours(s: Block8, a: Fours, b: Fours) -> Block8 {
  return Block8(
    outerFour(s.s00, a[0], b[0]),
    outerFour(s.s01, a[0], b[1]),
    outerFour(s.s10, a[1], b[0]),
    outerFour(s.s11, a[1], b[1]),
  );
}
