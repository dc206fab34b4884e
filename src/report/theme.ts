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
 * The palette of Okabe and Ito, told apart by people of every colour vision ("Color Universal Design", 2008), with its
 * grey first; black and yellow are left out, the one for text, the other for want of contrast on white.
 */
export const light: Theme = {
  background: "#ffffff",
  text: "#1a1a1a",
  muted: "#4d4d4d",
  grid: "#dddddd",
  palette: ["#999999", "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#5a3d8a"],
};

export const dark: Theme = {
  background: "#16181d",
  text: "#f0f0f0",
  muted: "#bcbcbc",
  grid: "#3a3d44",
  palette: ["#aaaaaa", "#e69f00", "#9adcff", "#2bbd8f", "#3d8be0", "#f0803c", "#dd93bb", "#b39ddb"],
};
