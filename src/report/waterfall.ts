import { scaleLinear } from "d3-scale";
import type { StallCause } from "../model/schedule/result.js";
import type { Slice, StallSlice, Timeline } from "../model/schedule/timeline.js";
import { escapeText, round, svgDocument, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";

const pageWidth = 1400;
/** What is to the left and to the right of the cycles, in pixels, whatever the width. */
export const waterfallMargins = { left: 96, right: 24 };
const { left, right } = waterfallMargins;
const rowHeight = 34;
const stallHeight = 14;
const gap = 46;

/** An array's name in words: 2d is the 2D array. */
export const arrayLabel = (array: string): string => `${array.replace(/^\dd$/, name => name.toUpperCase())} array`;

/** Each Einsum of the one-pass cascade and its place in the palette: neighbours in Fig. 4 differ. */
const colourOf: Readonly<Record<string, number>> = {
  BQK: 2,
  SLNV: 1,
  LM: 5,
  SLN: 3,
  SLD: 6,
  SPNV: 4,
  RNV: 2,
  RM: 5,
  PRM: 3,
  SPD: 7,
  RD: 6,
  AV: 1,
};

/** @param place the Einsum's place in its cascade, for those of other cascades */
export const einsumColour = (theme: Theme, einsum: string, place = 0): string =>
  theme.palette[colourOf[einsum] ?? 1 + (place % 7)] ?? theme.text;

/** Black or white, whichever can be read on the colour (relative luminance of WCAG 2). */
export function textOn(colour: string): string {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map(at => (Number.parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000000" : "#ffffff";
}

/**
 * A timeline as Fig. 4 of the paper, with real cycle numbers: each array's streams, its epochs, and where it waits.
 * @param lit a cycle to mark: a line through it, and what is at work then in a frame
 */
export function waterfall(
  timeline: Timeline,
  title: string,
  theme: Theme = light,
  width = pageWidth,
  lit: number | null = null,
): string {
  const times = [...timeline.slices, ...timeline.stalls].flatMap(({ start, end }) => [start, end]);
  const x = scaleLinear()
    .domain([Math.min(...times), Math.max(...times)])
    .range([left, width - right]);
  const parts: string[] = [];
  let y = 92;
  for (const [array, streams] of Object.entries(timeline.streams)) {
    parts.push(...arrayRows(timeline, array, y, x, theme));
    if (lit !== null) parts.push(...litMarks(timeline, array, y, x, theme, lit));
    y += streams * rowHeight + stallHeight + gap;
  }
  parts.push(axis(x, y - 16, width, theme));
  const entries = legend(timeline, y + 38, width, theme);
  parts.push(entries.marks);
  const height = y + 38 + entries.height;
  const lags = Object.entries(timeline.schedule.lags).map(
    ([letter, lag]) => `${letter} = n${lag > 0 ? ` - ${lag}` : ""}`,
  );
  const note = `Epoch n works on tiles ${lags.join(", ")}. Times are those of the first column; column c follows c cycles later. Tiles are (query tile, key tile).`;
  return svgDocument({ width, height }, title, [
    tag("rect", { width, height, fill: theme.background }),
    tag("text", { x: 16, y: 28, fill: theme.text, "font-size": 17, "font-weight": 600 }, escapeText(title)),
    tag("text", { x: 16, y: 50, fill: theme.muted, "font-size": 12.5 }, escapeText(note)),
    ...parts,
  ]);
}

interface Scale {
  (value: number): number | undefined;
  domain(): number[];
  ticks(count: number): number[];
}
const place = (x: Scale, cycle: number): number => round(x(cycle) ?? 0);

function arrayRows(timeline: Timeline, array: string, top: number, x: Scale, theme: Theme): string[] {
  const rows = timeline.streams[array] ?? 0;
  const bottom = top + rows * rowHeight + stallHeight;
  const label = { x: 16, fill: theme.text, "font-size": 13, "font-weight": 600 };
  const small = { x: 16, fill: theme.muted, "font-size": 11 };
  return [
    tag("text", { ...label, y: top + 15 }, arrayLabel(array)),
    tag("text", { ...small, y: top + rows * rowHeight + 10 }, "idle"),
    ...(timeline.begins[array] ?? []).flatMap((cycle, i, all) => {
      const at = place(x, cycle);
      const epoch = timeline.epochs.first + i;
      const text = { x: at + 3, y: top - 6, fill: theme.muted, "font-size": 11 };
      const room = place(x, all[i + 1] ?? x.domain()[1] ?? cycle) - at;
      const words = room > 130 ? `epoch ${epoch}, cycle ${cycle}` : room > 60 ? `n=${epoch}, ${cycle}` : "";
      return [
        tag("line", { x1: at, x2: at, y1: top - 16, y2: bottom, stroke: theme.muted, "stroke-dasharray": "3 3" }),
        tag("text", text, words),
      ];
    }),
    ...timeline.slices
      .filter(s => s.array === array)
      .map(s => bar(s, timeline.einsums.indexOf(s.einsum), top + s.stream * rowHeight, x, theme)),
    ...timeline.stalls.filter(s => s.array === array).map(s => idleBar(s, top + rows * rowHeight + 2, x, theme)),
  ];
}

/** What an array does in a cycle, as its first column has it. */
export const atWork = ({ slices }: Timeline, array: string, cycle: number): readonly Slice[] =>
  slices.filter(slice => slice.array === array && slice.start <= cycle && cycle < slice.end);

function litMarks(timeline: Timeline, array: string, top: number, x: Scale, theme: Theme, cycle: number): string[] {
  const bottom = top + (timeline.streams[array] ?? 0) * rowHeight + stallHeight;
  const [from, to] = [place(x, cycle), place(x, cycle + 1)];
  const wide = round(Math.max(to - from, 1));
  const frame = { fill: "none", stroke: theme.text, "stroke-width": 2.5 };
  return [
    tag("rect", { x: from, y: top - 16, width: wide, height: bottom - top + 16, fill: theme.text, opacity: 0.25 }),
    ...atWork(timeline, array, cycle).map(({ stream, start, end }) =>
      tag("rect", {
        ...{ x: place(x, start), y: top + stream * rowHeight + 1, height: rowHeight - 3 },
        width: round(Math.max(place(x, end) - place(x, start), 1)),
        ...frame,
        class: "lit",
      }),
    ),
  ];
}

const idleText = (cause: StallCause): string =>
  ["fill", "drain", "idle"].includes(cause)
    ? cause
    : cause === "port"
      ? "waits for a port"
      : cause === "behind"
        ? "waits for the other arrays"
        : `waits for ${cause}`;

function idleBar({ start, end, cause }: StallSlice, y: number, x: Scale, theme: Theme): string {
  const from = place(x, start);
  const wide = round(Math.max(place(x, end) - from, 0.75));
  const fill = theme.palette[0] ?? theme.muted;
  const bar = { x: from, y, width: wide, height: stallHeight - 3, fill };
  const text = { x: round(from + wide / 2), y: y + 8.5, fill: textOn(fill), "font-size": 9, "text-anchor": "middle" };
  return tag("g", {}, [
    tag("title", {}, `${idleText(cause)}: cycles ${start} to ${end - 1}`),
    tag("rect", bar),
    ...(wide > 80 ? [tag("text", text, idleText(cause))] : []),
  ]);
}

function bar(slice: Slice, order: number, y: number, x: Scale, theme: Theme): string {
  const { einsum, letter, p, m1, start, end, issued, epoch } = slice;
  const from = place(x, start);
  const wide = round(Math.max(place(x, end) - from, 1));
  const fill = einsumColour(theme, einsum, order);
  const title = `${einsum}[${letter}] in epoch ${epoch}: query tile ${p}, key tile ${m1}, cycles ${start} to ${end - 1}, ${issued} issued`;
  const inside = { fill: textOn(fill), "font-size": 11, "text-anchor": "middle" };
  const middle = round(from + wide / 2);
  const labels: string[] = [];
  if (wide > 46) {
    labels.push(tag("text", { ...inside, x: middle, y: y + 14, "font-weight": 600 }, `${einsum}[${letter}]`));
    labels.push(tag("text", { ...inside, x: middle, y: y + 26 }, `(${p}, ${m1})`));
  } else if (wide > 24) labels.push(tag("text", { ...inside, x: middle, y: y + 19 }, einsum));
  return tag("g", {}, [
    tag("title", {}, escapeText(title)),
    tag("rect", {
      x: from,
      y: y + 1,
      width: wide,
      height: rowHeight - 3,
      fill,
      ...(wide > 8 ? { stroke: theme.background } : {}),
    }),
    ...labels,
  ]);
}

function axis(x: Scale, y: number, width: number, theme: Theme): string {
  const label = { y: y + 18, fill: theme.muted, "font-size": 11.5, "text-anchor": "middle" };
  return tag("g", {}, [
    tag("line", { x1: left, x2: width - right, y1: y, y2: y, stroke: theme.muted }),
    ...x
      .ticks(Math.round(width / 116))
      .flatMap(tick => [
        tag("line", { x1: place(x, tick), x2: place(x, tick), y1: y, y2: y + 5, stroke: theme.muted }),
        tag("text", { ...label, x: place(x, tick) }, String(tick)),
      ]),
    tag("text", { ...label, x: (left + width - right) / 2, y: y + 34 }, "cycle"),
  ]);
}

/** The Einsums of a timeline with their colours. */
export const waterfallColours = (timeline: Timeline, theme: Theme): readonly (readonly [string, string])[] =>
  timeline.einsums
    .filter(name => timeline.slices.some(({ einsum }) => einsum === name))
    .map(name => [name, einsumColour(theme, name, timeline.einsums.indexOf(name))]);

function legend(timeline: Timeline, y: number, width: number, theme: Theme) {
  const present = waterfallColours(timeline, theme);
  const perRow = Math.max(1, Math.floor((width - left) / 84));
  const marks = present.flatMap(([name, fill], i) => {
    const at = { x: left + (i % perRow) * 84, y: y + Math.floor(i / perRow) * 20 };
    return [
      tag("rect", { ...at, width: 14, height: 12, fill }),
      tag("text", { x: at.x + 19, y: at.y + 10.5, fill: theme.text, "font-size": 12 }, name),
    ];
  });
  return { marks: tag("g", {}, marks), height: 6 + Math.ceil(present.length / perRow) * 20 };
}
