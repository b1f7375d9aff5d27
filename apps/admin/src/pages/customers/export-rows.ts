import { saveFile } from '@huitou/admin-kit'
import type { CustomerPage, useFormat } from '@huitou/admin-kit'
import type { DataColumn } from '@huitou/admin-kit/blocks/data-table.vue'
import { csvCell } from './csv-cell.ts'

/** Hands every row of a list to the downloads as CSV, as it is shown: masked, in the brand's currency and zone. */
export async function exportRows(
  page: (cursor: string | undefined) => Promise<CustomerPage>,
  columns: readonly DataColumn[],
  format: ReturnType<typeof useFormat>,
  name: string,
): Promise<void> {
  const lines = [columns.map((column) => csvCell(column.title))]
  let cursor: string | undefined
  do {
    const { rows, cursor: next } = await page(cursor)
    for (const row of rows) {
      lines.push(
        columns.map((column) => {
          const value = column.id === '$name' ? row.name : row.columns[column.id]
          if (value === null || value === undefined) return ''
          if (column.type === 'time' && typeof value === 'number') return csvCell(format.dateTime(value))
          return csvCell(
            column.type === 'text' || column.type === 'label'
              ? String(value)
              : format.value(value, column.type).replaceAll('−', '-'),
          )
        }),
      )
    }
    cursor = next
  } while (cursor)
  // The mark at the front makes Excel read it as UTF-8.
  saveFile(
    new Blob([`\uFEFF${lines.map((line) => line.join(',')).join('\r\n')}\r\n`], { type: 'text/csv' }),
    `${name}.csv`,
  )
}
