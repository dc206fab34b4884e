import { axisOrder, type NamedAxes, reorderAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import { inputShape, sizesOfInputs } from "../../einsum/input-shape.js";
import { parseShape, requireSizes, solveShape } from "../../einsum/shape.js";
import { interpretableElements } from "../../einsum/tensor-store.js";
import { breather } from "../../emulator/breathe.js";
import { howMany, InputError } from "../../errors.js";
import { listed } from "../../io/listed.js";
import { isArchive, openArchive } from "../../io/open-archive.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { generatedNormals } from "../../numerics/generated-normal.js";
import { conflict } from "../conflict.js";
import type { EvaluateOptions } from "./options.js";
import { findName, parseTensorArguments, type TensorArgument } from "./tensor-argument.js";

type Values = Float32Array | Float64Array;

/** One input of a cascade, found but not yet loaded. */
export interface PlannedInput {
  /** In the order of the text. */
  readonly shape: readonly number[];
  /** Where it comes from, in words: a file, "seed 0", a number. */
  readonly from: string;
  /** Its values in the order of the text; `onValues` is told of those that have arrived. */
  load(onValues: (count: number) => void): Promise<Values>;
}

export interface PlannedInputs {
  readonly inputs: ReadonlyMap<string, PlannedInput>;
  /** The size of every rank. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The seed, where something is generated. */
  readonly seed: number | null;
}

/** Where an input comes from, before all sizes are known. */
type Source =
  | { readonly kind: "file"; readonly stored: StoredTensor }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "seed"; readonly seed: number };

/**
 * Finds every input of a cascade, reads the headers of their files and works out the size of every rank.
 * @throws UsageError, InputError for tensors that are missing, unknown or do not fit together
 */
export async function planInputs(cascade: Cascade, options: EvaluateOptions): Promise<PlannedInputs> {
  const given = parseTensorArguments(options.tensor ?? [], cascade);
  const orders = new Map(
    cascade.inputs.map(name => {
      const named = given.get(name)?.named ?? { name, axes: null };
      return [name, axisOrder(cascade, named, "--tensor")];
    }),
  );
  const sources = await findSources(cascade, given, options);
  const shapes = new Map<string, readonly number[]>();
  for (const [name, source] of sources) {
    if (source.kind === "file") shapes.set(name, shapeOfFile(cascade, given.get(name)?.named, name, source.stored));
    else if (source.kind === "number") shapes.set(name, []);
  }
  const shape = options.shape === undefined ? {} : parseShape(options.shape);
  const sizes = solveShape(cascade, { ...shape, ...sizesOfInputs(cascade, shapes, shape) }, shapes);
  requireSizes(cascade, sizes);
  const inputs = new Map(
    [...sources].map(([name, source]) => {
      const own = shapes.get(name) ?? inputShape(cascade, name, sizes);
      interpretableElements(name, own);
      return [name, planned(name, own, orders.get(name) ?? [], source)];
    }),
  );
  const generated = [...sources.values()].find(source => source.kind === "seed");
  return { inputs, sizes, seed: generated?.kind === "seed" ? generated.seed : null };
}

/** The shape of a file's tensor in the text's order. */
function shapeOfFile(
  cascade: Cascade,
  named: NamedAxes | undefined,
  name: string,
  { where, shape }: StoredTensor,
): readonly number[] {
  const axes = named?.axes ?? null;
  if (axes !== null && axes.length !== shape.length) {
    const expected = `${howMany(axes.length, "axis")}, as --tensor "${name}[${axes.join(",")}]" names them`;
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected });
  }
  if (shape.includes(0)) {
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: "sizes of at least 1" });
  }
  const order = axisOrder(cascade, named ?? { name, axes: null }, "--tensor");
  return axes === null ? shape : order.map(axis => shape[axis] as number);
}

async function findSources(
  cascade: Cascade,
  given: ReadonlyMap<string, TensorArgument>,
  { input, seed }: EvaluateOptions,
): Promise<ReadonlyMap<string, Source>> {
  const archive = input === undefined ? null : await openArchive("--input", input, byTensor);
  const sources = new Map<string, Source>();
  const missing: string[] = [];
  for (const name of cascade.inputs) {
    const from = given.get(name)?.from ?? null;
    const member = archive === null ? undefined : findName(name, archive.names);
    if (from !== null) sources.set(name, await openTensor(cascade, name, from));
    else if (archive !== null && member !== undefined) {
      sources.set(name, { kind: "file", stored: await archive.tensor(member) });
    } else missing.push(name);
  }
  const nothingGiven = archive === null && missing.length === cascade.inputs.length;
  if (missing.length > 0 && seed === undefined && !nothingGiven) {
    throw new InputError({
      where: input ?? `the inputs of ${cascade.name}`,
      got: archive === null ? `no tensor ${missing.join(", ")}` : `the tensors ${listed(archive.names)}`,
      expected: archive === null ? `all of ${cascade.inputs.join(", ")}` : `a tensor for each of ${missing.join(", ")}`,
      fix: `give --tensor ${missing[0]}=FILE, or --seed N to generate what is missing`,
    });
  }
  if (missing.length === 0 && seed !== undefined) {
    throw conflict("--seed", "a file for every input", "leave it out");
  }
  for (const name of missing) sources.set(name, { kind: "seed", seed: seed ?? 0 });
  return new Map(cascade.inputs.map(name => [name, sources.get(name) as Source]));
}

/** A file's tensor, or a number for a tensor without ranks. */
async function openTensor(cascade: Cascade, name: string, from: string): Promise<Source> {
  const ranks = cascade.tensors.get(name)?.indices.length ?? 0;
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(from.trim()) ? Number(from) : Number.NaN;
  if (ranks === 0 && Number.isFinite(value)) return { kind: "number", value };
  if (isArchive(from)) {
    const archive = await openArchive("--tensor", from, byTensor);
    return { kind: "file", stored: await archive.tensor(findName(name, archive.names) ?? name) };
  }
  return { kind: "file", stored: await (await import("../../io/npy.js")).readNpy(from) };
}

const byTensor = "a .npy file goes by --tensor NAME=FILE";

/** Values between two breaths. */
const valuesAtOnce = 2 ** 16;

/** `shape` is in the text's order, as are the values that are loaded; axis `i` of them is the source's `order[i]`. */
function planned(name: string, shape: readonly number[], order: readonly number[], source: Source): PlannedInput {
  const ownShape = order.map((_, axis) => shape[order.indexOf(axis)] as number);
  const inOrder = (values: Values): Values => reorderAxes(values, ownShape, order);
  if (source.kind === "number") {
    return { shape, from: String(source.value), load: async () => Float64Array.of(source.value) };
  }
  if (source.kind === "file") {
    const { stored } = source;
    const load: PlannedInput["load"] = async onValues => {
      const values = await stored.load();
      onValues(values.length);
      return inOrder(values);
    };
    return { shape, from: stored.where, load };
  }
  const load: PlannedInput["load"] = async onValues => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const normal = generatedNormals(source.seed, name);
    const breathe = breather();
    for (let at = 0; at < values.length; at += valuesAtOnce) {
      const end = Math.min(values.length, at + valuesAtOnce);
      for (let i = at; i < end; i += 1) values[i] = normal(i);
      onValues(end - at);
      await breathe();
    }
    return inOrder(values);
  };
  return { shape, from: `seed ${source.seed}`, load };
}
