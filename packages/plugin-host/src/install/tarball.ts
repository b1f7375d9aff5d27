import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { userError } from '@huitou/plugin-api'
import type { AppError } from '@huitou/plugin-api'
import type { Parser, ReadEntry } from 'tar'

const inflate = promisify(gunzip)
const deflate = promisify(gzip)

/** What npm writes into every package, so that the same files give the same bytes. */
const MTIME = new Date('1985-10-26T08:15:00.000Z')
const GZIP_OS_BYTE = 9
const GZIP_OS_UNKNOWN = 255
const MAGIC_OFFSET = 257
const GZIP_MAGIC = 0x1f
const ZSTD_MAGIC = 0x28b52ffd

/** One file of a tar archive, with the name as it stands there. */
export interface TarFile {
  name: string
  bytes: Uint8Array
}

export interface TarLimits {
  unpackedBytes: number
  files: number
  fileBytes: number
}

/** The error for an archive that is refused; the code begins with `E_ARCHIVE`. */
export function archiveError(
  code: `E_ARCHIVE${string}`,
  message: string,
  options: { hint: string; entry?: string; cause?: unknown },
): AppError {
  const { hint, entry, cause } = options
  return userError(code, message, { hint, ...(entry !== undefined && { details: { entry } }), cause })
}

/** Packs files into a gzipped tar that is the same, byte for byte, whoever packs them and when. */
export async function writeTarball(files: Iterable<TarFile>): Promise<Uint8Array> {
  const { Header, Pack, ReadEntry } = await import('tar')
  const pack = new Pack({ portable: true })
  const chunks: Buffer[] = []
  pack.on('data', (chunk: Buffer) => chunks.push(chunk))
  const done = new Promise<void>((resolve, reject) => pack.on('end', resolve).on('error', reject))
  for (const { name, bytes } of files) {
    const header = new Header({ path: name, mode: 0o644, size: bytes.length, type: 'File', mtime: MTIME })
    const entry = new ReadEntry(header)
    pack.add(entry)
    if (bytes.length > 0) entry.write(Buffer.from(bytes))
    entry.end()
  }
  pack.end()
  await done
  const packed = await deflate(Buffer.concat(chunks), { level: 9 })
  packed[GZIP_OS_BYTE] = GZIP_OS_UNKNOWN
  return packed
}

/** The files of a gzipped tar. Throws `E_ARCHIVE…` for one that is damaged, too large, or holds more than files. */
export async function readTarball(packed: Uint8Array, limits: TarLimits): Promise<TarFile[]> {
  const unpacked = await unzip(packed, limits.unpackedBytes)
  if (unpacked.subarray(MAGIC_OFFSET, MAGIC_OFFSET + 5).toString('latin1') !== 'ustar') throw notAnArchive()
  // The parser unpacks what begins like something compressed; a second layer would pass the limit by.
  if (unpacked[0] === GZIP_MAGIC || unpacked.readUInt32BE(0) === ZSTD_MAGIC) throw notAnArchive()
  // Loaded here: a server that installs nothing today has no use for it.
  const { Parser } = await import('tar')
  return parse(unpacked, limits, Parser)
}

async function unzip(packed: Uint8Array, limit: number): Promise<Buffer> {
  try {
    return await inflate(packed, { maxOutputLength: limit })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw archiveError('E_ARCHIVE_TOO_LARGE', `The archive unpacks to more than ${megabytes(limit)}`, {
        hint: 'Leave out of the package what the plugin does not need to run.',
        cause,
      })
    }
    if (code === 'Z_BUF_ERROR') throw cutOff(cause)
    throw notAnArchive(cause)
  }
}

function parse(unpacked: Buffer, limits: TarLimits, ParserClass: typeof Parser): Promise<TarFile[]> {
  const { promise, resolve, reject } = Promise.withResolvers<TarFile[]>()
  const files: TarFile[] = []
  let sum = 0
  const parser = new ParserClass({
    strict: true,
    onReadEntry(entry) {
      const problem = refuse(entry, limits)
      sum += entry.size
      if (problem) reject(problem)
      else if (files.length >= limits.files) reject(tooMany(limits.files))
      else if (sum > limits.unpackedBytes) reject(cutOff())
      else if (entry.type !== 'Directory') {
        const file: TarFile = { name: entry.path, bytes: new Uint8Array() }
        files.push(file)
        entry.on('data', (chunk: Buffer) => {
          file.bytes = file.bytes.length === 0 ? chunk : Buffer.concat([file.bytes, chunk])
        })
      }
      entry.resume()
    },
  })
  parser.on('ignoredEntry', (entry: ReadEntry) => reject(refuse(entry, limits) ?? oddEntry(entry)))
  parser.on('error', (cause: Error) =>
    reject(/truncated/i.test(cause.message) ? cutOff(cause) : damaged(cause)),
  )
  parser.on('end', () => resolve(files))
  parser.end(unpacked)
  return promise
}

function refuse({ path, type, size }: ReadEntry, limits: TarLimits): AppError | undefined {
  if (type === 'Link' || type === 'SymbolicLink') {
    return archiveError('E_ARCHIVE_LINK', `The archive holds a link, "${path}"`, {
      hint: 'Pack the file itself in place of the link.',
      entry: path,
    })
  }
  if (type !== 'File' && type !== 'OldFile' && type !== 'Directory') {
    return archiveError('E_ARCHIVE_ENTRY', `The archive holds "${path}", which is a ${type}`, {
      hint: 'A package consists of files alone. Pack it with huitou plugin pack or npm pack.',
      entry: path,
    })
  }
  if (size <= limits.fileBytes) return undefined
  return archiveError(
    'E_ARCHIVE_FILE_TOO_LARGE',
    `"${path}" in the archive is larger than ${megabytes(limits.fileBytes)}`,
    { hint: 'Leave it out of the package, or make it smaller.', entry: path },
  )
}

function tooMany(limit: number): AppError {
  return archiveError('E_ARCHIVE_TOO_MANY', `The archive holds more than ${limit} files`, {
    hint: 'Bundle the code and name what belongs into the package under "files" in package.json.',
  })
}

function oddEntry({ path, size }: ReadEntry): AppError {
  return archiveError('E_ARCHIVE_ENTRY', `The archive holds a header of ${size} bytes for "${path}"`, {
    hint: 'Pack it again with huitou plugin pack or npm pack.',
    entry: path,
  })
}

function cutOff(cause?: unknown): AppError {
  return archiveError('E_ARCHIVE_TRUNCATED', 'The archive ends in the middle', {
    hint: 'Download or pack it again.',
    cause,
  })
}

function damaged(cause: Error): AppError {
  return archiveError('E_ARCHIVE', `The archive is damaged: ${cause.message}`, {
    hint: 'Download or pack it again.',
    cause,
  })
}

function notAnArchive(cause?: unknown): AppError {
  return archiveError('E_ARCHIVE', 'This is no package: it is not a gzipped tar archive', {
    hint: 'A package is the .tgz file that huitou plugin pack or npm pack writes.',
    cause,
  })
}

export function megabytes(bytes: number): string {
  return bytes >= 1_000_000 ? `${Math.round(bytes / 1_000_000)} MB` : `${Math.ceil(bytes / 1000)} kB`
}
