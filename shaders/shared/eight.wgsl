// Eight query rows, keys or columns are together in every buffer, and eight such eights make a page
// (src/emulator/webgpu/pack.ts).
// #import shared/words-bf16 | shared/words-fp16 | shared/words-fp32: even, odd
alias Eight = array<vec4f, 2>;
alias Words8 = array<vec4u, 2>;
alias Page = array<Words8, 8>;

fn evens(words: Words8) -> Eight {
  return Eight(even(words[0]), even(words[1]));
}

fn odds(words: Words8) -> Eight {
  return Eight(odd(words[0]), odd(words[1]));
}

// Words that hold one fp32 value each.
fn floats(words: Words8) -> Eight {
  return Eight(bitcast<vec4f>(words[0]), bitcast<vec4f>(words[1]));
}

fn keptIf(kept: bool, x: Eight) -> Eight {
  return Eight(select(vec4f(), x[0], kept), select(vec4f(), x[1], kept));
}
