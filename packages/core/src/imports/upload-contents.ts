import { open } from 'node:fs/promises'
import { IMPORT_LIMITS } from './limits.ts'
import { gunzippedBytes, openArchive, plainBytes } from './unpack.ts'

/**
 * What is written in an uploaded file, however it is packed: the text itself, or the members of an archive or workbook
 * one after the other. Throws where it cannot be read.
 */
export async function* uploadContents(file: string): AsyncGenerator<Buffer> {
  const head = await beginningOf(file)
  if (head.readUInt16BE(0) === 0x1f_8b) yield* gunzippedBytes(file, IMPORT_LIMITS)
  else if (head.toString('latin1', 0, 2) === 'PK') {
    const archive = await openArchive(file, IMPORT_LIMITS)
    try {
      for (const name of archive.names) if (!name.endsWith('/')) yield* archive.read(name)
    } finally {
      archive.close()
    }
  } else yield* plainBytes(file)
}

async function beginningOf(file: string): Promise<Buffer> {
  await using handle = await open(file, 'r')
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  return buffer
}
