import type { Table } from "../../src/report/table.js";
import { plain } from "../../src/report/units.js";

/** A table with a header row; its first column names the rows. */
export function DataTable({ caption, table }: { readonly caption: string; readonly table: Table }) {
  return (
    // Wider than a phone, so it scrolls; what scrolls must be reached by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section class="table" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {table.columns.map((column, i) => (
              <th key={`${i} ${column}`} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map(([head, ...cells], row) => (
            <tr key={`${row} ${head}`}>
              <th scope="row">{head}</th>
              {cells.map((cell, i) => (
                <td key={`${i} ${table.columns[i + 1]}`}>{typeof cell === "number" ? plain(cell) : cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
