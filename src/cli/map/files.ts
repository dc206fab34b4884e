import { dirname, relative, resolve } from "node:path";
import { Document, isCollection, isMap, isPair, visit } from "yaml";
import type { MappingFiles } from "../../model/mapper/design.js";
import { type Patch, patchDocument } from "../../model/patch.js";
import type { Design } from "../../spec/design.js";
import type { ScheduleDocument } from "../../spec/schedule/document.js";

/** The files of each mapping, numbered where there are several; and those of the specs of which --set has changed fields. */
export function filesOf(
  design: Design,
  patches: readonly Patch[],
  all: readonly (MappingFiles & { readonly isOwn: boolean; readonly schedule?: ScheduleDocument })[],
  name: string,
  source: string,
  out: string,
): ReadonlyMap<string, string> {
  const { spec } = design;
  // Names of the package's own specs stay; files are sought from the new place.
  const from = (text: string, isFile: RegExp): string =>
    isFile.test(text) ? relative(resolve(out), resolve(dirname(spec.file), text)) : text;
  const set = patchedSpecs(design, patches, out);
  return new Map([
    ...set,
    ...all.flatMap(({ mapping, binding, schedule, isOwn }, i) => {
      const number = all.length === 1 ? "" : `-${i + 1}`;
      const file = {
        name: `${name}${number}`,
        label: `${design.label}, mapped`,
        source,
        cascade: from(spec.data.cascade ?? "", /\.(cascade|txt)$/i),
        architecture: set.has(architectureFile) ? `./${architectureFile}` : from(spec.data.architecture, /\.ya?ml$/i),
        ...(spec.data.arithmetic === undefined ? {} : { arithmetic: from(spec.data.arithmetic, /\.ya?ml$/i) }),
        ...(isOwn
          ? ownParts(spec.data, text => from(text, /\.ya?ml$/i))
          : { mapping: `./mapping${number}.yaml`, binding: `./binding${number}.yaml` }),
      };
      if (isOwn) return [[`design${number}.yaml`, inYaml(file)] as const];
      return [
        [`design${number}.yaml`, inYaml(file)],
        [`mapping${number}.yaml`, inYaml(mapping)],
        [`binding${number}.yaml`, inYaml(binding)],
        ...(schedule === undefined ? [] : [[`schedule${number}.yaml`, inYaml({ ...schedule, source })] as const]),
      ] as const;
    }),
  ]);
}

/** The parts of a design whose own mapping was not bettered. */
function ownParts(
  { mapping, binding, schedule, unchargedWhenPublished }: Design["spec"]["data"],
  from: (text: string) => string,
) {
  return {
    mapping: from(mapping),
    binding: from(binding),
    ...(schedule === undefined ? {} : { schedule: from(schedule) }),
    ...(unchargedWhenPublished === undefined ? {} : { unchargedWhenPublished }),
  };
}

/** Whether a file of that name may be among those of a search. */
export const isOwnFile = (name: string): boolean =>
  [architectureFile, technologyFile].includes(name) || /^(design|mapping|binding|schedule)(-\d+)?\.yaml$/.test(name);

const [architectureFile, technologyFile] = ["architecture.yaml", "technology.yaml"];

/** The architecture and the technology as --set has them. */
function patchedSpecs(design: Design, patches: readonly Patch[], out: string): ReadonlyMap<string, string> {
  const architecture = patchDocument(design.architecture, "architecture", patches);
  const technology = patchDocument(design.technology, "technology", patches);
  const isPatched = technology !== design.technology;
  const given = design.technology.data.name;
  const isOther = given !== design.architecture.data.technology;
  if (architecture === design.architecture && !isPatched && !isOther) return new Map();
  const { file, shipped } = design.technology;
  const named = isPatched ? `./${technologyFile}` : shipped ? given : relative(resolve(out), resolve(file));
  const own = { ...(architecture.raw as object), technology: named };
  return new Map([
    [architectureFile, inYaml(own)],
    ...(isPatched ? [[technologyFile, inYaml(technology.raw)] as const] : []),
  ]);
}

/** Lists of names, and maps of such lists, on one line each. */
function inYaml(data: unknown): string {
  const document = new Document(data);
  visit(document, {
    Collection: (_, node) => {
      const inner = node.items.map(item => (isPair(item) ? item.value : item));
      const isFlat = inner.every(value => !isCollection(value) || (!isMap(value) && !value.items.some(isCollection)));
      if (isFlat && !(isMap(node) && inner.length > 4 && inner.every(value => !isCollection(value)))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 120 });
}
