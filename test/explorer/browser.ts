import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { cacheFolder } from "../../src/platform/cache-folder.js";
import { readTar } from "../../src/platform/tar.js";

/** The browser inside the dev dependency `@sparticuz/chromium`, with its libraries, fonts and SwiftShader. */
const archives = fileURLToPath(new URL("../../node_modules/@sparticuz/chromium/bin", import.meta.url));

/** Unpacks the browser once a machine; several test files may do so at the same time. */
function unpackBrowser(): string {
  const folder = join(cacheFolder(), "chromium-147.0.0");
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.partial`;
  for (const packed of readdirSync(archives)) {
    const bytes = brotliDecompressSync(readFileSync(join(archives, packed)));
    const files = packed.endsWith(".tar.br")
      ? readTar(bytes)
      : [{ name: packed.replace(/\.br$/, ""), executable: true, bytes }];
    for (const file of files) {
      const path = join(partial, file.name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.bytes, { mode: file.executable ? 0o755 : 0o644 });
    }
  }
  writeFileSync(join(partial, "fonts.conf"), fontSettings(folder));
  try {
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // another process was faster
  }
  return folder;
}

/** The archive's own settings name the folders of one cloud; without any font Chromium ends itself. */
const fontSettings = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/font-cache</cachedir>
</fontconfig>
`;

/** Headless Chromium; with `webgpu` it has an adapter, SwiftShader, and without it `navigator.gpu` gives none. */
export async function startBrowser({ webgpu }: { readonly webgpu: boolean }): Promise<Browser> {
  const folder = unpackBrowser();
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  const adapter = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan,WebGPU"];
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args: ["--no-sandbox", "--disable-quic", ...quiet, ...(webgpu ? adapter : ["--disable-features=WebGPU"])],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: `${join(folder, "lib")}:${folder}`,
      FONTCONFIG_PATH: folder,
      VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    },
  });
}
