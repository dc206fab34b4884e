/// <reference types="vite/client" />
const files = import.meta.glob<string>("../../specs/cascades/*.cascade", {
  query: "?raw",
  import: "default",
  eager: true,
});

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1, -".cascade".length);

/** The library of cascades, bundled with the page: text by name. */
export const cascadeLibrary: ReadonlyMap<string, string> = new Map(
  Object.entries(files).map(([path, text]) => [nameOf(path), text]),
);

/** What a cascade's text calls itself. */
export const titleOf = (name: string): string => /^# title: (.*)$/m.exec(cascadeLibrary.get(name) ?? "")?.[1] ?? name;
