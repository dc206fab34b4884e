import { howMany, InputError } from "../../errors.js";
import { bytesOf, decodeElements, type ElementType, needsFloat64 } from "../element-types.js";
import { elementsOf, type StoredTensor } from "../stored-tensor.js";
import { heldTensor } from "../tensor-views.js";
import { decodeTensor, type OnnxTensor } from "./messages.js";

/** TensorProto.DataType by number; unsigned integers stand for themselves here, and are read as float64. */
const dataTypes: ReadonlyMap<number, { readonly name: string; readonly type: ElementType | UnsignedType }> = new Map([
  [1, { name: "FLOAT", type: "F32" }],
  [2, { name: "UINT8", type: "U8" }],
  [3, { name: "INT8", type: "I8" }],
  [4, { name: "UINT16", type: "U16" }],
  [5, { name: "INT16", type: "I16" }],
  [6, { name: "INT32", type: "I32" }],
  [7, { name: "INT64", type: "I64" }],
  [9, { name: "BOOL", type: "BOOL" }],
  [10, { name: "FLOAT16", type: "F16" }],
  [11, { name: "DOUBLE", type: "F64" }],
  [12, { name: "UINT32", type: "U32" }],
  [13, { name: "UINT64", type: "U64" }],
  [16, { name: "BFLOAT16", type: "BF16" }],
]);
type UnsignedType = "U8" | "U16" | "U32" | "U64";
const unsignedBytes: Readonly<Record<UnsignedType, number>> = { U8: 1, U16: 2, U32: 4, U64: 8 };
const isUnsigned = (type: ElementType | UnsignedType): type is UnsignedType => Object.hasOwn(unsignedBytes, type);

/** More is no test datum. */
const mostElements = 2 ** 31 - 1;

/** The tensor of a .pb file of test data. @throws InputError */
export const tensorOfBytes = (where: string, bytes: Uint8Array): StoredTensor & { readonly name: string } => {
  const message = decodeTensor(where, bytes);
  return { ...tensorOfMessage(where, message), name: message.name };
};

/** A TensorProto's values. @throws InputError where they lie elsewhere, are of another number or of no type that is read. */
export function tensorOfMessage(where: string, message: OnnxTensor): StoredTensor {
  const known = dataTypes.get(message.dataType);
  if (known === undefined) {
    const names = [...dataTypes.values()].map(({ name }) => name).join(", ");
    throw new InputError({ where, got: `data type ${message.dataType}`, expected: `one of ${names}` });
  }
  if (message.dataLocation === 1) {
    throw new InputError({ where, got: "values in another file", expected: "values in the tensor itself" });
  }
  const shape = message.dims.map(Number);
  const count = elementsOf(shape);
  if (shape.some(size => size < 0) || count > mostElements) {
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: "sizes that fit a tensor" });
  }
  const values = valuesOf(where, known.type, message, count);
  if (values.length !== count) {
    const got = `${howMany(values.length, "value")} of type ${known.name}`;
    throw new InputError({ where, got, expected: `${count} for shape [${shape.join(", ")}]` });
  }
  return heldTensor(where, isUnsigned(known.type) ? "F64" : known.type, shape, values);
}

/** Raw bytes, little-endian, or the list that the type's values are kept in: codes of 16-bit floats in that of integers. */
function valuesOf(where: string, type: ElementType | UnsignedType, message: OnnxTensor, count: number) {
  const { rawData, floatData, int32Data, int64Data, doubleData, uint64Data } = message;
  const size = isUnsigned(type) ? unsignedBytes[type] : bytesOf[type];
  if (rawData.length > 0) {
    if (rawData.length !== count * size) {
      throw new InputError({
        where,
        got: howMany(rawData.length, "byte"),
        expected: `${count * size} for its shape and type`,
      });
    }
    return isUnsigned(type) ? unsigned(rawData, size) : decodeElements(type, rawData, false);
  }
  if (type === "F32") return Float32Array.from(floatData);
  if (type === "F64") return Float64Array.from(doubleData);
  if (type === "I64") return Float64Array.from(int64Data, Number);
  if (type === "U32" || type === "U64") return Float64Array.from(uint64Data, Number);
  if (type === "F16" || type === "BF16") {
    return decodeElements(type, new Uint8Array(Uint16Array.from(int32Data).buffer), false);
  }
  return needsFloat64(type as ElementType) || isUnsigned(type)
    ? Float64Array.from(int32Data)
    : Float32Array.from(int32Data);
}

function unsigned(bytes: Uint8Array, size: number): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / size }, (_, i) => {
    if (size === 1) return view.getUint8(i);
    if (size === 2) return view.getUint16(2 * i, true);
    return size === 4 ? view.getUint32(4 * i, true) : Number(view.getBigUint64(8 * i, true));
  });
}
