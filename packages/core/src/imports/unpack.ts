import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { userError } from '@huitou/plugin-api'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { fileBomb, fileCut, fileDamaged } from './file-errors.ts'
import type { ImportLimits } from './limits.ts'

const CHUNK = 64 * 1_024

/** Told how much of the stored file has been read, for a progress bar. */
export type OnRead = (bytes: number) => void

export async function* plainBytes(path: string, onRead: OnRead = () => {}): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, { highWaterMark: CHUNK })
  for await (const chunk of stream) {
    onRead(stream.bytesRead)
    yield chunk as Buffer
  }
}

/** Content of a gzip file. Refuses one that unpacks to far more than any table does. */
export async function* gunzippedBytes(
  path: string,
  limits: ImportLimits,
  onRead: OnRead = () => {},
): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK })
  const stream = file.pipe(createGunzip({ chunkSize: CHUNK }))
  file.on('error', (error) => stream.destroy(error))
  let unpacked = 0
  try {
    for await (const chunk of stream) {
      unpacked += (chunk as Buffer).length
      if (isBomb(unpacked, file.bytesRead, limits)) throw fileBomb(unpacked, (await stat(path)).size)
      onRead(file.bytesRead)
      yield chunk as Buffer
    }
  } catch (error) {
    throw toUnpackError(error)
  } finally {
    file.destroy()
    stream.destroy()
  }
}

/** A zip archive: its members by name, and a guarded stream of each. */
export interface Archive {
  readonly names: string[]
  has(name: string): boolean
  /** Bytes of a member as declared; reading stops with an error where the content is longer. */
  sizeOf(name: string): number
  read(name: string, onRead?: OnRead): AsyncGenerator<Buffer>
  close(): void
}

/** Opens a zip archive. Damaged, encrypted and monstrous ones are refused before anything is unpacked. */
export async function openArchive(path: string, limits: ImportLimits): Promise<Archive> {
  let zip: ZipFile
  const entries = new Map<string, Entry>()
  try {
    zip = await yauzl.openPromise(path, { autoClose: false, lazyEntries: true, strictFileNames: false })
  } catch (error) {
    throw toUnpackError(error)
  }
  try {
    if (zip.entryCount > limits.zipEntries) throw fileDamaged(`the archive has ${zip.entryCount} members`)
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName.replace(/^\//, ''), entry)
  } catch (error) {
    zip.close()
    throw toUnpackError(error)
  }
  const entryOf = (name: string) => {
    const entry = entries.get(name)
    if (!entry) throw fileDamaged(`"${name}" is missing in it`)
    return entry
  }
  return {
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    sizeOf: (name) => entries.get(name)?.uncompressedSize ?? 0,
    read: (name, onRead) => memberBytes({ zip, entry: entryOf(name), limits }, onRead),
    close: () => zip.close(),
  }
}

async function* memberBytes(
  { zip, entry, limits }: { zip: ZipFile; entry: Entry; limits: ImportLimits },
  onRead: OnRead = () => {},
): AsyncGenerator<Buffer> {
  if (entry.isEncrypted()) {
    throw userError('E_FILE_ENCRYPTED', 'The archive is protected by a password', {
      hint: 'Unpack it with the password and import the file inside.',
    })
  }
  const { compressedSize, uncompressedSize } = entry
  if (isBomb(uncompressedSize, compressedSize, limits)) throw fileBomb(uncompressedSize, compressedSize)
  let stream: Readable | undefined
  let unpacked = 0
  try {
    stream = await zip.openReadStreamPromise(entry)
    for await (const chunk of stream) {
      unpacked += (chunk as Buffer).length
      onRead(Math.round((unpacked / Math.max(1, uncompressedSize)) * zip.fileSize))
      yield chunk as Buffer
    }
  } catch (error) {
    throw toUnpackError(error)
  } finally {
    stream?.destroy()
  }
}

function isBomb(unpacked: number, packed: number, limits: ImportLimits): boolean {
  if (unpacked > limits.unpackedBytes) return true
  return unpacked > limits.freeBytes && unpacked > packed * limits.unpackRatio
}

/** zlib and yauzl say in codes and prose what a person reads as "cut off" or "damaged". */
function toUnpackError(error: unknown): unknown {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (code === 'Z_BUF_ERROR' || /unexpected end of file|unexpected EOF/i.test(message))
    return fileCut('its packed content stops early', error)
  if (/end of central directory/i.test(message))
    return fileCut('the list at the end of the archive is missing', error)
  if (/too many bytes in the stream/i.test(message))
    return fileDamaged('it holds more than it declares', error)
  if (
    code?.startsWith('Z_') ||
    /zip|central directory|local file header|compress|not enough bytes|filename|offset/i.test(message)
  ) {
    return fileDamaged('it cannot be unpacked', error)
  }
  return error
}
