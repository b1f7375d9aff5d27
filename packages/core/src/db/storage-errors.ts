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
      /^(?:SQLITE_BUSY.*|SQLITE_IOERR.*|SQLITE_CANTOPEN.*|EIO|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|08\w{3}|57P0[1-3]|25P03|53300)$/,
    make: databaseAway,
  },
]

/** A connection that breaks under a question has no code, only words of the driver. */
const BROKEN =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed and is not queryable|timeout expired$|timeout exceeded when trying to connect)/

/** What a sender is told while nobody can ask the database. */
export function databaseAway(cause?: unknown): AppError {
  return new AppError('world', 'E_DATABASE_AWAY', 'The database does not answer', {
    status: 503,
    cause,
    hint: 'Send it again in a few seconds; an event that is sent twice is one event.',
  })
}

/** What a failure of disk or database means to a sender: come back later. Undefined for every other error. */
export function findStorageError(error: unknown): AppError | undefined {
  if (error instanceof AppError || !(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  const text = String(code ?? '')
  const meaning = MEANINGS.find(({ codes }) => codes.test(text))
  if (meaning) return meaning.make(error)
  return BROKEN.test(error.message) ? databaseAway(error) : undefined
}
