import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberScale } from "../../src/report/axis.js";
import { chart } from "../../src/report/chart.js";
import type { Figure } from "../../src/report/figure.js";
import { heatMap } from "../../src/report/heat-map.js";

const heightOf = (svg: string): number => Number(/ height="([\d.]+)"/.exec(svg)?.[1]);

describe("a chart", () => {
  const bars = (groups: readonly string[]): Figure => ({
    title: "t",
    series: ["a", "b"],
    y: { label: "y" },
    panels: [{ kind: "bars", title: "p", groups, groupLabel: "g", values: [groups.map(() => 1), groups.map(() => 2)] }],
  });

  it("slants names that are wider than their bars, and gets higher by their height", () => {
    const names = (length: number): string[] => Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(length, "x"));
    const [short, long] = [chart(bars(names(3))), chart(bars(names(40)))];
    expect(short).not.toContain("rotate(-37)");
    expect(long.match(/rotate\(-37\)/g)).toHaveLength(12);
    // 40 characters of 11.5 pixels, each 0.58 as wide as high, rise by sin 37°.
    expect(heightOf(long) - heightOf(short)).toBeCloseTo(40 * 11.5 * 0.58 * Math.sin((37 * Math.PI) / 180), -1);
  });

  it("breaks a note that is wider than the figure, and loses no word of it", () => {
    const words = Array.from({ length: 40 }, (_, i) => `word${i}`);
    const [one, many] = ["short", words.join(" ")].map(note => chart({ ...bars(["g"]), note, width: 400 }));
    const lines = [...(many ?? "").matchAll(/font-size="12.5">(word[^<]*)</g)].map(([, line = ""]) => line);
    expect(lines.join(" ")).toBe(words.join(" "));
    for (const line of lines) expect(line.length * 12.5 * 0.51).toBeLessThanOrEqual(400 - 32);
    expect(heightOf(many ?? "") - heightOf(one ?? "")).toBe(17 * (lines.length - 1));
  });

  it("stands panels below each other where fewer are wanted in a row", () => {
    const panels = ["a", "b", "c", "d"].flatMap(title => bars([title]).panels.map(panel => ({ ...panel, title })));
    const [four, two] = [undefined, 2].map(perRow =>
      chart({ ...bars([]), panels, ...(perRow === undefined ? {} : { panelsPerRow: perRow }) }),
    ) as [string, string];
    const places = (svg: string): string[] =>
      [...svg.matchAll(/translate\(([\d.]+),([\d.]+)\)"><line/g)].map(m => m[0]);
    expect(new Set(places(four).map(place => place.split(",")[1])).size).toBe(1);
    expect(new Set(places(two).map(place => place.split(",")[1])).size).toBe(2);
    expect(new Set(places(two).map(place => place.split(",")[0])).size).toBe(2);
  });

  it("puts every mark's value into a tooltip", () => {
    const tooltips = [...chart(bars(["x", "y"])).matchAll(/<title>(.*?)<\/title>/g)].map(([, text]) => text);
    expect(tooltips).toEqual(["t", "a, p x: 1", "b, p x: 2", "a, p y: 1", "b, p y: 2"]);
  });
});

describe("a scale", () => {
  it.each(["linear", "log"] as const)("law: %s, it keeps order, and all values lie in the panel", scale => {
    const values = fc.array(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, list => {
        const at = numberScale({ label: "", scale }, list, [0, 100], 5);
        const sorted = [...list].sort((a, b) => a - b).map(at);
        for (const [i, place] of sorted.entries()) {
          // d3's ends are exact, what lies between them to a double's rounding.
          expect(place).toBeGreaterThanOrEqual((sorted[i - 1] ?? 0) - 1e-9);
          expect(place).toBeLessThanOrEqual(100 + 1e-9);
        }
      }),
    );
  });
});

describe("a heat map", () => {
  const colours = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
  /** By colour: which columns of a one-row map have it. */
  function cellsOf(values: readonly number[]): Map<string, number[]> {
    const svg = heatMap({ title: "", values, columns: values.length, rowLabel: "", columnLabel: "", valueLabel: "" });
    const width = (640 - 64 - 12) / values.length;
    return new Map(
      [...svg.matchAll(/<path d="([^"]*)" fill="([^"]*)"/g)].map(([, d = "", fill = ""]) => [
        fill,
        [...d.matchAll(/M([\d.]+) /g)].map(([, x]) => Math.round(Number(x) / width)),
      ]),
    );
  }

  it("law: equal steps of the logarithm get equal shares of the colours, NaN none", () => {
    const values = Array.from({ length: 80 }, (_, i) => 10 ** ((i + 0.5) / 10));
    const cells = cellsOf([...values, Number.NaN]);
    expect([...cells.values()].flat()).not.toContain(80);
    expect([...cells.keys()]).toEqual(colours);
    for (const [i, colour] of colours.entries()) {
      // The smallest twentieth, 4 of 80, share the first colour.
      const columns = cells.get(colour) ?? [];
      expect(columns.length, colour).toBeGreaterThanOrEqual(9);
      expect(columns.length, colour).toBeLessThanOrEqual(i === 0 ? 14 : 10);
      expect(columns).toEqual(columns.map((_, n) => (columns[0] as number) + n));
    }
  });

  it("does not spread a hundredth of a decade over all colours: they cover half a decade at least", () => {
    expect([...cellsOf([1, 1.001, 1.002, 1.003]).keys()]).toEqual([colours.at(-1)]);
    expect([...cellsOf([1, 10 ** 0.5]).keys()]).toEqual([colours[0], colours.at(-1)]);
  });
});
