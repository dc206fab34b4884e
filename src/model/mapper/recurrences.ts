/** Sets of several Einsums each of which needs, through others, what it makes itself. @param needs by Einsum what it reads of */
export function recurrencesOf(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const reached = needs.map((_, start) => {
    const found = new Set<number>();
    const visit = (i: number): void => {
      for (const maker of needs[i] ?? []) {
        if (found.has(maker)) continue;
        found.add(maker);
        visit(maker);
      }
    };
    visit(start);
    return found;
  });
  const sets = needs.map((_, i) =>
    needs.flatMap((_, j) => (reached[i]?.has(j) === true && reached[j]?.has(i) === true ? [j] : [])),
  );
  const seen = new Set<string>();
  return sets.filter(set => set.length > 1 && !seen.has(set.join()) && seen.add(set.join()) !== undefined);
}
