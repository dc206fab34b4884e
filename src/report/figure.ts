import type { Theme } from "./theme.js";

/** An axis over numbers. The domain is taken from the data where it is not given; linear axes begin at 0. */
export interface Axis {
  readonly label: string;
  readonly scale?: "linear" | "log";
  readonly min?: number;
  readonly max?: number;
  /** The domain is that of the data with a little room about it, in place of whole decades or of 0 upwards. */
  readonly fit?: boolean;
  /** Where ticks may be; those that fit are drawn. The domain then ends where the data ends. */
  readonly ticks?: readonly number[];
  /** What it measures comes in ones: ticks stand at whole numbers only. */
  readonly whole?: boolean;
  /** How ticks are written. */
  readonly format?: (value: number) => string;
}

/** Bars over groups: beside each other, one per series, or on top of each other. */
export interface BarPanel {
  readonly kind: "bars";
  readonly title: string;
  readonly groups: readonly string[];
  readonly groupLabel: string;
  readonly stacked?: boolean;
  /** Values by series, then group. Where one is missing, the words "no value" are shown. */
  readonly values: readonly (readonly (number | undefined)[])[];
}

/** Points over two numbers, joined by a line or not. */
export interface PointPanel {
  readonly kind: "points";
  readonly title: string;
  readonly x: Axis;
  /** An upright line at a place of the axis, such as the value that is chosen; none where it lies outside. */
  readonly mark?: { readonly x: number; readonly label: string };
  readonly lines: readonly PointSeries[];
}

export interface PointSeries {
  /** Which of the figure's series this is: its colour, marker and legend entry. */
  readonly series: number;
  /** `label` is written beside the point, `title` only in its tooltip. */
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly label?: string;
    readonly title?: string;
  }[];
  readonly joined: boolean;
  /** Joined without marks at its points. */
  readonly bare?: boolean;
  /** Drawn pale, as a background to the others. */
  readonly faint?: boolean;
}

/** A chart: panels side by side over one y axis, one legend for all. */
export interface Figure {
  readonly title: string;
  /** A line under the title: what is shown, and from where. */
  readonly note?: string;
  readonly series: readonly string[];
  /**
   * The place of each series in the palette, the markers and the dashes, so that what it stands for looks the same in every
   * figure. Without it, the order of the series.
   */
  readonly slots?: readonly number[];
  readonly y: Axis;
  /** Each panel has a y axis of its own, over its own data. */
  readonly ownY?: boolean;
  /** A legend also where there is a single series. */
  readonly alwaysLegend?: boolean;
  readonly panels: readonly (BarPanel | PointPanel)[];
  /** A line across every panel, such as the value of a baseline. */
  readonly rule?: number;
  readonly width?: number;
  /** Height of the panels' plotting area. */
  readonly plotHeight?: number;
  /** Panels in a row; all of them when not given. */
  readonly panelsPerRow?: number;
  /** False to leave title and note out: where they are beside the chart already. */
  readonly heading?: boolean;
  readonly theme?: Theme;
}
