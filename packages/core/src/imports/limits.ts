/** What one file may cost. Every figure is far above what an honest order export reaches. */
export interface ImportLimits {
  /** Bytes of an uploaded file. */
  fileBytes: number
  /** Bytes a packed file may unpack to. */
  unpackedBytes: number
  /** Above {@link freeBytes} a file that unpacks to more than this many times its size is refused. */
  unpackRatio: number
  freeBytes: number
  zipEntries: number
  columns: number
  /** Characters of one cell; a longer one costs its row. */
  cellChars: number
  /** Bytes of one row; more than that is a quotation mark that was never closed. */
  rowBytes: number
  /** Rows that belong together, such as lines of one order. */
  groupRows: number
  /** Bytes of a workbook's table of strings, which has to stay in memory. */
  stringBytes: number
  /** Sheets that are looked at to find the one with the rows. */
  sheets: number
}

const GB = 1_024 ** 3

export const IMPORT_LIMITS: ImportLimits = {
  fileBytes: 4 * GB,
  unpackedBytes: 64 * GB,
  unpackRatio: 250,
  freeBytes: GB / 4,
  zipEntries: 5_000,
  columns: 2_000,
  cellChars: 32_767,
  rowBytes: 4 * 1_024 ** 2,
  groupRows: 10_000,
  stringBytes: GB / 4,
  sheets: 20,
}
