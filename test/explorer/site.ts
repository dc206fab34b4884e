import { createReadStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import { build } from "vite";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
};

export interface Site {
  /** The explorer's address; it ends with a slash and has a folder in its path, as on a file host. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

const explorer = fileURLToPath(new URL("../../explorer", import.meta.url));

/** Builds the explorer from the sources as they are now and serves it. */
export async function serveExplorer(compress = false): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-explorer-"));
  await build({ root: explorer, logLevel: "warn", build: { outDir: folder, emptyOutDir: true } });
  const site = await serveSite(folder, compress);
  const close = async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...site, close };
}

/** Serves a built explorer under `/some/folder/`, with plain headers, as any file host would; most of them compress. */
export async function serveSite(folder: string, compress = false): Promise<Site> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const inside = path.startsWith("/some/folder/") ? normalize(path.slice("/some/folder".length)) : null;
    const file = inside === null ? null : join(folder, inside.endsWith("/") ? `${inside}index.html` : inside);
    const found = file !== null && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    const type = { "content-type": types[extname(file ?? "")] ?? "application/octet-stream" };
    // Static hosts let browsers keep a file for some minutes: what the page has fetched its threads need not fetch again.
    const headers = { ...type, "cache-control": "max-age=600" };
    response.writeHead(found ? 200 : 404, compress ? { ...headers, "content-encoding": "gzip" } : headers);
    if (!found) response.end();
    else if (compress) createReadStream(file).pipe(createGzip()).pipe(response);
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>(resolve => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://localhost:${port}/some/folder/`,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
}
