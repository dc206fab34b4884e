import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { processorSeconds } from "../../bench/processor-time.js";
import { SpecError } from "../../src/errors.js";
import { readYaml, yamlLimits } from "../../src/spec/yaml.js";

const read = (text: string): unknown => readYaml("f.yaml", text).data;
const many = (n: number, line: (i: number) => string, between = "\n"): string =>
  Array.from({ length: n }, (_, i) => line(i)).join(between);

describe("a YAML text", () => {
  it.each([
    ["a: 1\nb: [x, true, null, 1.5, 0x10]", { a: 1, b: ["x", true, null, 1.5, 16] }],
    ["a: &a {x: 1}\nb: *a", { a: { x: 1 }, b: { x: 1 } }],
    ["b: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3", { b: { x: 1, y: 2 }, c: { x: 1, y: 3 } }],
    [
      "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc:\n  y: 0\n  <<: [*a, *b]",
      { a: { x: 1 }, b: { x: 2, z: 3 }, c: { y: 0, x: 1, z: 3 } },
    ],
    ["2d: 1\ntrue: 2\n3: 4", { "2d": 1, true: 2, 3: 4 }],
    ['a: "x\\ty"\nb: |\n  two\n  lines\n', { a: "x\ty", b: "two\nlines\n" }],
    ["!!map {a: !!str 5}", { a: "5" }],
    ["[.inf, -.INF, 1e308, 5e-324, 0e999, 0x0]", [Infinity, -Infinity, 1e308, 5e-324, 0, 0]],
    ["", null],
  ])("%j is read as the library reads it", (text, data) => {
    expect(read(text)).toEqual(data);
    expect(parse(text, { merge: true })).toEqual(data);
  });

  it.each([
    ["a: 1\nb: 2\na: 3", "3:1: got the key 'a' twice; expected each key once"],
    ["a: {x: 1, y: 2, x: 3}", "1:17: got the key 'x' twice"],
    ['1: a\n"1": b', "2:1: got the key '1' twice"],
    ["a: &a [1, *a]", "1:11: got the alias *a inside what it stands for; expected no circle of aliases"],
    ["a: &a {b: {c: *a}}", "1:15: got the alias *a inside what it stands for"],
    [
      "a: 1e999",
      "1:4: got the number 1e999; expected a number of 5e-324 to 1.8e308 in size, or 0; infinity is written .inf",
    ],
    ["a: [-1.5e400]", "1:5: got the number -1.5e400"],
    ["a: 1e-999", "1:4: got the number 1e-999"],
    ["a: *none", "1:4: got the alias *none of nothing; expected an anchor &none before it"],
    ["a: *late\nb: &late 1", "1:4: got the alias *late of nothing"],
    ["a: &", "1:4: got Anchor cannot be an empty string; expected YAML"],
    ["a: !secret x", "1:4: got Unresolved tag: !secret; expected YAML"],
    ["a: !!binary aGk=", "got the tag tag:yaml.org,2002:binary; expected values without tags"],
    ["!!set {a, b}", "1:7: got the tag tag:yaml.org,2002:set"],
    ["%YAML 1.1\n---\na: 2001-01-01", "3:4: got the value "],
    ["a: 1\n<<: 3", "2:5: got a merge of something that is no map; expected <<: *NAME"],
    ["a: &a 1\nb:\n  <<: [*a]", "3:8: got a merge of something that is no map"],
    ["<<: {a: 1}\n<<: {b: 1}", "2:1: got the key '<<' twice"],
    ["? {a: 1}\n: 2", "1:3: got a key that is no name"],
    ["? [a]\n: 2", "1:3: got a key that is no name"],
    ["__proto__: 1", "1:1: got the key '__proto__'"],
    ['"a\\nb": 1', "1:1: got the key 'a\\u000ab'; expected names as keys"],
    ['a: "\\e[31m red"', "1:4: got a text with a control character, \\u001b[31m red; expected text that shows"],
    ["a: x\u202ey", "1:4: got a text with a control character"],
    ["a: 1\n---\nb: 2", "2:1: got a second document; expected one"],
    ["a: [", "got Flow sequence in block collection must be"],
    [`a: ${"x".repeat(yamlLimits.characters)}`, `got ${yamlLimits.characters + 3} characters; expected at most`],
  ])("%j is refused with its own place", (text, message) => {
    expect(() => read(text)).toThrow(SpecError);
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(/^f\.yaml:\d+:\d+: got /);
  });
});

describe("the worst of texts is answered within two seconds", () => {
  const doubling = [
    "a0: &a0 [x, x]",
    ...Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
  ];
  const worst: Readonly<Record<string, string>> = {
    keys: many(24_000, i => `k${i}: 1`),
    "keys between braces": `{${many(24_000, i => `k${i}: 1`, ",")}}`,
    "aliases of aliases": doubling.join("\n"),
    "aliases of one": `k: &a 1\n${many(20_000, i => `k${i}: *a`)}`,
    "open brackets": "[".repeat(yamlLimits.characters),
    "brackets in one another": "[".repeat(900) + "]".repeat(900),
    braces: "{a: ".repeat(900),
    dashes: `${"- ".repeat(130_000)}x`,
    "question marks": `${"? ".repeat(130_000)}x`,
    colons: `${": ".repeat(130_000)}x`,
    indents: many(700, i => `${" ".repeat(i)}k:`),
    commas: `[${",".repeat(260_000)}]`,
    "faults in every line": "a: ]\n".repeat(52_000),
    directives: "%x\n".repeat(80_000),
    anchors: "a: &".repeat(60_000),
    documents: "---\n".repeat(60_000),
    "lines that hold nothing": "\n".repeat(260_000),
  };
  it.each(Object.entries(worst))("%s", (_, text) => {
    const began = process.cpuUsage();
    try {
      read(text);
    } catch (error) {
      expect(error).toBeInstanceOf(SpecError);
      expect((error as SpecError).message.length).toBeLessThan(1000);
    }
    // Two on a machine of its own, the collector included; more where others use its caches.
    expect(processorSeconds(began)).toBeLessThan(10);
  });

  it("and any text gives data or a SpecError", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      ":",
      " ",
      "\n",
      "- ",
      "? ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&x",
      "*x",
      "<<: ",
      "!!str",
      "!",
      "|",
      ">",
      "'",
      '"',
      "%",
      "#",
      "\t",
      "---\n",
      "  ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        try {
          JSON.stringify(read(pieces.join("")));
        } catch (error) {
          if (!(error instanceof SpecError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
