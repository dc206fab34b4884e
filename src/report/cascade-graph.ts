import type { Cascade } from "../einsum/cascade.js";
import { escapeText, round, svgFigure, tag } from "./svg.js";
import { light, type Theme } from "./theme.js";
import { textOn } from "./waterfall.js";

/** A tensor of a cascade in its graph. */
export interface GraphNode {
  readonly tensor: string;
  /** With its ranks: BQK[m1,m0,p]. */
  readonly label: string;
  /** Inputs are not computed. */
  readonly isInput: boolean;
  /** Steps from the inputs, along the longest way. */
  readonly layer: number;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** To the next step of an iteration. */
  readonly carried: boolean;
}

export interface CascadeGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Which tensor is made from which. Initial values of iterations are not drawn. */
export function graphOf({ einsums, tensors, dependence, inputs }: Cascade): CascadeGraph {
  const edges = new Map<string, GraphEdge>();
  const steps = einsums.map((einsum, i) => ({ einsum, i })).filter(({ einsum }) => einsum.iteration?.role !== "init");
  for (const { einsum, i } of steps) {
    for (const read of einsum.reads) {
      if (read.tensor === einsum.tensor) continue;
      const carried = (dependence.edges[i] ?? []).some(edge => edge.carried && edge.read === read);
      const key = `${read.tensor} ${einsum.tensor}`;
      if (edges.get(key)?.carried !== false) edges.set(key, { from: read.tensor, to: einsum.tensor, carried });
    }
  }
  const forward = [...edges.values()].filter(({ carried }) => !carried);
  const layers = new Map<string, number>();
  const layerOf = (tensor: string): number => {
    const known = layers.get(tensor);
    if (known !== undefined) return known;
    layers.set(tensor, 0); // a circle ends here
    const below = forward.filter(({ to }) => to === tensor).map(({ from }) => layerOf(from) + 1);
    const layer = Math.max(0, ...below);
    layers.set(tensor, layer);
    return layer;
  };
  const names = [...inputs, ...new Set(steps.map(({ einsum }) => einsum.tensor))];
  const nodes = names.map(tensor => ({
    tensor,
    label: labelOf(tensor, tensors.get(tensor)?.indices ?? []),
    isInput: inputs.includes(tensor),
    layer: layerOf(tensor),
  }));
  return { nodes, edges: [...edges.values()] };
}

/** BQK[m1,m0,p]: its rank variables, whatever their offsets. */
function labelOf(tensor: string, indices: Cascade["einsums"][number]["indices"]): string {
  const variables = indices.map(({ terms }) => terms.map(({ variable }) => variable).join("+")).filter(v => v !== "");
  return variables.length === 0 ? tensor : `${tensor}[${variables.join(",")}]`;
}

export interface GraphStyle {
  readonly title: string;
  /** The pass of each computed tensor over the rank that is looked at. */
  readonly passOf: ReadonlyMap<string, number>;
  /** Pairs that no mapping can fuse. */
  readonly barriers: readonly { readonly before: string; readonly after: string; readonly why: string }[];
  readonly theme?: Theme;
}

const nodeHeight = 30;
const layerHeight = 74;
const gap = 22;
const margin = 20;
const characterWidth = 7.4;
/** Places in the palette of passes 1, 2, 3, …: neighbours differ in lightness too. */
const passPlaces = [2, 1, 3, 6, 5, 4, 7] as const;

export const passColour = (theme: Theme, pass: number): string =>
  theme.palette[passPlaces[(pass - 1) % passPlaces.length] as number] ?? theme.muted;

interface Placed extends GraphNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Draws the graph from the inputs down; each tensor in the colour of its pass, barriers as broken thick lines. */
export function cascadeGraph({ nodes, edges }: CascadeGraph, style: GraphStyle): string {
  const { title, passOf, barriers, theme = light } = style;
  const { placed, width, height } = place(nodes, edges);
  const at = new Map(placed.map(node => [node.tensor, node]));
  const passes = Math.max(1, ...passOf.values());
  return svgFigure({ width, height: height + 40 }, title, theme, [
    ...edges.map(edge => drawEdge(edge, at, theme)),
    ...barriers.map(barrier => drawBarrier(barrier, at, theme)),
    ...placed.map(node => drawNode(node, passOf.get(node.tensor), theme)),
    ...Array.from({ length: passes }, (_, i) =>
      tag("g", { transform: `translate(${margin + i * 78},${height + 12})` }, [
        tag("rect", { width: 14, height: 14, rx: 3, fill: passColour(theme, i + 1) }),
        tag("text", { x: 20, y: 12, fill: theme.text, "font-size": 12.5 }, `pass ${i + 1}`),
      ]),
    ),
  ]);
}

