import { create, createFileRegistry, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { InputError } from "../../errors.js";

// The messages of https://onnx.ai/onnx/repo-docs/IR.html (onnx/onnx.proto3) that a model of one node and its tensors need.
// Fields that are left out are passed over.

/** A field's number and type; `repeated` where there may be many. */
type Field = readonly [number: number, type: Type | MessageName, repeated?: "repeated"];
type MessageName = keyof typeof messages;

const messages = {
  ModelProto: {
    opset_import: [8, "OperatorSetIdProto", "repeated"],
    graph: [7, "GraphProto"],
  },
  OperatorSetIdProto: { domain: [1, Type.STRING], version: [2, Type.INT64] },
  GraphProto: {
    node: [1, "NodeProto", "repeated"],
    initializer: [5, "TensorProto", "repeated"],
    input: [11, "ValueInfoProto", "repeated"],
    output: [12, "ValueInfoProto", "repeated"],
  },
  ValueInfoProto: { name: [1, Type.STRING] },
  NodeProto: {
    input: [1, Type.STRING, "repeated"],
    output: [2, Type.STRING, "repeated"],
    name: [3, Type.STRING],
    op_type: [4, Type.STRING],
    attribute: [5, "AttributeProto", "repeated"],
    domain: [7, Type.STRING],
  },
  AttributeProto: { name: [1, Type.STRING], f: [2, Type.FLOAT], i: [3, Type.INT64], type: [20, Type.INT32] },
  TensorProto: {
    dims: [1, Type.INT64, "repeated"],
    data_type: [2, Type.INT32],
    float_data: [4, Type.FLOAT, "repeated"],
    int32_data: [5, Type.INT32, "repeated"],
    int64_data: [7, Type.INT64, "repeated"],
    name: [8, Type.STRING],
    raw_data: [9, Type.BYTES],
    double_data: [10, Type.DOUBLE, "repeated"],
    uint64_data: [11, Type.UINT64, "repeated"],
    data_location: [14, Type.INT32],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly [number, Type | string, "repeated"?]>>>>;

export interface OnnxAttribute {
  readonly name: string;
  /** 1: f holds the value; 2: i does. */
  readonly type: number;
  readonly f: number;
  readonly i: bigint;
}

export interface OnnxNode {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly bigint[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly bigint[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly bigint[];
  readonly rawData: Uint8Array;
  /** 1: the values lie in another file. */
  readonly dataLocation: number;
}

export interface OnnxModel {
  readonly opsetImport: readonly { readonly domain: string; readonly version: bigint }[];
  readonly graph?: {
    readonly node: readonly OnnxNode[];
    readonly initializer: readonly OnnxTensor[];
    readonly input: readonly { readonly name: string }[];
    readonly output: readonly { readonly name: string }[];
  };
}

let registry: ReturnType<typeof createFileRegistry> | null = null;

/** A message of the package `onnx`, for whoever writes such files too. */
export function onnxMessage(name: MessageName): DescMessage {
  registry ??= createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        {
          name: "onnx.proto",
          package: "onnx",
          syntax: "proto3",
          messageType: Object.entries(messages).map(([message, fields]) => ({
            name: message,
            field: Object.entries<Field>(fields).map(([field, [number, type, repeated]]) => ({
              name: field,
              number,
              label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
              ...(typeof type === "string" ? { type: Type.MESSAGE, typeName: `.onnx.${type}` } : { type }),
            })),
          })),
        },
      ],
    }),
  );
  const found = registry.getMessage(`onnx.${name}`);
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
}

/** @throws InputError for bytes that are no such message. */
function decode<Message>(name: MessageName, where: string, bytes: Uint8Array): Message {
  try {
    // The registry is made from the same fields as the interfaces above.
    return fromBinary(onnxMessage(name), bytes, { readUnknownFields: false }) as unknown as Message;
  } catch (error) {
    throw new InputError(
      {
        where,
        got: "other bytes",
        problem: `is not a ${name} of ONNX (${error instanceof Error ? error.message : String(error)})`,
        expected: name === "ModelProto" ? "a model of ONNX" : "a tensor of ONNX, as its test data are",
      },
      { cause: error },
    );
  }
}

export const decodeModel = (where: string, bytes: Uint8Array): OnnxModel => decode("ModelProto", where, bytes);
export const decodeTensor = (where: string, bytes: Uint8Array): OnnxTensor => decode("TensorProto", where, bytes);
