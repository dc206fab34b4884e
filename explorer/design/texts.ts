/// <reference types="vite/client" />
import type { SpecKind } from "../../src/spec/load.js";

/** The specs with their comments, for who edits them; what only reads them has them without (specs.ts). */
const files = import.meta.glob<string>(
  [
    "../../specs/{architectures,arithmetic,bindings,designs,mappings,schedules}/*.yaml",
    "../../specs/cascades/*.cascade",
  ],
  { query: "?raw&whole", import: "default", eager: true },
);

/** The text of a shipped spec; empty where there is none of that name. */
export const wholeText = (kind: SpecKind, name: string): string =>
  files[`../../specs/${kind}/${name.toLowerCase()}.${kind === "cascades" ? "cascade" : "yaml"}`] ?? "";
