/**
 * Packs the package and installs it as its users do, with npm, npm without install scripts, pnpm and yarn, each in a new
 * folder; then runs the command and imports the library. Exit code 1 where one fails.
 *
 *   node scripts/managers.mjs [npm|npm-without-scripts|pnpm|yarn …]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const shell = process.platform === "win32"; // npm and npx are .cmd files there

/** How each installs a tarball. Versions are those that take Node 20. */
const managers = {
  npm: tarball => ["npm", "install", "--no-audit", "--no-fund", tarball],
  "npm-without-scripts": tarball => ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", tarball],
  pnpm: tarball => ["npx", "--yes", "pnpm@10", "add", tarball],
  yarn: tarball => ["npx", "--yes", "yarn@1", "add", "--no-progress", tarball],
};

const program = `
  import { loadDesign, loadWorkload, modelResults, accountingOf, specFiles } from "fusemax/node";
  const designs = [loadDesign(specFiles, "fusemax")];
  const request = { designs, workloads: [loadWorkload(specFiles, "bert")], phase: "prefill", decodeQueries: 1 };
  const { results } = modelResults({ ...request, lengths: [4096], accounting: accountingOf("corrected", undefined) });
  if (!(results[0].latencySeconds > 0)) throw new Error("no latency");
`;

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(managers);
const folder = mkdtempSync(join(tmpdir(), "fusemax-managers-"));
try {
  const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: root,
    shell,
  });
  const tarball = join(folder, JSON.parse(String(packed))[0].filename);
  for (const name of names) {
    const manager = managers[name];
    if (manager === undefined) throw new Error(`got ${name}; expected ${Object.keys(managers).join(", ")}`);
    const at = join(folder, name);
    mkdirSync(at);
    writeFileSync(
      join(at, "package.json"),
      '{ "name": "user", "version": "1.0.0", "private": true, "type": "module" }',
    );
    writeFileSync(join(at, "program.mjs"), program);
    const [command, ...args] = manager(tarball);
    const bin = join(at, "node_modules", "fusemax", "dist", "cli", "main.js");
    const steps = [
      [command, args],
      [process.execPath, ["program.mjs"]],
      [process.execPath, [bin, "model", "--seq", "4K"]],
      [process.execPath, [bin, "run", "--seq", "256", "--engine", "wasm"]],
    ];
    for (const [what, given] of steps) {
      const { status, stderr, stdout } = spawnSync(what, given, {
        cwd: at,
        shell: shell && what !== process.execPath,
        encoding: "utf8",
      });
      if (status === 0) continue;
      process.stdout.write(`${name}: failed at ${[what, ...given].join(" ")}\n${stdout}${stderr}\n`);
      process.exitCode = 1;
      break;
    }
    if (process.exitCode !== 1) process.stdout.write(`${name}: installed, imported, ran\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
