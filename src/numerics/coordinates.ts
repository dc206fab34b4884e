/** The coordinates of a flat index of row-major values. */
export function coordinatesOf(shape: readonly number[], index: number): number[] {
  const coordinates: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    coordinates.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return coordinates;
}

/** A value's place in words: `Q[3,5]`, or `eps` of a tensor without ranks. */
export const placeInTensor = (tensor: string, shape: readonly number[], index: number): string =>
  shape.length === 0 ? tensor : `${tensor}[${coordinatesOf(shape, index).join(",")}]`;
