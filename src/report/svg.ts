import type { Theme } from "./theme.js";

/** A number for an SVG attribute: two decimals are finer than any screen. */
export const round = (value: number): number => Math.round(value * 100) / 100;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escapeText = (text: string): string => text.replace(/[&<>"]/g, mark => escapes[mark] ?? mark);

/** An element with its attributes and its content, which is markup already. */
export function tag(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly string[] = "",
): string {
  let written = "";
  for (const [key, value] of Object.entries(attributes)) {
    written += ` ${key}="${typeof value === "number" ? value : escapeText(value)}"`;
  }
  const inner = typeof content === "string" ? content : content.join("\n");
  return inner === "" ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name}>`;
}

/** A figure of its own, `width` by `height` pixels, that names itself to screen readers. */
export function svgDocument(
  size: { readonly width: number; readonly height: number },
  title: string,
  marks: readonly string[],
): string {
  const { width, height } = size;
  return tag(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": "system-ui, sans-serif",
      role: "img",
      "aria-label": title,
    },
    marks,
  );
}

/** The same on the theme's background and with a title of its own, its marks a line each. */
export function svgFigure(
  { width, height }: { readonly width: number; readonly height: number },
  title: string,
  theme: Theme,
  marks: readonly string[],
): string {
  const name = escapeText(title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<title>${name}</title>`,
    tag("rect", { width, height, fill: theme.background }),
    ...marks,
    "</svg>\n",
  ].join("\n");
}
