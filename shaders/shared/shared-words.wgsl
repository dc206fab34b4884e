// Pages that all invocations of a workgroup read alike.
// #import shared/eight: Page, Words8
// #import shared/rows: keys, values
alias SharedPage = Page;

const pageStep = 1u;
const pagePlace = 0u;

fn startWords(lane: u32) {}

fn spread(words: Words8) -> Words8 {
  return words;
}

// Word `word` of row, key or column i on a page.
fn keyWord(page: u32, word: u32, i: u32) -> u32 {
  return keys[page][word][i / 4u][i % 4u];
}

fn valueWord(page: u32, word: u32, i: u32) -> u32 {
  return values[page][word][i / 4u][i % 4u];
}
