import { notFound, userError } from '@huitou/plugin-api'
import { randomBytes } from 'node:crypto'
import type { CoreContext } from '../context.ts'
import type { Db, Tx } from '../db/database.ts'

/** A file that messages show or carry. */
export interface Asset {
  id: string
  name: string
  type: string
  size: number
  createdAt: number
}

export const ASSET_LIMIT = 5 * 1_048_576
/** All attachments of one message together: every recipient's message carries them once more. */
export const ATTACHMENTS_LIMIT = 1_048_576

const SIGNATURES: { type: string; extension: string; fits(bytes: Uint8Array): boolean }[] = [
  {
    type: 'image/png',
    extension: 'png',
    fits: (b) => begins(b, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  },
  { type: 'image/jpeg', extension: 'jpg', fits: (b) => begins(b, [0xff, 0xd8, 0xff]) },
  {
    type: 'image/gif',
    extension: 'gif',
    fits: (b) => text(b, 0, 6) === 'GIF87a' || text(b, 0, 6) === 'GIF89a',
  },
  {
    type: 'image/webp',
    extension: 'webp',
    fits: (b) => text(b, 0, 4) === 'RIFF' && text(b, 8, 12) === 'WEBP',
  },
  { type: 'application/pdf', extension: 'pdf', fits: (b) => text(b, 0, 5) === '%PDF-' },
]

/**
 * Stores an image or a PDF; what it is its first bytes say, never its name. Files that could run something where they
 * are opened, SVG and HTML among them, are not taken.
 */
export async function saveAsset(
  { database, clock }: Pick<CoreContext, 'database' | 'clock'>,
  { name, bytes, by }: { name: string; bytes: Uint8Array; by: string },
): Promise<Asset> {
  if (bytes.length > ASSET_LIMIT)
    throw userError('E_ASSET_SIZE', `The file is larger than ${ASSET_LIMIT / 1_048_576} MB`, {
      status: 413,
      hint: 'Make the picture smaller; mail programs would cut it down anyway.',
    })
  const kind = SIGNATURES.find(({ fits }) => fits(bytes))
  if (!kind)
    throw userError('E_ASSET_TYPE', 'The file is neither a PNG, JPEG, GIF or WebP picture nor a PDF', {
      hint: 'Save it in one of these formats. SVG may contain scripts and is not taken.',
    })
  const id = randomBytes(16).toString('base64url')
  const asset = { id, name: tidyName(name, kind.extension), type: kind.type, size: bytes.length }
  const createdAt = clock.now()
  await database.db
    .insertInto('assets')
    .values({ ...asset, created_at: createdAt, created_by: by, bytes: Buffer.from(bytes) })
    .execute()
  return { ...asset, createdAt }
}

export async function listAssets(db: Db): Promise<Asset[]> {
  const rows = await db
    .selectFrom('assets')
    .select(['id', 'name', 'type', 'size', 'created_at as createdAt'])
    .orderBy('created_at', 'desc')
    .limit(500)
    .execute()
  return rows.map((row) => ({ ...row, size: Number(row.size) }))
}

export async function getAsset(db: Db, id: string): Promise<{ name: string; type: string; bytes: Buffer }> {
  const row = await db
    .selectFrom('assets')
    .select(['name', 'type', 'bytes'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound('Asset', id)
  return row
}

export async function deleteAsset(db: Db, id: string): Promise<void> {
  const { numDeletedRows } = await db.deleteFrom('assets').where('id', '=', id).executeTakeFirst()
  if (Number(numDeletedRows) === 0) throw notFound('Asset', id)
}

/** A file as channels get it. */
export interface Attachment {
  filename: string
  type: string
  /** Base64. */
  content: string
}

/** Files by id, ready to be carried; larger ones than a message may carry are left out. */
export async function readAttachments(db: Db | Tx, ids: readonly string[]): Promise<Map<string, Attachment>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('assets')
    .select(['id', 'name', 'type', 'bytes'])
    .where('id', 'in', [...new Set(ids)])
    .where('size', '<=', ATTACHMENTS_LIMIT)
    .execute()
  return new Map(
    rows.map(({ id, name, type, bytes }) => [
      id,
      { filename: name, type, content: Buffer.from(bytes).toString('base64') },
    ]),
  )
}

function begins(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte)
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('latin1')
}

/** A name that no header and no folder stumbles over, with the extension of what the file really is. */
function tidyName(name: string, extension: string): string {
  const base = (name.split(/[\\/]/).at(-1) ?? '')
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[^\p{L}\p{N} ._-]/gu, '_')
    .trim()
    .slice(0, 80)
  return `${base === '' ? 'file' : base}.${extension}`
}
