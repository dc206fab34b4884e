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
 * the other for want of contrast on white. The first five, those of the paper's designs, differ in CIELAB lightness by 9 at
 * least, so that they are told apart without colour. After these eight come eight more, each as far from those before it as
 * a colour can be under deuteranopia; test/report/palette.test.ts holds the distances.
 */
export const light: Theme = {
  background: "#ffffff",
  text: "#1a1a1a",
  muted: "#4d4d4d",
  grid: "#dddddd",
  palette: [
    ...["#c1c1c1", "#d69403", "#2592c5", "#017756", "#04456e", "#d45e01", "#cf7baa", "#7353a3"],
    ...["#0000ff", "#0f0096", "#2d0000", "#5a4b00", "#3cc369", "#b44bff", "#00004b", "#1e5aff"],
  ],
};

export const dark: Theme = {
  background: "#16181d",
  text: "#f0f0f0",
  muted: "#bcbcbc",
  grid: "#3a3d44",
  palette: [
    ...["#848484", "#d69403", "#6ac5fb", "#71edbd", "#036daa", "#e16811", "#ec96c5", "#ae8be0"],
    ...["#4b2dff", "#0f690f", "#ffff96", "#ffff00", "#8769ff", "#c3a569", "#006978", "#a5ff4b"],
  ],
};
