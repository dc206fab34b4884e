import { readFile } from "node:fs/promises";
import { defineConfig, type Plugin } from "vite";

/**
 * The texts of specs come without their comments, which nobody sees in the page and which are a third of them. What is
 * before a comment stays in its line and column, so that messages name the file's places.
 */
const specsWithoutComments: Plugin = {
  name: "specs-without-comments",
  enforce: "pre",
  async load(id) {
    const [path = "", query] = id.split("?");
    if (query !== "raw" || !/\/specs\/\w+\/[^/]+\.yaml$/.test(path)) return null;
    const text = await readFile(path, "utf8");
    // A # begins a comment at the start of a line or after a blank, unless it is within quotes.
    const bare = text.replace(
      /("[^"\n]*"|'[^'\n]*')|(^|[ \t]+)#.*$/gm,
      (_, quoted: string | undefined) => quoted ?? "",
    );
    return `export default ${JSON.stringify(bare)}`;
  },
};

/** The words of the schemas' fields (src/spec/fields.ts, `described`) are for `fusemax schema` alone. */
const schemasWithoutWords: Plugin = {
  name: "schemas-without-words",
  enforce: "pre",
  transform: (code, id) =>
    /\/src\/spec\/.*\.ts$/.test(id) ? code.replace(/(\bdescribed\(\s*)"(?:[^"\\\n]|\\.)*"/g, '$1""') : null,
};

/** The kernels keep their names: the engine asks for them by name in one folder. */
const output = {
  assetFileNames: ({ names }: { readonly names: readonly string[] }) =>
    names[0]?.endsWith(".wasm") ? "wasm/[name][extname]" : "assets/[name]-[hash][extname]",
};

const { version, repository } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
  readonly repository?: string | { readonly url: string };
};
/** Where the sources are, as a page; null where package.json does not say. */
const source =
  (typeof repository === "object" ? repository.url : repository)?.replace(/^git\+/, "").replace(/\.git$/, "") ?? null;

/** A static site that works under any path: relative addresses, no server of ours, nothing fetched from elsewhere. */
export default defineConfig({
  root: import.meta.dirname,
  define: { __VERSION__: JSON.stringify(version), __SOURCE__: JSON.stringify(source) },
  base: "./",
  plugins: [specsWithoutComments, schemasWithoutWords],
  build: { outDir: "../dist/explorer", emptyOutDir: true, target: "es2022", rolldownOptions: { output } },
  worker: { format: "es", plugins: () => [specsWithoutComments, schemasWithoutWords], rolldownOptions: { output } },
  server: { host: "localhost", fs: { allow: [".."] } },
});
