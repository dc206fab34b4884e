import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { InputError } from "../../src/errors.js";
import { isText, type OwnDesign, ownDesign, ownFolder, rootFile } from "./own.js";

/** The files in a folder in one archive, as the command line takes them. */
export function zipOf({ files }: OwnDesign): Uint8Array<ArrayBuffer> {
  const folder = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]));
  return new Uint8Array(zipSync({ [ownFolder]: folder }));
}

/** What a design and its parts may be, archives unpacked: far above any. */
const mostBytes = 2 ** 22;
const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/**
 * The design of some files, or of an archive of them: the design's own file, whatever its name, and what it names.
 * @throws InputError where none of them is a design
 */
export async function designOfFiles(given: readonly File[], base: string): Promise<OwnDesign> {
  const texts = new Map<string, string>();
  for (const file of given) {
    if (file.size > mostBytes) throw tooLarge(file.name);
    if (!/\.zip$/i.test(file.name)) texts.set(baseName(file.name), await file.text());
    else
      for (const [name, text] of unzipped(file.name, new Uint8Array(await file.arrayBuffer()))) texts.set(name, text);
  }
  const root = texts.has(rootFile)
    ? rootFile
    : [...texts].find(([, text]) => ["architecture", "mapping", "binding"].every(field => hasField(text, field)))?.[0];
  if (root === undefined) {
    throw new InputError({
      where: "files",
      got: [...texts.keys()].join(", ") || "none",
      expected: "a design's YAML, which names its architecture, mapping and binding, and the files that it names",
    });
  }
  const others = [...texts].filter(([name]) => name !== root && name !== rootFile);
  return ownDesign(base, { [rootFile]: texts.get(root) ?? "", ...Object.fromEntries(others) });
}

const hasField = (text: string, field: string): boolean => new RegExp(`^${field}:`, "m").test(text);

const tooLarge = (where: string): InputError =>
  new InputError({ where, got: "a file that is too large", expected: `at most ${mostBytes} bytes` });

function unzipped(archive: string, bytes: Uint8Array): readonly (readonly [string, string])[] {
  try {
    let size = 0;
    const found = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        size += originalSize;
        if (size > mostBytes) throw tooLarge(archive);
        return isText(name);
      },
    });
    return Object.entries(found).map(([name, text]) => [baseName(name), strFromU8(text)]);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError({ where: archive, got: String(error), expected: "a ZIP archive of a design's files" });
  }
}
