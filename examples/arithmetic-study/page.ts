import { type Table, UsageError } from "fusemax";

/** The page with its tables between `<!-- table: NAME -->` and `<!-- end -->` written anew; others stay. */
export function withTables(page: string, tables: ReadonlyMap<string, Table>): string {
  let text = page;
  for (const [name, table] of tables) {
    const from = text.indexOf(`<!-- table: ${name} -->`);
    const to = text.indexOf("<!-- end -->", from);
    if (from < 0 || to < 0) {
      throw new UsageError({
        where: "docs/arithmetic-study.md",
        got: `no place for the table ${name}`,
        expected: "its comments",
      });
    }
    const start = from + `<!-- table: ${name} -->`.length;
    text = `${text.slice(0, start)}\n${markdown(table)}\n${text.slice(to)}`;
  }
  return text;
}

function markdown({ columns, rows }: Table): string {
  const line = (cells: readonly unknown[]): string => `| ${cells.map(String).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}
