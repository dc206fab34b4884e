/** Names in a line: the first ten, and how many more there are. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "(none)";
  const first = names.slice(0, 10).map(name => (name.length > 60 ? `${name.slice(0, 60)}…` : name));
  return `${first.join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`;
}
