/** How results are computed: as the authors published them, or with some or all of their errors corrected. */
export interface Accounting {
  readonly name: "published" | "corrected";
  /** The corrections that are on; none under `published` unless asked for by name. */
  readonly corrections: readonly string[];
  /** Mappings as published, or searched for where the spec leaves a choice. */
  readonly mapping: "published" | "search";
}

export const published: Accounting = { name: "published", corrections: [], mapping: "published" };

/** The designs whose numbers the paper's tables and figures have. */
export const publishedDesigns: readonly string[] = [
  "unfused",
  "flat",
  "cascade",
  "architecture",
  "fusemax",
  "fusemax-scaled",
  "linear-flat",
  "linear-fusemax",
];
