import { Float16Array } from "@petamoriken/float16";
import { describe, expect, it } from "vitest";
import { bytesOf, decodeElements, type ElementType, elementTypes } from "../../src/io/element-types.js";

const decode = (type: ElementType, ...bytes: readonly number[]): number[] => [
  ...decodeElements(type, Uint8Array.from(bytes), false),
];

describe("element types", () => {
  // OCP 8-bit Floating Point Specification (OFP8), tables 1 and 2; ONNX's documentation of the FNUZ forms.
  it.each([
    ["F8_E4M3", [0x38, 0x7e, 0xfe, 0x01, 0x80, 0x7f], [1, 448, -448, 2 ** -9, -0, Number.NaN]],
    [
      "F8_E5M2",
      [0x3c, 0x7b, 0x01, 0x7c, 0xfc, 0x7d],
      [1, 57344, 2 ** -16, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
    ],
    ["F8_E4M3FNUZ", [0x40, 0x7f, 0x01, 0x80], [1, 240, 2 ** -10, Number.NaN]],
    ["F8_E5M2FNUZ", [0x40, 0x7f, 0x01, 0x80], [1, 57344, 2 ** -17, Number.NaN]],
    ["F8_E8M0", [127, 0, 254, 255], [1, 2 ** -127, 2 ** 127, Number.NaN]],
    ["BOOL", [0, 1, 2], [0, 1, 1]],
    ["I8", [0x7f, 0x80, 0xff], [127, -128, -1]],
    ["I16", [0xff, 0x7f, 0x00, 0x80], [32767, -32768]],
    ["I32", [0xff, 0xff, 0xff, 0x7f], [2 ** 31 - 1]],
    ["I64", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0], [2 ** 53 - 1]],
    ["BF16", [0x80, 0x3f, 0x01, 0], [1, 2 ** -133]],
  ] as const)("%s of %j is %j", (type, bytes, values) => expect(decode(type, ...bytes)).toEqual(values));

  it("every code of binary16 is what another implementation says", () => {
    const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
    expect(decodeElements("F16", new Uint8Array(codes.buffer), false)).toEqual(
      Float32Array.from(new Float16Array(codes.buffer)),
    );
  });

  it("has a size for each", () => {
    for (const type of elementTypes) expect(decode(type, ...new Array<number>(bytesOf[type]).fill(0))).toHaveLength(1);
  });
});