/** Layers from top to bottom, each in the order of the middles of what its tensors are made from. */
function place(nodes: readonly GraphNode[], edges: readonly GraphEdge[]) {
  const layers: Placed[][] = [];
  const middle = new Map<string, number>();
  const widthOf = (node: GraphNode): number => round(node.label.length * characterWidth + 22);
  const layerCount = Math.max(0, ...nodes.map(({ layer }) => layer)) + 1;
  const rowWidth = (row: readonly GraphNode[]): number =>
    row.reduce((sum, node) => sum + widthOf(node), (row.length - 1) * gap);
  const rows = Array.from({ length: layerCount }, (_, layer) => nodes.filter(node => node.layer === layer));
  const width = Math.max(240, ...rows.map(rowWidth)) + 2 * margin;
  for (const [layer, row] of rows.entries()) {
    const sortKey = (node: GraphNode): number => {
      const from = edges
        .filter(({ to, carried }) => to === node.tensor && !carried)
        .map(e => middle.get(e.from) ?? width / 2);
      return from.length === 0 ? 0 : from.reduce((a, b) => a + b, 0) / from.length;
    };
    const sorted = layer === 0 ? row : [...row].sort((a, b) => sortKey(a) - sortKey(b));
    let x = (width - rowWidth(row)) / 2;
    layers.push(
      sorted.map(node => {
        const own = { ...node, x: round(x), y: margin + layer * layerHeight, width: widthOf(node) };
        middle.set(node.tensor, x + own.width / 2);
        x += own.width + gap;
        return own;
      }),
    );
  }
  return { placed: layers.flat(), width: Math.ceil(width), height: margin + layerCount * layerHeight };
}

function drawNode({ label, isInput, x, y, width }: Placed, pass: number | undefined, theme: Theme): string {
  const fill = pass === undefined ? theme.background : passColour(theme, pass);
  const text = pass === undefined ? theme.text : textOn(fill);
  const words = isInput ? `${label}: input` : `${label}: ${pass === undefined ? "outside the rank" : `pass ${pass}`}`;
  return tag("g", {}, [
    tag("title", {}, escapeText(words)),
    tag("rect", { x, y, width, height: nodeHeight, rx: isInput ? 15 : 5, fill, stroke: theme.muted }),
    tag(
      "text",
      { x: round(x + width / 2), y: y + 20, fill: text, "font-size": 13, "text-anchor": "middle" },
      escapeText(label),
    ),
  ]);
}

function drawEdge({ from, to, carried }: GraphEdge, at: ReadonlyMap<string, Placed>, theme: Theme): string {
  const [a, b] = [at.get(from), at.get(to)];
  if (a === undefined || b === undefined) return "";
  const [x1, x2] = [round(a.x + a.width / 2), round(b.x + b.width / 2)];
  const [y1, y2] = carried ? [a.y, b.y + nodeHeight] : [a.y + nodeHeight, b.y];
  const bend = round((y2 - y1) / 2);
  // A way over several layers bows out, past the tensors between.
  const layers = Math.abs(b.layer - a.layer);
  const bow = layers > 1 ? (x2 >= x1 ? 1 : -1) * Math.min(110, 40 * layers) : 0;
  const d = `M${x1} ${y1}C${x1 + bow} ${y1 + bend} ${x2 + bow} ${y2 - bend} ${x2} ${y2}`;
  const dash = carried ? { "stroke-dasharray": "2 4" } : {};
  const words = `${to} reads ${from}${carried ? " of the step before" : ""}`;
  return tag(
    "path",
    { d, fill: "none", stroke: theme.muted, "stroke-width": 1.4, ...dash },
    tag("title", {}, escapeText(words)),
  );
}

function drawBarrier(
  { before, after, why }: GraphStyle["barriers"][number],
  at: ReadonlyMap<string, Placed>,
  theme: Theme,
): string {
  const [a, b] = [at.get(before), at.get(after)];
  if (a === undefined || b === undefined) return "";
  const [x1, y1, x2, y2] = [a.x + a.width / 2 + 8, a.y + nodeHeight, b.x + b.width / 2 + 8, b.y].map(round);
  const stroke = { stroke: theme.palette[5] ?? theme.text, "stroke-width": 4, "stroke-dasharray": "9 5" };
  return tag("path", { d: `M${x1} ${y1}L${x2} ${y2}`, fill: "none", ...stroke }, tag("title", {}, escapeText(why)));
}
