import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolTriangle, symbolWye } from "d3-shape";
import type { Theme } from "./theme.js";

const markers = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolWye];

/** Mean width of a character relative to the font's size, for laying out legends and labels. */
export const characterWidth = 0.58;

export const seriesColour = (theme: Theme, series: number): string =>
  theme.palette[series % theme.palette.length] as string;

/** The path of a series' marker, `size` square pixels. */
export const seriesMarker = (series: number, size: number): string =>
  symbol(markers[series % markers.length], size)() ?? "";
