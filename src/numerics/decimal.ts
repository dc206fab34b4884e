/** Whether a text that was read as `value` means another number: one that a double makes infinite, or 0. */
export function isBeyondDouble(value: number, text: string): boolean {
  if (Math.abs(value) === Number.POSITIVE_INFINITY) return /\d/.test(text);
  const [digits = ""] = text.split(/e/i);
  return value === 0 && /[1-9]/.test(digits);
}

/** What is expected in place of such a text. */
export const withinDouble = "a number of 5e-324 to 1.8e308 in size, or 0";
