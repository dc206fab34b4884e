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

/**
 * Threads as entries of the same build, so that what they share with the page is fetched once: the model and the texts of specs
 * are most of either.
 */
const threadsShareChunks: Plugin = {
  name: "threads-share-chunks",
  apply: "build",
  enforce: "pre",
  async transform(code, id) {
    const places = [...code.matchAll(/new URL\("([^"]+\.ts)", import\.meta\.url\)(?=, \{ type: "module" \})/g)];
    let made = code;
    for (const [whole, path = ""] of places) {
      const thread = await this.resolve(path, id);
      if (thread === null) this.error(`${id}: there is no ${path}`);
      // By their folder: chunks of the same name would get the same reference.
      const name = thread.id.split("/").slice(-2).join("-").replace(/\.ts$/, "");
      const file = this.emitFile({ type: "chunk", id: thread.id, name });
      made = made.replace(whole, `import.meta.ROLLUP_FILE_URL_${file}`);
    }
    return places.length === 0 ? null : made;
  },
};

/** What is known of a built chunk. */
interface Chunk {
  readonly facadeModuleId?: string | null;
  readonly fileName: string;
  readonly imports?: readonly string[];
}

/** A chunk and all that it imports. */
function withImports(file: string, bundle: Readonly<Record<string, Chunk>>, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const other of bundle[file]?.imports ?? []) withImports(other, bundle, found);
  return found;
}

/** The part that the address names is fetched with the page, not after it has run. */
const preloadOfPart: Plugin = {
  name: "preload-of-part",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle = {} }) {
      const chunks: Readonly<Record<string, Chunk>> = bundle;
      const parts = Object.values(chunks).flatMap(({ facadeModuleId, fileName }) => {
        const part = /\/panels\/(\w+)\.tsx$/.exec(facadeModuleId ?? "")?.[1];
        const files = [...withImports(fileName, chunks)].filter(file => !html.includes(file));
        return part === undefined ? [] : [[part, files] as const];
      });
      const script = `for (const file of ${JSON.stringify(Object.fromEntries(parts))}[/^#\\d+\\/(\\w+)/.exec(location.hash)?.[1] ?? "cost"] ?? [])
        document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", crossOrigin: "", href: "./" + file }));`;
      return [{ tag: "script", children: script, injectTo: "head" }];
    },
  },
};

/** The kernels keep their names: the engine asks for them by name in one folder. */
const output = {
  // What most parts and threads share is one file: dozens of small ones come later than a large one.
  codeSplitting: { groups: [{ name: "shared", minShareCount: 6 }] },
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
  plugins: [specsWithoutComments, schemasWithoutWords, threadsShareChunks, preloadOfPart],
  build: {
    chunkSizeWarningLimit: 600,
    outDir: "../dist/explorer",
    emptyOutDir: true,
    target: "es2022",
    rolldownOptions: { output },
  },
  worker: { format: "es", plugins: () => [specsWithoutComments, schemasWithoutWords], rolldownOptions: { output } },
  server: { host: "localhost", fs: { allow: [".."] } },
});
