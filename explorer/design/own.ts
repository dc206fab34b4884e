/** What a design of the visitor's own is called among the shipped ones in the state; its own name is in its file. */
export const ownName = "own";

/** The file that names the others. */
export const rootFile = "design.yaml";

/** The folder that the files are exported in. */
export const ownFolder = "my-design";

/** The same for the command line. */
export const ownPath = `${ownFolder}/${rootFile}`;

/** A design of the visitor's own: texts by file name, as they are typed, right or wrong. */
export interface OwnDesign {
  /** The same for the same texts, within one visit. */
  readonly id: number;
  /** The shipped design that it began as. */
  readonly base: string;
  readonly files: Readonly<Record<string, string>>;
}

const known = new Map<string, OwnDesign>();
/** A keystroke makes a design; old ones are of no use but for steps back in the history. */
const mostKnown = 64;
let made = 0;

/** The design of these texts: the same object for the same texts, so that what is known of it is found again. */
export function ownDesign(base: string, files: OwnDesign["files"]): OwnDesign {
  const key = JSON.stringify([base, files]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const [oldest] = known.keys();
  if (known.size >= mostKnown && oldest !== undefined) known.delete(oldest);
  made += 1;
  const design: OwnDesign = { id: made, base, files };
  known.set(key, design);
  return design;
}

/** Whether a file can be one of a design's. */
export const isText = (name: string): boolean => /\.(ya?ml|cascade|txt)$/i.test(name);

/** The same, or an archive of them. */
export const isDesignFile = ({ name }: { readonly name: string }): boolean => isText(name) || /\.zip$/i.test(name);
