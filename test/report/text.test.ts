import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvText, parseCsv } from "../../src/io/csv.js";
import { textTable } from "../../src/report/table.js";
import { engineering, lengthLabel } from "../../src/report/units.js";

describe("CSV", () => {
  it("reads back what it writes, whatever the cells hold", () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('"', ",", "\n", "\r", 'a"b,c\r\nd', ""));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), rows => {
        const read = parseCsv(csvText({ columns: ["a", "b"], rows }));
        expect(read.columns).toEqual(["a", "b"]);
        expect(read.rows).toEqual(rows);
      }),
    );
  });
  it("reads a last line without its end, an empty last cell too", () => {
    expect(parseCsv("a,b\n1,2").rows).toEqual([["1", "2"]]);
    expect(parseCsv("a,b\n1,").rows).toEqual([["1", ""]]);
    expect(parseCsv("").columns).toEqual([""]);
  });
  it.each(['a,b\n"1"2,3', 'a,b\n1"2,3', 'a,b\n"1,3'])("refuses what is no CSV: %j", text => {
    expect(() => parseCsv(text)).toThrow(/^CSV line 2: got "/);
  });
  it("keeps every bit of a number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), x => {
        const [row] = parseCsv(csvText({ columns: ["x"], rows: [[x]] })).rows;
        expect(Number(row?.[0])).toBe(x === 0 ? 0 : x);
      }),
    );
  });
});

it("aligns numbers to the right and words to the left", () => {
  const text = textTable({
    columns: ["name", "cycles"],
    rows: [
      ["a", 5],
      ["long", 12345],
    ],
  });
  expect(text.split("\n")).toEqual(["name  cycles", "----  ------", "a          5", "long   12345"]);
});

it("writes units with decimal prefixes, lengths with binary ones", () => {
  expect([0.0012345, 1, 999.96, 123456789].map(v => engineering(v, "s"))).toEqual([
    "1.234 ms",
    "1.000 s",
    "1000 s",
    "123.5 Ms",
  ]);
  expect([1000, 1024, 3 * 2 ** 20, 2 ** 40].map(lengthLabel)).toEqual(["1000", "1K", "3M", "1T"]);
});

it("law: a power of a thousand is 1.000 of its prefix; what has no prefix is written with an exponent", () => {
  for (let power = -5; power <= 10; power += 1) expect(engineering(1000 ** power, "s")).toMatch(/^1\.000 \S?s$/);
  // A double below 1 is 1.000 too, not 1000 thousandths.
  expect(engineering(1 - 2 ** -53, "s")).toBe("1.000 s");
  expect(engineering(1.5e-20, "s")).toBe("1.500e-20 s");
  expect(engineering(1e33, "s")).toBe("1.000e+33 s");
});

it("aligns signed numbers, factors and missing values to the right too", () => {
  const rows = [
    ["-5", "x1.2", "-"],
    ["40", "x0.9", "7"],
  ];
  expect(
    textTable({ columns: ["number", "factor", "maybe"], rows })
      .split("\n")
      .slice(2),
  ).toEqual(["    -5    x1.2      -", "    40    x0.9      7"]);
});
