import { readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { instrument } from "./instrument.mjs";

/** Files by patterns whose last part may have stars. */
const filesOf = patterns =>
  patterns.flatMap(pattern => {
    const name = new RegExp(`^${basename(pattern).replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
    const found = readdirSync(dirname(pattern)).filter(file => name.test(file));
    return found.sort().map(file => resolve(dirname(pattern), file));
  });

const own = name => resolve("scripts/mutants", name);

/** Bundles test files with the sources that they reach, `sources` but for some with their mutants; gives the mutants. */
export async function bundle(sources, without, testFiles, folder) {
  const others = new Set(filesOf(without));
  const mutated = new Set(filesOf(sources).filter(file => !others.has(file)));
  const mutants = [];
  const entry = join(folder, "entry.mjs");
  const imports = filesOf(testFiles).map(file => `await import(${JSON.stringify(file)});`);
  const lines = [
    `import ${JSON.stringify(resolve("test/property-seed.ts"))};`,
    `import { serve } from ${JSON.stringify(own("serve.mjs"))};`,
    `await serve(async () => {\n${imports.join("\n")}\n});`,
  ];
  writeFileSync(entry, lines.join("\n"));
  const build = await rolldown({
    input: entry,
    platform: "node",
    external: [/^node:/, "webgpu"],
    resolve: {
      alias: {
        vitest: own("vitest-stand-in.mjs"),
        "fast-check": own("fast-check-stand-in.mjs"),
        "mutants:active": own("active.mjs"),
      },
      extensionAlias: { ".js": [".ts", ".js"] },
    },
    treeshake: false,
    logLevel: "silent",
    plugins: [
      {
        name: "mutants",
        transform(code, id) {
          if (id.includes("node_modules") || !id.endsWith(".ts")) return null;
          const here = code
            .replaceAll("import.meta.dirname", JSON.stringify(dirname(id)))
            .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href));
          if (!mutated.has(id)) return here === code ? null : { code: here, moduleType: "ts" };
          const changed = instrument(here, mutants.length);
          for (const one of changed.mutants) mutants.push({ ...one, file: relative(".", id) });
          return { code: changed.code, moduleType: "ts" };
        },
      },
    ],
  });
  const file = join(folder, "tests.mjs");
  await build.write({ file, format: "esm", codeSplitting: false });
  await build.close();
  return { file, mutants };
}
