import { AppError } from '@huitou/plugin-api'

/** What a driver or the file system says, and what it means to whoever runs the server. */
const MEANINGS: { codes: RegExp; make: (said: string, cause: Error) => AppError }[] = [
  {
    codes: /^(?:SQLITE_NOTADB|SQLITE_CORRUPT.*)$/,
    make: (said, cause) =>
      new AppError('world', 'E_DATABASE_DAMAGED', `The database is damaged: ${said}`, {
        cause,
        hint: 'Move the data folder away and keep it, restore the last backup with huitou restore, and look at the disk.',
      }),
  },
  {
    codes: /^(?:SQLITE_FULL|ENOSPC|EDQUOT|53100)$/,
    make: (said, cause) =>
      new AppError('world', 'E_DISK_FULL', `There is no room left: ${said}`, {
        cause,
        hint: 'Free some room, or name another folder, and try again.',
      }),
  },
  {
    codes: /^(?:SQLITE_READONLY.*|SQLITE_CANTOPEN.*|SQLITE_PERM|EROFS|EACCES|EPERM)$/,
    make: (said, cause) =>
      new AppError('world', 'E_DATA_FOLDER', `The data folder cannot be read or written: ${said}`, {
        cause,
        hint: 'Run the command as the user whom the folder belongs to, or correct its permissions.',
      }),
  },
  {
    codes: /^(?:28\w{3})$/,
    make: (said, cause) =>
      new AppError('world', 'E_DATABASE_SIGN_IN', `PostgreSQL does not let us in: ${said}`, {
        cause,
        hint: 'Look at user and password in DATABASE_URL, and at pg_hba.conf.',
      }),
  },
  {
    codes: /^3D000$/,
    make: (said, cause) =>
      new AppError('world', 'E_DATABASE_MISSING', `There is no such database: ${said}`, {
        cause,
        hint: 'Make it: create database … owner …; Huitou makes the rest.',
      }),
  },
  {
    codes: /^42501$/,
    make: (said, cause) =>
      new AppError('world', 'E_DATABASE_RIGHTS', `The user may not do what is needed: ${said}`, {
        cause,
        hint: 'Make the user of DATABASE_URL the owner of the database.',
      }),
  },
  {
    codes:
      /^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|08\w{3}|57P0[1-3]|53300)$/,
    make: (said, cause) =>
      new AppError('world', 'E_DATABASE_AWAY', `The database does not answer: ${said}`, {
        cause,
        hint: 'Look at DATABASE_URL, and whether the database runs and may be reached from here.',
      }),
  },
]

/** A failure of disk or database as an error with words and a hint; undefined for every other. */
export function machineError(error: unknown): AppError | undefined {
  if (error instanceof AppError || !(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  const text = String(code ?? '')
  const said = error.message === '' ? text : error.message
  return MEANINGS.find(({ codes }) => codes.test(text))?.make(said, error)
}
