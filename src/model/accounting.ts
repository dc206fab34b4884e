/** How results are computed: as the authors published them, or with some or all of their errors mended. */
export interface Accounting {
  readonly name: "published" | "corrected";
  /** The corrections that are on; none under `published` unless asked for by name. */
  readonly corrections: readonly string[];
  /** Mappings as published, or searched for where the spec leaves a choice. */
  readonly mapping: "published" | "search";
}

export const published: Accounting = { name: "published", corrections: [], mapping: "published" };
