import { AppError } from '@huitou/plugin-api'

/** What a driver says, and what it means to whoever sent a request. */
const MEANINGS: { codes: RegExp; make: (cause: unknown) => AppError }[] = [
  {
    codes: /^(?:SQLITE_FULL|ENOSPC|EDQUOT|53100)$/,
    make: (cause) =>
      new AppError('world', 'E_DISK_FULL', 'The disk of the server is full', {
        status: 503,
        cause,
        hint: 'Nothing of this request was kept. Send it again once there is room.',
      }),
  },
  {
    codes: /^(?:SQLITE_READONLY.*|EROFS|25006)$/,
    make: (cause) =>
      new AppError('world', 'E_DISK_READ_ONLY', 'The database cannot be written at the moment', {
        status: 503,
        cause,
        hint: 'Nothing of this request was kept. Send it again later.',
      }),
  },
  {
    codes:
      /^(?:SQLITE_BUSY.*|SQLITE_IOERR.*|SQLITE_CANTOPEN.*|EIO|ECONNREFUSED|ECONNRESET|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|08\w{3}|57P0[1-3]|53300)$/,
    make: (cause) =>
      new AppError('world', 'E_DATABASE_AWAY', 'The database does not answer', {
        status: 503,
        cause,
        hint: 'Nothing of this request was kept. Send it again in a few seconds.',
      }),
  },
]

/** What a failure of disk or database means to a sender: come back later. Undefined for every other error. */
export function findStorageError(error: unknown): AppError | undefined {
  if (error instanceof AppError || !(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  const text = String(code ?? '')
  return MEANINGS.find(({ codes }) => codes.test(text))?.make(error)
}
