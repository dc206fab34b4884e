import { describe, expect, it } from "vitest";
import { dark, light, type Theme } from "../../src/report/theme.js";

type Triple = readonly [number, number, number];
const times = (matrix: readonly Triple[], [x, y, z]: Triple): Triple => {
  const [a, b, c] = matrix.map(([p, q, r]) => p * x + q * y + r * z);
  return [a ?? 0, b ?? 0, c ?? 0];
};
const each = ([x, y, z]: Triple, f: (value: number) => number): Triple => [f(x), f(y), f(z)];

/** sRGB as linear light (IEC 61966-2-1). */
const linear = (hex: string): Triple =>
  each([1, 3, 5].map(at => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Triple, value =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );

/** CIELAB under D65. */
function lab(light: Triple): Triple {
  const [x, y, z] = times(
    [
      [0.4124564, 0.3575761, 0.1804375],
      [0.2126729, 0.7151522, 0.072175],
      [0.0193339, 0.119192, 0.9503041],
    ],
    light,
  );
  const [fx, fy, fz] = each([x / 0.95047, y, z / 1.08883], t => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116));
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/** What people without green cones see: Machado, Oliveira and Fernandes, "A Physiologically-based Model", 2009, severity 1. */
const deuteranopia: readonly Triple[] = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];

const distance = (a: Triple, b: Triple): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const seen = (hex: string): Triple => lab(each(times(deuteranopia, linear(hex)), v => Math.min(1, Math.max(0, v))));
const lightness = (hex: string): number => lab(linear(hex))[0];

function least(colours: readonly string[], of: (a: string, b: string) => number): number {
  return Math.min(...colours.flatMap((a, i) => colours.slice(i + 1).map(b => of(a, b))));
}

describe.each<[string, Theme]>([
  ["light", light],
  ["dark", dark],
])("the %s palette", (_, { palette, background }) => {
  const designs = palette.slice(0, 5);

  it("law: the colours of the five designs are told apart in grey", () => {
    expect(least(designs, (a, b) => Math.abs(lightness(a) - lightness(b)))).toBeGreaterThan(9);
  });

  it("law: they are told apart under deuteranopia, and so are any two of the palette", () => {
    expect(least(designs, (a, b) => distance(seen(a), seen(b)))).toBeGreaterThan(20);
    // A difference of 2.3 can just be noticed (Mahy, Van Eycken and Oosterlinck, 1994).
    expect(least(palette, (a, b) => distance(seen(a), seen(b)))).toBeGreaterThan(3 * 2.3);
  });

  it("law: all of them are seen against the background", () => {
    for (const colour of palette) expect(Math.abs(lightness(colour) - lightness(background))).toBeGreaterThan(20);
  });
});
