import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The release that this is. */
export function programVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return version;
}

/** The parts of the program that numbers come from. */
const counted = ["attention", "einsum", "emulator", "model", "numerics", "program", "spec"];

let known: string | null = null;

/** The release and a digest of the code that numbers come from: two builds of one release may differ. */
export function programIdentity(): string {
  known ??= digestOfProgram();
  return known;
}

function digestOfProgram(): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const hash = createHash("sha256");
  for (const folder of counted) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const file of files.filter(name => /(?<!\.d)\.[jt]s$/.test(name)).sort()) {
      hash.update(`${folder}/${file}\n`).update(readFileSync(join(root, folder, file)));
    }
  }
  return `${programVersion()} ${hash.digest("hex").slice(0, 16)}`;
}
