import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { userError } from '@huitou/plugin-api'
import { z } from 'zod'

export const MANIFEST = 'backup.json'

const manifestSchema = z.object({
  format: z.literal(1),
  /** Version of Huitou that made it. */
  version: z.string(),
  /** Epoch milliseconds at which it was begun. */
  at: z.number(),
  engine: z.enum(['sqlite', 'postgres']),
  /** Relative path, bytes and SHA-256 of every file but this one. */
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
  /** Rows and checksum of each table; SQLite only. */
  tables: z.record(z.string(), z.object({ rows: z.number(), sum: z.string() })),
})

/** What a backup says of itself. */
export type BackupManifest = z.infer<typeof manifestSchema>

export async function readBackupManifest(folder: string): Promise<BackupManifest> {
  const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch((cause: unknown) => {
    throw userError('E_NO_BACKUP', `${folder} holds no whole backup: it has no ${MANIFEST}`, {
      cause,
      hint: 'Name the folder that `huitou backup` printed. One that was cut short ends in .partial.',
    })
  })
  const parsed = manifestSchema.safeParse(tryJson(text))
  if (parsed.success) return parsed.data
  throw userError('E_NO_BACKUP', `${path.join(folder, MANIFEST)} is damaged, or of a newer version`, {
    hint: 'Take an older backup, or restore with the version that made this one.',
  })
}

/** SHA-256 of a file, read as a stream. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
