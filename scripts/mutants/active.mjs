/** Which mutant is in place, and which were asked for while `asked` is a set. */
export const state = { active: Number(process.env.FUSEMAX_MUTANT ?? -1), asked: null };

export function mutant(id) {
  if (state.asked !== null) state.asked.add(id);
  return state.active === id;
}
