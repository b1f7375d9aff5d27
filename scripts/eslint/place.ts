import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

/** Where a file is in the repository, with `/`; undefined for a file elsewhere. */
export function placeOf(filename: string): string | undefined {
  const file = path.relative(root, filename).split(path.sep).join('/')
  return file.startsWith('..') ? undefined : file
}
