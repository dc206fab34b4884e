// Pages that all invocations of a workgroup read alike: each invocation of a quad reads two words of eight and hands
// them on. An adapter that loads word by word for each invocation, as SwiftShader does, has a quarter of the loads.
// #import shared/eight: Words8
// #import shared/rows: keys, values
alias SharedPage = array<vec2u, 32>;

const pageStep = 4u;
var<private> pagePlace: u32;

fn startWords(lane: u32) {
  pagePlace = lane % 4u;
}

fn spread(words: vec2u) -> Words8 {
  let a = quadBroadcast(words, 0u);
  let b = quadBroadcast(words, 1u);
  let c = quadBroadcast(words, 2u);
  let d = quadBroadcast(words, 3u);
  return Words8(vec4u(a, b), vec4u(c, d));
}

// Word `word` of row, key or column i on a page.
fn keyWord(page: u32, word: u32, i: u32) -> u32 {
  return keys[page][word * 4u + i / 2u][i % 2u];
}

fn valueWord(page: u32, word: u32, i: u32) -> u32 {
  return values[page][word * 4u + i / 2u][i % 2u];
}
