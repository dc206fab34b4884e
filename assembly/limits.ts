// The limits of src/numerics/limits.ts that the kernels take part in; test/emulator/wasm/limits.test.ts holds the two equal.

/** Below this t the exponential is +0. */
// @ts-ignore: decorator
@inline
export const smallestExponent: f32 = -50;

/** Below it in magnitude a product or a quotient is +0: 2^-100. */
// @ts-ignore: decorator
@inline
export const smallestResult: f32 = 7.888609052210118e-31;

/** Below it in magnitude an fp32 operand is +0: 2^-30. */
// @ts-ignore: decorator
@inline
export const fp32Flush: f32 = 9.313225746154785e-10;

/** RM of a query that has seen no key. */
// @ts-ignore: decorator
@inline
export const noMaximum: f32 = -3.0e38;
