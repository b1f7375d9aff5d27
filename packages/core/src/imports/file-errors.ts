import { AppError, userError } from '@huitou/plugin-api'

/** The file ends before its content does. */
export function fileCut(what: string, cause?: unknown): AppError {
  return userError('E_FILE_CUT', `The file is incomplete: ${what}`, {
    hint: 'Download or export it again; the copy at hand stopped half-way.',
    cause,
  })
}

export function fileDamaged(what: string, cause?: unknown): AppError {
  return userError('E_FILE_DAMAGED', `The file is damaged: ${what}`, {
    hint: 'Export it again, or open it in a spreadsheet and save it as CSV (UTF-8).',
    cause,
  })
}

/** The file is of a kind that cannot be read, whatever its name says. */
export function fileFormat(what: string): AppError {
  return userError('E_FILE_FORMAT', `This is ${what}, not a table`, {
    hint: 'Export the orders as CSV or as an Excel workbook (.xlsx).',
    status: 415,
  })
}

export function fileBomb(unpacked: number, packed: number): AppError {
  return userError(
    'E_FILE_ZIP_BOMB',
    `The file unpacks to more than ${Math.round(unpacked / 1_024 ** 2)} MB from ${Math.max(1, Math.round(packed / 1_024))} KB, which no order export does`,
    { hint: 'If it is genuine, unpack it and import the CSV inside.', status: 413 },
  )
}

export function tooManyColumns(columns: number, limit: number): AppError {
  return userError('E_FILE_TOO_MANY_COLUMNS', `The file has ${columns} columns; ${limit} can be read`, {
    hint: 'Delete the columns that are not needed, or check that the right separator was found.',
    details: { columns, limit },
  })
}

/** What a full or failing disk looks like to the owner; other errors pass unchanged. */
export function toDiskError(error: unknown): unknown {
  const code = (error as { code?: unknown } | undefined)?.code
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'SQLITE_FULL') return error
  return new AppError('world', 'E_DISK_FULL', 'The disk of the server is full', {
    hint: 'Free some space in the data folder, then try again. Nothing of the import is lost.',
    status: 507,
    cause: error,
  })
}
