/**
 * softmax(Q K^T) V as an ONNX model, written in the protobuf wire format by hand: onnxruntime has no other way in, and the
 * four nodes need no library. Field numbers are those of onnx.proto3 (ONNX 1.14, opset 17).
 */
export interface AttentionSizes {
  readonly queries: number;
  readonly keys: number;
  readonly headDim: number;
  readonly valueDim: number;
}

export function attentionModel({ queries, keys, headDim, valueDim }: AttentionSizes): Uint8Array {
  const graph = [
    ...node(
      "Transpose",
      ["k"],
      "kT",
      message(5, [...text(1, "perm"), ...[1, 0].flatMap(i => integer(8, i)), ...integer(20, 7)]),
    ),
    ...node("MatMul", ["q", "kT"], "scores"),
    ...node("Softmax", ["scores"], "weights", message(5, [...text(1, "axis"), ...integer(3, 1), ...integer(20, 2)])),
    ...node("MatMul", ["weights", "v"], "av"),
    ...text(2, "attention"),
    ...tensor(11, "q", [queries, headDim]),
    ...tensor(11, "k", [keys, headDim]),
    ...tensor(11, "v", [keys, valueDim]),
    ...tensor(12, "av", [queries, valueDim]),
  ];
  const irVersion = 8;
  const opset = 17;
  return Uint8Array.from([...integer(1, irVersion), ...message(8, integer(2, opset)), ...message(7, graph)]);
}

/** NodeProto, field 1 of a graph. */
const node = (op: string, inputs: readonly string[], output: string, attributes: readonly number[] = []): number[] =>
  message(1, [...inputs.flatMap(name => text(1, name)), ...text(2, output), ...text(4, op), ...attributes]);

/** ValueInfoProto of an fp32 tensor, field 11 (inputs) or 12 (outputs) of a graph. */
function tensor(field: number, name: string, dims: readonly number[]): number[] {
  const float = 1;
  const shape = dims.flatMap(dim => message(1, integer(1, dim)));
  return message(field, [...text(1, name), ...message(2, message(1, [...integer(1, float), ...message(2, shape)]))]);
}

const integer = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const message = (field: number, bytes: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): number[] => message(field, [...new TextEncoder().encode(value)]);

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}
