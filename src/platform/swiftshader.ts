import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { cacheFolder } from "./cache-folder.js";
import { readTar } from "./tar.js";

/** SwiftShader unpacked: a Vulkan driver that runs on the CPU, with the loader that finds it. */
export interface SwiftShader {
  /** Holds libvulkan.so.1, the Vulkan loader. */
  readonly folder: string;
  readonly loader: string;
  /** The driver's manifest, for VK_ICD_FILENAMES. */
  readonly manifest: string;
}

/** The npm package whose archive carries SwiftShader; it brings Linux x86-64 builds only. */
export const swiftShaderPackage = "@sparticuz/chromium@147.0.0";
const archivePath = join("node_modules", "@sparticuz", "chromium", "bin", "swiftshader.tar.br");

/** The archive of an installed @sparticuz/chromium, looked for upwards from this package and from the working directory. */
export function findSwiftShaderArchive(
  starts: readonly string[] = [dirname(fileURLToPath(import.meta.url)), process.cwd()],
): string | null {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  for (const start of starts) {
    for (let folder = start; ; folder = dirname(folder)) {
      const candidate = join(folder, archivePath);
      if (existsSync(candidate)) return candidate;
      if (dirname(folder) === folder) break;
    }
  }
  return null;
}

/** Unpacks the archive into the cache, once per content; several processes may do so at the same time. */
export function unpackSwiftShader(archive: string, cache: string = cacheFolder()): SwiftShader {
  const packed = readFileSync(archive);
  const digest = createHash("sha256").update(packed).digest("hex").slice(0, 16);
  const folder = join(cache, `swiftshader-${digest}`);
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true, mode: 0o700 });
    try {
      for (const file of readTar(brotliDecompressSync(packed))) {
        if (!/vulkan|vk_swiftshader/.test(file.name)) continue; // the OpenGL libraries beside them are not needed
        writeFileSync(join(partial, basename(file.name)), file.bytes, { mode: file.executable ? 0o755 : 0o644 });
      }
      renameSync(partial, folder);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(folder)) throw error; // another process was faster
    }
  }
  return { folder, loader: join(folder, "libvulkan.so.1"), manifest: join(folder, "vk_swiftshader_icd.json") };
}

/** SwiftShader where an archive is installed, else null. */
export function installedSwiftShader(): SwiftShader | null {
  const archive = findSwiftShaderArchive();
  return archive === null ? null : unpackSwiftShader(archive);
}
