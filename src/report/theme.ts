/** Colours of a chart. Series take the palette's colours in order. */
export interface Theme {
  readonly background: string;
  readonly text: string;
  /** Axis labels and notes. */
  readonly muted: string;
  readonly grid: string;
  readonly palette: readonly string[];
}

/**
 * The hues of Okabe and Ito ("Color Universal Design", 2008), grey first; black and yellow are left out, the one for text,
 * the other for want of contrast on white. The first five, those of the designs, differ in CIELAB lightness by 9 at least,
 * so that they are told apart without colour; test/report/palette.test.ts holds the distances.
 */
export const light: Theme = {
  background: "#ffffff",
  text: "#1a1a1a",
  muted: "#4d4d4d",
  grid: "#dddddd",
  palette: ["#c1c1c1", "#d69403", "#2592c5", "#017756", "#04456e", "#d45e01", "#cf7baa", "#7353a3"],
};

export const dark: Theme = {
  background: "#16181d",
  text: "#f0f0f0",
  muted: "#bcbcbc",
  grid: "#3a3d44",
  palette: ["#848484", "#d69403", "#6ac5fb", "#71edbd", "#036daa", "#e16811", "#ec96c5", "#ae8be0"],
};
