import { z } from "zod/mini";
import { InputError } from "../../errors.js";
import type { ShardFile, ShardHeader } from "../../io/shard-file.js";

// A shard is a file from outside, whatever its digests say.

export const wholeNumber = z.int().check(z.nonnegative());

/** The same shard, its first line as a schema has it. @throws InputError where it is not */
export function withHeader<Header extends ShardHeader>(
  file: ShardFile,
  schema: z.ZodMiniType<unknown>,
): ShardFile<Header> {
  const { success, error } = schema.safeParse(file.header);
  if (success) return file as ShardFile<Header>;
  throw wrongHeader(file.path, error.issues[0]?.path.join(".") ?? "");
}

/** @param what in a shard does not fit */
export const wrongHeader = (where: string, what: string): InputError =>
  new InputError({ where, got: `a shard with an odd ${what}`, expected: "a file as --shard writes it" });
