import type { SpecKind, SpecSource } from "../src/spec/load.js";

const files = import.meta.glob<string>("../specs/*/*.yaml", { query: "?raw", import: "default", eager: true });

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1, -".yaml".length);

/** The package's specs, bundled with the page. */
export const bundledSpecs: SpecSource = {
  read(kind, name) {
    const found = bundledSpecs.names(kind).find(known => known.toLowerCase() === name.toLowerCase());
    const text = found === undefined ? undefined : files[`../specs/${kind}/${found}.yaml`];
    return text === undefined ? undefined : { file: `specs/${kind}/${found}.yaml`, text };
  },
  names: (kind: SpecKind) =>
    Object.keys(files)
      .filter(path => path.startsWith(`../specs/${kind}/`))
      .map(nameOf)
      .sort(),
};
