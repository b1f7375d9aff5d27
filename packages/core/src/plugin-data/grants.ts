import type { Permissions } from '@huitou/plugin-api'
import type { ProfileColumn } from '../profiles/columns.ts'
import type { Need, Reader } from './views.ts'

type ListPermission = {
  [K in keyof Permissions]-?: NonNullable<Permissions[K]> extends string[] ? K : never
}[keyof Permissions]

/** What `reader` lacks to read the column; `undefined` when it may. Personal data needs a grant of its own. */
export function refusedColumn(
  reader: Reader,
  column: Pick<ProfileColumn, 'name' | 'logical' | 'pii'>,
): Need | undefined {
  if (column.pii) {
    const granted = isGranted(reader, 'profile.pii', column.logical)
    return granted ? undefined : { permission: 'profile.pii', name: column.logical }
  }
  const own = column.name.startsWith(`${reader.columnPrefix}_`)
  if (own || isGranted(reader, 'profile.read', column.name)) return undefined
  return { permission: 'profile.read', name: column.name }
}

/** Whether one of the granted patterns fits `name`. */
export function isGranted({ permissions }: Reader, permission: ListPermission, name: string): boolean {
  return (permissions[permission] ?? []).some((pattern) => fitsPattern(pattern, name))
}

/** Whether `name` fits `pattern`, in which `*` stands for any run of characters. */
export function fitsPattern(pattern: string, name: string): boolean {
  const [start = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  if (!name.startsWith(start)) return false
  const end = rest.pop() ?? ''
  let from = start.length
  for (const part of rest) {
    const found = name.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return name.length - end.length >= from && name.endsWith(end)
}
