import { Float16Array } from "@petamoriken/float16";

/** Bytes of ONNX models and tensors, encoded here by the field numbers of onnx.proto3, without the code under test. */

type Bytes = readonly number[];

function varint(value: number | bigint): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

const key = (field: number, wire: number): Bytes => varint(field * 8 + wire);
export const integer = (field: number, value: number | bigint): Bytes => [...key(field, 0), ...varint(value)];
export const bytes = (field: number, value: Iterable<number>): Bytes => {
  const list = [...value];
  return [...key(field, 2), ...varint(list.length), ...list];
};
export const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value));
export const float = (field: number, value: number): Bytes => [
  ...key(field, 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

/** TensorProto.DataType. */
export const dataTypes = { float32: 1, int64: 7, bool: 9, float16: 10, float64: 11, bfloat16: 16 } as const;
export type DataType = keyof typeof dataTypes;

/** The codes of values, little-endian. */
export function codes(type: DataType, values: readonly number[]): Uint8Array {
  switch (type) {
    case "float32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "float64":
      return new Uint8Array(Float64Array.from(values).buffer);
    case "int64":
      return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    case "bool":
      return Uint8Array.from(values);
    case "float16":
      return new Uint8Array(Float16Array.from(values).buffer);
    case "bfloat16":
      // Of values of at most 8 significant bits.
      return new Uint8Array(Float32Array.from(values).buffer).filter((_, i) => i % 4 >= 2);
  }
}

export interface TensorParts {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A TensorProto whose values are raw bytes, or in the list of their type. */
export function tensorProto({ type, shape, values }: TensorParts, name = "", lists = false): Uint8Array {
  const dims = bytes(1, shape.flatMap(varint));
  const head = [...dims, ...integer(2, dataTypes[type]), ...(name === "" ? [] : text(8, name))];
  const raw = codes(type, values);
  if (!lists) return Uint8Array.from([...head, ...bytes(9, raw)]);
  if (type === "float32") return Uint8Array.from([...head, ...bytes(4, raw)]);
  if (type === "float64") return Uint8Array.from([...head, ...bytes(10, raw)]);
  if (type === "int64") return Uint8Array.from([...head, ...bytes(7, values.flatMap(varint))]);
  const numbers = type === "bool" ? [...raw] : [...new Uint16Array(raw.buffer)];
  return Uint8Array.from([...head, ...bytes(5, numbers.flatMap(varint))]);
}

export interface NodeParts {
  readonly op?: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers, and floats as { float }. */
  readonly attributes?: Readonly<Record<string, number | { readonly float: number }>>;
}

export interface ModelParts {
  readonly opset: number;
  readonly nodes: readonly NodeParts[];
  readonly held?: readonly (TensorParts & { readonly name: string })[];
  readonly graphInputs?: readonly string[];
  readonly graphOutputs?: readonly string[];
}

function nodeProto({ op = "Attention", domain = "", name = "", inputs, outputs, attributes = {} }: NodeParts): Bytes {
  return [
    ...inputs.flatMap(input => text(1, input)),
    ...outputs.flatMap(output => text(2, output)),
    ...(name === "" ? [] : text(3, name)),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([attribute, value]) =>
      bytes(
        5,
        typeof value === "number"
          ? [...text(1, attribute), ...integer(3, value), ...integer(20, 2)]
          : [...text(1, attribute), ...float(2, value.float), ...integer(20, 1)],
      ),
    ),
    ...(domain === "" ? [] : text(7, domain)),
  ];
}

/** A ModelProto; its graph asks for what its first node takes and the model does not hold, and gives what that gives. */
export function modelProto({ opset, nodes, held = [], ...graph }: ModelParts): Uint8Array {
  const given = (names: readonly string[] = []) => names.filter(name => name !== "");
  const inputs = graph.graphInputs ?? given(nodes[0]?.inputs).filter(name => !held.some(one => one.name === name));
  const outputs = graph.graphOutputs ?? given(nodes[0]?.outputs);
  const body = [
    ...nodes.flatMap(node => bytes(1, nodeProto(node))),
    ...text(2, "graph"),
    ...held.flatMap(one => bytes(5, tensorProto(one, one.name))),
    ...inputs.flatMap(name => bytes(11, text(1, name))),
    ...outputs.flatMap(name => bytes(12, text(1, name))),
  ];
  return Uint8Array.from([...integer(1, 10), ...bytes(7, body), ...bytes(8, integer(2, opset))]);
}
