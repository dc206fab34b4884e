import { defineConfig } from "vite";

/** A static site that works under any path: relative addresses, no server of ours, nothing fetched from elsewhere. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  build: { outDir: "../dist/explorer", emptyOutDir: true, target: "es2022" },
  worker: { format: "es" },
  server: { host: "localhost", fs: { allow: [".."] } },
});
