import { shown } from "../src/errors.js";
import { designLabel } from "./design/names.js";
import { ownName } from "./design/own.js";
import { type FieldName, fields, initialState, type State, writeState } from "./state.js";

declare const __VERSION__: string;

const escaped = (text: string): string => shown(text, 20_000).replace(/[&<>"]/g, mark => `&#${mark.charCodeAt(0)};`);

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1e24;background:#fff}
figure,section{margin:0 0 2rem}svg{max-width:100%;height:auto}table{border-collapse:collapse}
th,td{padding:.25rem .75rem .25rem 0;text-align:right;border-bottom:1px solid #c9cdd4}th:first-child,td:first-child{text-align:left}
code,pre{font-family:ui-monospace,monospace;overflow-wrap:anywhere}.names,.strip{display:none}`;

/** Settings that differ from the defaults, in the words of the address. */
function settingsOf(state: State): string {
  const rows = (Object.keys(fields) as FieldName[]).flatMap(name => {
    const { write } = fields[name] as unknown as { readonly write: (value: unknown) => string };
    const [now, usual] = [write(state[name]), write(initialState[name])];
    return now === usual || name === "own" ? [] : [`<tr><th>${escaped(name)}</th><td>${escaped(now)}</td></tr>`];
  });
  return rows.length === 0 ? "<p>All settings are the defaults.</p>" : `<table>${rows.join("")}</table>`;
}

/** The visitor's design, file by file. */
function filesOf({ own }: State): string {
  if (own === null) return "";
  const files = Object.entries(own.files).map(
    // All of a text: line by line, for what cannot be seen is escaped.
    ([name, text]) => `<h3>${escaped(name)}</h3><pre>${text.split("\n").map(escaped).join("\n")}</pre>`,
  );
  return `<h2>Files of ${escaped(designLabel(ownName, own))}</h2>\n${files.join("\n")}`;
}

/** What is shown without what can only be used in the page. */
function shownIn(charts: Element): string {
  const copy = charts.cloneNode(true) as Element;
  for (const element of copy.querySelectorAll(
    "button, details:not([open]), select, input, textarea, .beginnings, .said",
  ))
    element.remove();
  for (const element of copy.querySelectorAll("details")) element.replaceWith(...element.childNodes);
  for (const element of copy.querySelectorAll("summary, .steps")) element.remove();
  return copy.innerHTML;
}

/**
 * What the page shows as one HTML document that needs nothing else: version, settings, link, charts, tables, hashes and
 * commands. Its charts have the page's colours.
 */
export function reportOf(state: State, title: string, charts: Element, page: string): string {
  const link = `${page}#${writeState(state)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)} – fusemax ${__VERSION__}</title><style>${style}</style></head>
<body><h1>${escaped(title)}</h1>
<p>fusemax ${__VERSION__}; <a href="${escaped(link)}">the page with these settings</a></p>
<h2>Settings</h2>
${settingsOf(state)}
${shownIn(charts)}
${filesOf(state)}
</body></html>
`;
}
