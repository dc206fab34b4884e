import { UsageError } from "fusemax";
import type { Table } from "#fusemax/report/table";

/** The page with what is between `<!-- table: NAME -->` and `<!-- end -->` written anew. */
export function withTable(page: string, name: string, table: Table): string {
  const begin = `<!-- table: ${name} -->`;
  const from = page.indexOf(begin) + begin.length;
  const to = page.indexOf("<!-- end -->", from);
  if (!page.includes(begin) || to < 0) {
    const got = `no place for the table ${name}`;
    throw new UsageError({ where: "docs/arithmetic-study.md", got, expected: `${begin} and <!-- end --> after it` });
  }
  return `${page.slice(0, from)}\n${markdown(table)}\n${page.slice(to)}`;
}

function markdown({ columns, rows }: Table): string {
  const line = (cells: readonly unknown[]): string => `| ${cells.map(String).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}
