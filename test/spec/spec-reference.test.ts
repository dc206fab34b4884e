import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { fieldsOf, folders, specReference } from "../../src/report/spec-reference.js";
import { fileKinds, type JsonSchema, jsonSchemaOf } from "../../src/spec/json-schema.js";
import { readYaml } from "../../src/spec/yaml.js";
import { invoke } from "../cli/invoke.js";

const root = new URL("../../", import.meta.url);

/** Whether data is what a schema says: as an editor checks it. */
function fits(schema: JsonSchema, data: unknown): boolean {
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (branches.length > 0 && !branches.some(branch => fits(branch, data))) return false;
  if (schema.const !== undefined && data !== schema.const) return false;
  if (schema.enum !== undefined && !schema.enum.includes(data as string)) return false;
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  const is: Readonly<Record<string, (d: unknown) => boolean>> = {
    string: d => typeof d === "string",
    number: d => typeof d === "number",
    integer: d => Number.isInteger(d),
    boolean: d => typeof d === "boolean",
    array: d => Array.isArray(d),
    object: d => typeof d === "object" && d !== null && !Array.isArray(d),
  };
  if (types.length > 0 && !types.some(type => is[type]?.(data) === true)) return false;
  if (Array.isArray(data)) return data.every(entry => schema.items === undefined || fits(schema.items, entry));
  if (!is["object"]?.(data)) return true;
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const own = Object.entries(data as Record<string, unknown>);
  return (
    required.every(name => own.some(([key]) => key === name)) &&
    own.every(([key, value]) => {
      const inner = properties[key];
      if (inner !== undefined) return fits(inner, value);
      return typeof additionalProperties === "boolean" ? additionalProperties : fits(additionalProperties, value);
    })
  );
}

describe("the reference of the specs' fields", () => {
  it("stands in docs/spec-reference.md as the command writes it", () => {
    expect(readFileSync(new URL("docs/spec-reference.md", root), "utf8")).toBe(specReference());
  });

  it.each(fileKinds)("says something of every field of a %s", kind => {
    const fields = fieldsOf(kind);
    expect(fields.length).toBeGreaterThan(2);
    for (const { path, descriptions } of fields) expect(descriptions.join(), path).toMatch(/\w.*\.$/);
  });

  it.each(fileKinds)(
    "law: the JSON Schema of a %s takes every file that ships, and none with a field it lacks",
    kind => {
      const schema = jsonSchemaOf(kind);
      const names = specFiles.names(folders[kind]);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) {
        const { file, text } = specFiles.read(folders[kind], name) ?? { file: name, text: "" };
        const { data } = readYaml(file, text);
        expect(fits(schema, data), name).toBe(true);
        if (kind !== "schedule") expect(fits(schema, { ...(data as object), colour: 1 }), name).toBe(false);
      }
    },
  );

  it("prints a kind's schema, or all of them; another kind is one line", async () => {
    const one = await invoke("schema", "binding");
    expect(JSON.parse(one.stdout)).toEqual(JSON.parse(JSON.stringify(jsonSchemaOf("binding"))));
    expect(Object.keys(JSON.parse((await invoke("schema")).stdout))).toEqual(fileKinds);
    expect((await invoke("schema", "colour")).stderr).toBe(
      `fusemax: schema: got "colour"; expected one of ${fileKinds.join(", ")}\n`,
    );
  });

  const page = new URL("dist/explorer/assets/", root);
  it.runIf(existsSync(page))("leaves its words out of the explorer", () => {
    for (const name of readdirSync(page).filter(file => file.endsWith(".js"))) {
      expect(readFileSync(new URL(name, page), "utf8"), name).not.toMatch(/Cycles from asking for a word/);
    }
  });
});
