import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/**
 * The built package as npm would install it: `folder`/node_modules/fusemax, with links to its dependencies but those in `left`,
 * which are for the test to fill in.
 */
export function installedCopy(...left: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-installed-"));
  const modules = join(folder, "node_modules");
  const own = join(modules, "fusemax");
  mkdirSync(own, { recursive: true });
  for (const part of ["dist", "package.json"]) cpSync(join(root, part), join(own, part), { recursive: true });
  for (const part of ["specs", "shaders"]) symlinkSync(join(root, part), join(own, part));
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name.startsWith(".") || name === "@sparticuz" || left.includes(name)) continue;
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  return {
    folder,
    modules,
    own,
    program: join(own, "dist/cli/main.js"),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
