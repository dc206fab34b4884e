import { defineConfig } from "vite";

/** The kernels keep their names: the engine asks for them by name in one folder. */
const output = {
  assetFileNames: ({ names }: { readonly names: readonly string[] }) =>
    names[0]?.endsWith(".wasm") ? "wasm/[name][extname]" : "assets/[name]-[hash][extname]",
};

/** A static site that works under any path: relative addresses, no server of ours, nothing fetched from elsewhere. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  build: { outDir: "../dist/explorer", emptyOutDir: true, target: "es2022", rolldownOptions: { output } },
  worker: { format: "es", rolldownOptions: { output } },
  server: { host: "localhost", fs: { allow: [".."] } },
});
