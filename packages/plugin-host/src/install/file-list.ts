import { createHash, hash } from 'node:crypto'

/** The file that lists the SHA-256 of every other one, and the file that signs it. */
export const FILES_FILE = 'huitou.files.json'
export const SIGNATURE_FILE = 'huitou.sig.json'

/** SHA-256 in hexadecimal by path. */
export type FileHashes = Readonly<Record<string, string>>

/** Hash of every file, sorted by path. */
export function hashAll(files: ReadonlyMap<string, Uint8Array>): FileHashes {
  return Object.fromEntries(
    [...files].sort(([a], [b]) => byCodeUnit(a, b)).map(([path, bytes]) => [path, sha256(bytes)]),
  )
}

/** The hashes that a signature covers: those of every file except the two that hold list and signature. */
export function withoutSigning(hashes: FileHashes): FileHashes {
  const { [FILES_FILE]: _, [SIGNATURE_FILE]: __, ...covered } = hashes
  return covered
}

/** What a plugin consists of without its signature, as one value: equal digests mean equal files. `sha256-…` */
export function digestOf(hashes: FileHashes): string {
  const covered = withoutSigning(hashes)
  const lines = Object.keys(covered)
    .sort(byCodeUnit)
    .map((path) => `${covered[path]}  ${path}\n`)
  return `sha256-${createHash('sha256').update(lines.join('')).digest('base64')}`
}

/** Contents of `huitou.files.json`, the same bytes for the same files. */
export function writeFileList(hashes: FileHashes): Uint8Array {
  return Buffer.from(`${JSON.stringify({ algorithm: 'sha256', files: hashes }, null, 2)}\n`)
}

/** What `huitou.files.json` lists; undefined when it is not such a file. */
export function findFileList(bytes: Uint8Array): FileHashes | undefined {
  try {
    const { algorithm, files } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>
    if (algorithm !== 'sha256' || typeof files !== 'object' || files === null) return undefined
    const entries = Object.entries(files)
    return entries.every(([, hash]) => typeof hash === 'string') ? Object.fromEntries(entries) : undefined
  } catch {
    return undefined
  }
}

export interface FileDifference {
  changed: string[]
  added: string[]
  missing: string[]
}

/** How `actual` differs from `expected`. */
export function compareFiles(expected: FileHashes, actual: FileHashes): FileDifference {
  const before = new Map(Object.entries(expected))
  const after = new Map(Object.entries(actual))
  return {
    changed: [...before]
      .filter(([path, hash]) => after.has(path) && after.get(path) !== hash)
      .map(([path]) => path),
    added: [...after.keys()].filter((path) => !before.has(path)),
    missing: [...before.keys()].filter((path) => !after.has(path)),
  }
}

export function isSame({ changed, added, missing }: FileDifference): boolean {
  return changed.length + added.length + missing.length === 0
}

function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
