import type { ArrayFrame, PeFrame } from "../fusemax-array/frames.js";
import type { Tagged } from "../fusemax-array/links.js";
import type { Schedule } from "../spec/schedule/schedule.js";
import { operationsOf } from "../spec/schedule/schedule.js";
import { escapeText, round, svgDocument, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";
import { einsumColour, textOn } from "./waterfall.js";

const cell = { width: 92, height: 62 };
const link = { across: 34, down: 24 };
const margin = 20;

/** Draws PEs for frames of one schedule. */
interface Drawing {
  readonly theme: Theme;
  readonly letterOf: ReadonlyMap<string, string>;
}

/**
 * The array's PEs over some cycles, as Fig. 5 of the paper: in each PE the operation with its step and tile, on each
 * link the value that arrives in that cycle. `strip` shows the cycles beside and below each other, `animated` one after
 * the other.
 */
export function peGrid(
  frames: readonly ArrayFrame[],
  schedule: Schedule,
  title: string,
  style: "strip" | "animated",
  theme: Theme = light,
): string {
  const [first] = frames;
  if (first === undefined) return tag("svg", { xmlns: "http://www.w3.org/2000/svg", width: 0, height: 0 });
  const drawing: Drawing = { theme, letterOf: lettersOf(schedule) };
  const columns = first.grid[0]?.length ?? 0;
  const frameWidth = margin + link.across + columns * (cell.width + link.across);
  const frameHeight = 40 + (first.grid.length + 1) * (cell.height + link.down) + 12;
  const perRow = style === "strip" ? Math.max(1, Math.min(frames.length, Math.floor(1500 / frameWidth))) : 1;
  const rows = style === "strip" ? Math.ceil(frames.length / perRow) : 1;
  const width = Math.max(perRow * frameWidth + margin, 560);
  const height = 64 + rows * frameHeight;
  const drawn = frames.map((frame, i) => {
    const x = style === "strip" ? (i % perRow) * frameWidth + margin / 2 : margin / 2;
    const y = style === "strip" ? 60 + Math.floor(i / perRow) * frameHeight : 60;
    const inside = drawFrame(frame, drawing);
    const transform = `translate(${x} ${y})`;
    return style === "strip"
      ? tag("g", { transform }, inside)
      : tag("g", { transform, display: i === 0 ? "inline" : "none" }, [...inside, shown(i, frames.length)]);
  });
  return svgDocument({ width, height }, title, [
    tag("rect", { width, height, fill: theme.background }),
    tag("text", { x: 16, y: 26, fill: theme.text, "font-size": 16, "font-weight": 600 }, escapeText(title)),
    tag(
      "text",
      { x: 16, y: 46, fill: theme.muted, "font-size": 12 },
      "In a PE: its operation, the step, the tile. On a link: the value that arrives in this cycle.",
    ),
    ...drawn,
  ]);
}

/** Shows frame i of n for its share of the time, over and over; a viewer without animation shows the first. */
function shown(i: number, n: number): string {
  const secondsEach = 0.8;
  const values = Array.from({ length: n }, (_, k) => (k === i ? "inline" : "none")).join(";");
  const dur = `${round(n * secondsEach)}s`;
  return tag("animate", {
    attributeName: "display",
    values,
    dur,
    repeatCount: "indefinite",
    calcMode: "discrete",
  });
}

function lettersOf(schedule: Schedule): ReadonlyMap<string, string> {
  const operations = [...operationsOf(schedule.programs["2d"] ?? []), ...operationsOf(schedule.programs["1d"] ?? [])];
  return new Map(operations.map(({ op }) => [op.einsum, op.tile]));
}

function drawFrame(frame: ArrayFrame, drawing: Drawing): string[] {
  const { theme } = drawing;
  const parts = [tag("text", { x: 4, y: 12, fill: theme.text, "font-size": 13 }, `cycle ${frame.cycle}`)];
  for (const [r, row] of [...frame.grid, frame.peRow].entries()) {
    for (const [c, pe] of row.entries()) {
      const x = link.across + c * (cell.width + link.across);
      const y = 20 + link.down + r * (cell.height + link.down);
      parts.push(...drawPe(pe, x, y, r === frame.grid.length, drawing));
    }
  }
  return parts;
}

function drawPe(pe: PeFrame, x: number, y: number, in1d: boolean, { theme, letterOf }: Drawing): string[] {
  const { instruction } = pe;
  const fill = instruction === null ? theme.background : einsumColour(theme, instruction.einsum);
  const text = instruction === null ? theme.muted : textOn(fill);
  const middle = x + cell.width / 2;
  const label = { x: middle, fill: text, "text-anchor": "middle" };
  const parts = [
    tag("rect", {
      x,
      y,
      width: cell.width,
      height: cell.height,
      fill,
      stroke: theme.muted,
      rx: in1d ? 14 : 3,
    }),
  ];
  if (instruction !== null) {
    const { einsum, step, tile } = instruction;
    const letter = letterOf.get(einsum) ?? "";
    parts.push(
      tag("text", { ...label, y: y + 20, "font-size": 13, "font-weight": 600 }, `${einsum}[${letter}]`),
      tag("text", { ...label, y: y + 35, "font-size": 11 }, `step ${step}`),
      tag("text", { ...label, y: y + 50, "font-size": 11 }, `tile ${tile.index}`),
    );
  }
  if (pe.registers.length > 0) {
    parts.push(tag("title", {}, escapeText(`registers: ${pe.registers.join(", ")}`)));
  }
  const small = { fill: theme.text, "font-size": 10 };
  if (pe.west !== null) parts.push(tag("text", { ...small, x: x - link.across + 2, y: y + 34 }, valueText(pe.west)));
  if (pe.north !== null) {
    parts.push(tag("text", { ...small, x: x + 4, y: y - 7 }, `${valueText(pe.north)} ↓`));
  }
  if (pe.below !== null) {
    const at = { ...small, x: x + cell.width, y: y + cell.height + 12, "text-anchor": "end" };
    parts.push(tag("text", at, `${valueText(pe.below)} ↑`));
  }
  return parts;
}

const valueText = ({ tensor, index }: Tagged): string => `${tensor} ${index}`;
