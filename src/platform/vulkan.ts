import { existsSync, readdirSync } from "node:fs";
import { homedir, constants as os } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

/**
 * How Dawn comes to its Vulkan drivers on Linux: it opens the loader `libvulkan.so.1` by name, and the loader reads
 * the drivers' manifests. Dawn prints warnings to stderr when either is missing, so both are looked at before.
 */

const soname = "libvulkan.so.1";
/** glibc's <dlfcn.h>: the library stays when Node, which finds no addon in it, closes it again. */
const RTLD_NODELETE = 0x1000;

/** Whether the dynamic loader finds a Vulkan loader by name: on the system, or one that `keepLoader` brought in. */
export function hasLoader(): boolean {
  return process.platform !== "linux" || open(soname) === null;
}

/**
 * Opens a Vulkan loader by path for good. A later open by name, such as Dawn's, then finds it by its soname.
 * Null, or why it can't be opened.
 */
export function keepLoader(path: string): string | null {
  return open(path);
}

function open(library: string): string | null {
  try {
    process.dlopen({ exports: {} }, library, os.dlopen.RTLD_NOW | RTLD_NODELETE);
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return why.includes("did not self-register") ? null : why; // opened, and is no addon
  }
}

/** The drivers the user has asked for; such a choice is never overridden. */
export function chosenDrivers(): string | null {
  return process.env["VK_DRIVER_FILES"] || process.env["VK_ICD_FILENAMES"] || null;
}

/** Whether the Vulkan loader will find any driver's manifest (its documented search path on Linux). */
export function hasDriver(): boolean {
  if (process.platform !== "linux" || process.env["VK_ADD_DRIVER_FILES"]) return true;
  const chosen = chosenDrivers();
  if (chosen !== null) return chosen.split(":").some(path => existsSync(path));
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const folders = [
    XDG_CONFIG_HOME || join(homedir(), ".config"),
    ...(XDG_CONFIG_DIRS || "/etc/xdg").split(":"),
    "/etc",
    "/usr/local/etc",
    XDG_DATA_HOME || join(homedir(), ".local/share"),
    ...(XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(":"),
    "/usr/local/share",
    "/usr/share",
  ];
  return folders.some(folder => manifests(join(folder, "vulkan/icd.d")));
}

function manifests(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some(name => name.endsWith(".json"));
}

/** Runs `action` while the Vulkan loader sees one driver only. The environment is a process's, not a worker thread's. */
export async function withDriver<T>(manifest: string, action: () => Promise<T>): Promise<T> {
  if (!isMainThread) throw new Error("a driver can be chosen in the main thread only");
  const before = process.env["VK_ICD_FILENAMES"];
  process.env["VK_ICD_FILENAMES"] = manifest;
  try {
    return await action();
  } finally {
    if (before === undefined) delete process.env["VK_ICD_FILENAMES"];
    else process.env["VK_ICD_FILENAMES"] = before;
  }
}
