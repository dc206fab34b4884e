import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { cacheFolder } from "./cache-folder.js";
import { checkLoadable, type Pin, readPinned } from "./pinned-file.js";
import { temporaryFolder, whyNotPrivate } from "./private-folder.js";
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
/** The variable in which a user names the archive, where it does not lie beside this package. */
export const archiveVariable = "FUSEMAX_SWIFTSHADER";
const archivePath = join("@sparticuz", "chromium", "bin", "swiftshader.tar.br");

/** The archive of that version, and those of its files that are loaded; nothing else ever is. */
const archivePin: Pin = {
  bytes: 3490801,
  sha256: "f957ea867313f9815b71dc2ed30cce301e01db4f3973fbdb31ffa5391b0ec45a",
};
const filePins: Readonly<Record<string, Pin>> = {
  "libvulkan.so.1": { bytes: 787592, sha256: "fe17a77c1f2df38d3b6a935140f746fd80aac564bb44eb3e4f6b75a504295a41" },
  "libvk_swiftshader.so": {
    bytes: 6026040,
    sha256: "5b9e8591c7c2d1c9618c3ad485d0cdffb81f5f1ffd6a982fdb6578c2d8d3213e",
  },
  "vk_swiftshader_icd.json": { bytes: 107, sha256: "c9eef28b6b984fec220ef0abfecc40b502d46946706e47bfe97707027cb818bd" },
};

/** The folder of this package. */
const ownFolder = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The archive that the user names, else that of an @sparticuz/chromium installed with the package in `own`: in its
 * node_modules, or in the one that it lies in itself. Never one that lies elsewhere, such as in the working directory.
 */
export function findSwiftShaderArchive(own: string = ownFolder): string | null {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  const named = process.env[archiveVariable];
  if (named !== undefined && named !== "") return named;
  const folder = join(own); // without a slash at its end
  const around = [dirname(folder), dirname(dirname(folder))].filter(above => basename(above) === "node_modules");
  const candidates = [join(folder, "node_modules"), ...around].map(modules => join(modules, archivePath));
  return candidates.find(candidate => existsSync(candidate)) ?? null;
}

/**
 * SwiftShader out of its archive, every file checked. It is kept in `cache` from one process to the next, unless others could
 * change what lies there. Several processes may unpack it at the same time.
 * @throws Error when the archive is another, or there is no room.
 */
export function unpackSwiftShader(archive: string, cache: string = cacheFolder()): SwiftShader {
  const packed = readPinned(archive, archivePin);
  const kept = join(cache, `swiftshader-${archivePin.sha256.slice(0, 16)}`);
  return whenLoadable(kept) ?? keepIn(cache, kept, packed) ?? loadable(unpackInto(temporaryFolder(), packed));
}

/** Unpacks into the cache; null where that can't be trusted or has no room. */
function keepIn(cache: string, kept: string, packed: Uint8Array): SwiftShader | null {
  if (whyNotPrivate(cache) !== null) return null;
  let folder: string | null = null;
  try {
    folder = unpackInto(cache, packed);
    try {
      renameSync(folder, kept);
    } catch {
      const other = whenLoadable(kept); // of a process that was faster
      if (other !== null) return other;
      rmSync(kept, { recursive: true, force: true }); // not as it was left
      renameSync(folder, kept);
    }
    return loadable(kept);
  } catch {
    return null;
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

function whenLoadable(folder: string): SwiftShader | null {
  try {
    return loadable(folder);
  } catch {
    return null;
  }
}

/** @throws Error unless the folder holds all files, as they were unpacked and changeable by this user alone. */
function loadable(folder: string): SwiftShader {
  const why = whyNotPrivate(folder);
  if (why !== null) throw new Error(why);
  for (const [name, pin] of Object.entries(filePins)) checkLoadable(join(folder, name), pin);
  return { folder, loader: join(folder, "libvulkan.so.1"), manifest: join(folder, "vk_swiftshader_icd.json") };
}

/** Unpacks the files into a new folder. */
function unpackInto(parent: string, packed: Uint8Array): string {
  const folder = mkdtempSync(join(parent, "swiftshader-partial-"));
  try {
    for (const file of readTar(brotliDecompressSync(packed))) {
      if (filePins[file.name] === undefined) continue; // the OpenGL libraries beside them are not needed
      const path = join(folder, file.name);
      writeFileSync(path, file.bytes, { flag: "wx" });
      chmodSync(path, file.executable ? 0o755 : 0o644);
    }
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** SwiftShader where an archive is installed or named, else null. @throws Error when it can't be used. */
export function installedSwiftShader(): SwiftShader | null {
  const archive = findSwiftShaderArchive();
  return archive === null ? null : unpackSwiftShader(archive);
}
