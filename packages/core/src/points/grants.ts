import type { PermissionName, Permissions } from '@huitou/plugin-api'

/** A plugin that reads, and what the owner granted it. */
export interface Reader {
  readonly id: string
  /** Its own columns begin with this; it may always read them. */
  readonly columnPrefix: string
  readonly permissions: Permissions
}

/** What a plugin has to be granted to use something. */
export interface Need {
  readonly permission: PermissionName
  readonly name: string
}

type ListPermission = {
  [K in keyof Permissions]-?: NonNullable<Permissions[K]> extends string[] ? K : never
}[keyof Permissions]

/** What reading the column takes; `undefined` for a plugin's own. Personal data needs a grant of its own. */
export function neededFor(
  { columnPrefix }: Reader,
  column: { name: string; logical: string; pii: boolean },
): Need | undefined {
  if (column.pii) return { permission: 'profile.pii', name: column.logical }
  if (column.name.startsWith(`${columnPrefix}_`)) return undefined
  return { permission: 'profile.read', name: column.name }
}

/** What `reader` lacks to read the column; `undefined` when it may. */
export function refusedColumn(
  reader: Reader,
  column: { name: string; logical: string; pii: boolean },
): Need | undefined {
  const need = neededFor(reader, column)
  return need === undefined || hasGrant(reader, need) ? undefined : need
}

export function hasGrant(reader: Reader, { permission, name }: Need): boolean {
  const granted = reader.permissions[permission]
  return Array.isArray(granted) ? granted.some((pattern) => fitsPattern(pattern, name)) : granted === true
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
