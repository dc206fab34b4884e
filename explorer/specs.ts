/// <reference types="vite/client" />
import type { SpecKind, SpecSource } from "../src/spec/load.js";

const files = import.meta.glob<string>(["../specs/*/*.yaml", "../specs/cascades/*.cascade"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** By kind, then by name: `../specs/designs/flat.yaml` is `flat` of `designs`. */
const texts = new Map<string, Map<string, string>>();
for (const [path, text] of Object.entries(files).sort()) {
  const [, kind = "", name = ""] = /(\w+)\/([^/]+)\.(?:yaml|cascade)$/.exec(path) ?? [];
  texts.set(kind, (texts.get(kind) ?? new Map<string, string>()).set(name, text));
}

/** The package's specs, bundled with the page. Their names are in lower case. */
export const bundledSpecs: SpecSource = {
  read(kind, name) {
    const known = name.toLowerCase();
    const text = texts.get(kind)?.get(known);
    return text === undefined ? undefined : { file: `specs/${kind}/${known}.yaml`, text, shipped: true };
  },
  names: (kind: SpecKind) => [...(texts.get(kind)?.keys() ?? [])],
};
