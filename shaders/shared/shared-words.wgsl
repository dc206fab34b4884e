// Pages that all invocations of a workgroup read alike.
alias SharedPage = Page;

const pageStep = 1u;
const pagePlace = 0u;

fn startWords(lane: u32) {}

fn spread(words: Words8) -> Words8 {
  return words;
}
