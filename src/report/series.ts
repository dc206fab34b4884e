import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolTriangle, symbolWye } from "d3-shape";
import type { Figure } from "./figure.js";
import type { Theme } from "./theme.js";

const markers = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolWye];

/** Mean width of a character relative to the font's size, for laying out legends and labels. */
export const characterWidth = 0.58;

/** Lengths of dashes and gaps of lines, so that they are told apart without colour. */
const dashes = ["none", "9 4", "2 3", "9 3 2 3", "5 3"] as const;

type Slots = Pick<Figure, "slots">;
const slotOf = ({ slots }: Slots, series: number): number => slots?.[series] ?? series;
const inTurn = <T>(list: readonly T[], slot: number): T => list[slot % list.length] as T;

export const seriesColour = (figure: Slots, theme: Theme, series: number): string =>
  inTurn(theme.palette, slotOf(figure, series));

/** The path of a series' marker, `size` square pixels. */
export const seriesMarker = (figure: Slots, series: number, size: number): string =>
  symbol(inTurn(markers, slotOf(figure, series)), size)() ?? "";

/** `stroke-dasharray` of a series' line. */
export const seriesDash = (figure: Slots, series: number): string => inTurn(dashes, slotOf(figure, series));
