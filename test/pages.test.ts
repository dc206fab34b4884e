import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Every page for readers, from the root. */
const pages = [
  ...readdirSync(root).filter(name => name.endsWith(".md")),
  ...["docs", "bench", "examples"].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map(name => `${folder}/${name.replaceAll("\\", "/")}`)
      .filter(name => name.endsWith(".md") && !name.startsWith("docs/api/")),
  ),
];
const textOf = (page: string): string => readFileSync(join(root, page), "utf8");

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

describe("pages", () => {
  it("are there", () => expect(pages.length).toBeGreaterThan(20));

  it.each(pages)("law: every link of %s leads to a file, and to a heading where it names one", page => {
    for (const [, target = ""] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      expect(existsSync(join(root, file)), `${page} links to ${target}`).toBe(true);
      if (anchor !== undefined) expect([...anchorsOf(file)], `${page} links to ${target}`).toContain(anchor);
    }
  });

  it.each(["ARCHITECTURE.md", "CONTRIBUTING.md"])("law: every path in code that %s names is there", page => {
    const paths = [...textOf(page).matchAll(/`((?:[\w-]+\/)+[\w.-]*)`/g)].map(([, path = ""]) => path);
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) {
      if (path.includes("NAME")) continue; // a pattern
      const isThere = existsSync(join(root, path)) || existsSync(join(root, "src", path));
      expect(isThere || /^(dist|docs\/api)\b/.test(path), `${page} names ${path}`).toBe(true);
    }
  });

  it.each(pages)("law: every npm script that %s names is in package.json", page => {
    const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
    for (const [, name = ""] of textOf(page).matchAll(/npm run ([\w:-]+[\w])/g)) {
      expect(Object.keys(scripts), page).toContain(name);
    }
  });
});
