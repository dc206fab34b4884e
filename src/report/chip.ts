import { escapeText, round, svgFigure, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";

/** A part of a machine: what it is called, how large it is, and which share of the time it works. */
export interface ChipPart {
  readonly name: string;
  readonly size: string;
  /** From 0 to 1; null where nobody counts it. */
  readonly busy: number | null;
  /** It is what limits the machine. */
  readonly limits: boolean;
}

export interface Chip {
  readonly title: string;
  readonly dram: ChipPart;
  readonly buffer: ChipPart;
  readonly arrays: readonly ChipPart[];
  readonly theme?: Theme;
  readonly width?: number;
}

/** A narrower drawing has no room for its words. */
export const leastChipWidth = 380;
const top = 26;
const rowHeight = 92;

/**
 * Draws DRAM, the global buffer and the arrays of a machine (FuseMax, Fig. 5), each filled as far as it is busy; what
 * limits the machine has a heavy frame and says so.
 */
export function chip({ title, dram, buffer, arrays, theme = light, width = 560 }: Chip): string {
  const isNarrow = width < 480;
  const [dramWidth, bufferWidth, gap] = isNarrow ? [80, 82, 16] : [92, 104, 34];
  const height = top + arrays.length * rowHeight + 16;
  const left = 12 + dramWidth + gap;
  const arraysAt = left + 14 + bufferWidth + gap;
  const arrayWidth = width - arraysAt - 26;
  const inner = arrays.length * rowHeight - 16;
  const boxes = arrays.map((part, i) =>
    box(part, arraysAt, top + 6 + i * rowHeight, arrayWidth, rowHeight - 20, theme),
  );
  const frame = { x: left, y: 12, width: width - left - 12, height: height - 20, fill: "none", stroke: theme.muted };
  const small = { fill: theme.muted, "font-size": 11 };
  return svgFigure({ width, height }, title, theme, [
    tag("rect", { ...frame, rx: 8, "stroke-dasharray": "4 3" }),
    tag("text", { ...small, x: width - 20, y: 9, "text-anchor": "end" }, "chip"),
    box(dram, 12, top + 6, dramWidth, inner, theme),
    box(buffer, left + 14, top + 6, bufferWidth, inner, theme),
    ...boxes,
    link(12 + dramWidth, left + 14, top + 6 + inner / 2, theme),
    ...arrays.map((_, i) =>
      link(left + 14 + bufferWidth, arraysAt, top + 6 + i * rowHeight + (rowHeight - 20) / 2, theme),
    ),
  ]);
}

function link(from: number, to: number, y: number, theme: Theme): string {
  const ends = { x1: from + 3, x2: to - 3, y1: round(y), y2: round(y) };
  return tag("line", { ...ends, stroke: theme.muted, "stroke-width": 3 });
}

function box(part: ChipPart, x: number, y: number, width: number, height: number, theme: Theme): string {
  const { name, size, busy, limits } = part;
  const share = busy === null ? 0 : Math.min(1, Math.max(0, busy));
  const filled = round(share * height);
  const strong = theme.palette[5] ?? theme.text;
  const stroke = limits ? { stroke: strong, "stroke-width": 4 } : { stroke: theme.text, "stroke-width": 1 };
  const middle = round(x + width / 2);
  const words = [
    { text: name, weight: 600 },
    { text: size, weight: 400 },
    ...(busy === null
      ? []
      : [{ text: `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 0)}% busy`, weight: 400 }]),
    ...(limits ? [{ text: "the limit", weight: 700 }] : []),
  ];
  const first = y + height / 2 - ((words.length - 1) * 16) / 2 + 4;
  return tag("g", {}, [
    tag(
      "title",
      {},
      escapeText(
        `${name}, ${size}${busy === null ? "" : `: ${(100 * share).toFixed(1)}% busy`}${limits ? "; the limit" : ""}`,
      ),
    ),
    tag("rect", { x, y, width, height, fill: theme.background, ...stroke, rx: 4 }),
    ...(filled > 0
      ? [
          tag("rect", {
            ...{ x: x + 3, y: round(y + height - filled) + (share === 1 ? 3 : 0), width: width - 6 },
            ...{
              height: Math.max(1, filled - (share === 1 ? 6 : 3)),
              fill: theme.palette[2] ?? theme.muted,
              opacity: 0.3,
            },
          }),
        ]
      : []),
    ...words.map(({ text, weight }, i) =>
      tag(
        "text",
        {
          x: middle,
          y: round(first + i * 16),
          fill: theme.text,
          "font-size": 12.5,
          "font-weight": weight,
          "text-anchor": "middle",
        },
        escapeText(text),
      ),
    ),
  ]);
}
