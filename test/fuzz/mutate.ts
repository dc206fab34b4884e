import type { Random } from "./random.js";

/** Values that headers and formulas break at. */
const edges = [0, 1, -1, 2 ** 15, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 63, 1e12, 1e300];

/** Changes some bytes: flips, cuts, copies, edges in the place of numbers. */
export function mutateBytes(random: Random, original: Uint8Array): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let n = 1 + random.below(4); n > 0; n -= 1) {
    // Headers are first, and the directory of an archive last.
    const near = random.pick([bytes.length, Math.min(bytes.length, 160), Math.min(bytes.length, 16)]);
    const at = random.once(3) ? Math.max(0, bytes.length - 1 - random.below(near)) : random.below(near);
    switch (random.below(7)) {
      case 0:
        if (bytes.length > 0) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        if (bytes.length > 0)
          bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x1b, 0x22, 0x27, 0x28, 0x5b, 0x7b]);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + random.below(20)));
        break;
      case 4:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at, at + random.below(40)), bytes.subarray(at));
        break;
      case 5: {
        const value = random.pick(edges);
        const wide = random.pick([2, 4, 8]);
        for (let i = 0; i < wide && at + i < bytes.length; i += 1)
          bytes[at + i] = Math.floor(Math.abs(value) / 256 ** i) & 255;
        break;
      }
      default:
        bytes = joined(
          bytes.subarray(0, at),
          new Uint8Array(random.pick([1, 2, 100, 70_000])).fill(random.below(256)),
          bytes.subarray(at),
        );
    }
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const numbers = [
  "0",
  "-1",
  "1",
  "2",
  "3.5",
  "1e9",
  "1e12",
  "1e300",
  "1e400",
  "-1e300",
  "4294967296",
  "9007199254740993",
  "NaN",
  ".inf",
  "0x10",
  "1e-300",
  "",
];
const pieces = [
  "\n",
  "\t",
  " ",
  "\u001b[2J",
  "\u202e",
  "\u0000",
  "\ufeff",
  "é",
  "漢",
  "\u{1f600}",
  "\ud800",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  ",",
  ":",
  "::",
  "=",
  "+",
  "-",
  "*",
  "/",
  "^",
  "&",
  "*a",
  "&a ",
  "<<: ",
  "!x ",
  "#",
  "|",
  ">",
  "'",
  '"',
  "\\",
  "%",
  "@",
  "until",
  "inf",
  "exp(",
];

/** Changes a text: characters, numbers, lines, repetitions; `words` are those of its language. */
export function mutateText(random: Random, original: string, words: readonly string[] = []): string {
  let text = original;
  for (let n = 1 + random.below(4); n > 0; n -= 1) {
    const at = random.below(text.length + 1);
    const cut = (length: number, put: string): void => {
      text = text.slice(0, at) + put + text.slice(at + length);
    };
    switch (random.below(9)) {
      case 0:
        cut(0, random.pick(pieces));
        break;
      case 1:
        cut(1 + random.below(3), random.pick(pieces));
        break;
      case 2:
        cut(random.below(60), "");
        break;
      case 3:
        cut(0, text.slice(at, at + random.below(120)));
        break;
      case 4:
        text = replaceOne(random, text, /\d+(?:\.\d+)?/g, random.pick(numbers));
        break;
      case 5:
        text = replaceOne(random, text, /[A-Za-z]\w*/g, random.pick(words.length === 0 ? pieces : words));
        break;
      case 6: {
        const lines = text.split("\n");
        const from = random.below(lines.length);
        const [moved = ""] = lines.splice(from, 1);
        if (!random.once(3)) lines.splice(random.below(lines.length + 1), 0, moved, ...(random.once(2) ? [moved] : []));
        text = lines.join("\n");
        break;
      }
      case 7:
        // Rarely: most inputs are to get past the limits on lengths.
        if (random.once(4))
          cut(0, random.pick([...pieces, "a: ", "- ", "(1+", "x"]).repeat(random.pick([10, 300, 20_000])));
        break;
      default:
        cut(0, random.pick(words.length === 0 ? pieces : words));
    }
  }
  return text;
}

function replaceOne(random: Random, text: string, pattern: RegExp, by: string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const { 0: old, index } = random.pick(found);
  return text.slice(0, index) + by + text.slice(index + old.length);
}
