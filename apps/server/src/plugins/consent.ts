import type { PermissionEntry } from '@huitou/core'
import { permissionCatalogue, type Permissions, userError } from '@huitou/plugin-api'

type Name = keyof Permissions
const names = permissionCatalogue.map(({ id }) => id)

/** What of `asked` is not within `granted`. */
export function difference(asked: Permissions, granted: Permissions): Permissions {
  return build((name) => {
    const wanted = asked[name]
    const given = granted[name]
    if (!Array.isArray(wanted)) return wanted === true && given !== true
    return wanted.filter((one) => !isWithin(one, given))
  })
}

/** What of `wanted` is within `asked`. */
export function intersection(wanted: Permissions, asked: Permissions): Permissions {
  return build((name) => {
    const some = wanted[name]
    if (!Array.isArray(some)) return some === true && asked[name] === true
    return some.filter((one) => isWithin(one, asked[name]))
  })
}

export function isNothing(permissions: Permissions): boolean {
  return Object.values(permissions).every((value) => !value || (Array.isArray(value) && value.length === 0))
}

/** Permissions in plain words, in the order in which an owner reads them. */
export function toEntries(permissions: Permissions, since?: string): PermissionEntry[] {
  return permissionCatalogue.flatMap(({ id, title, description }) => {
    const value = permissions[id]
    if (!value || (Array.isArray(value) && value.length === 0)) return []
    return [
      {
        permission: id,
        names: Array.isArray(value) ? value : [],
        title,
        description,
        ...(since === undefined ? {} : { since }),
      },
    ]
  })
}

export interface Decision {
  pluginId: string
  version: string
  asked: Permissions
  /** What an earlier decision covered, whether it was granted or not; nothing of it is asked again. */
  decided: Permissions
  /** What stands granted by that decision. */
  granted: Permissions
  /** What the owner says now. */
  says: 'all' | Permissions | undefined
}

/**
 * What is granted to a version: what the owner says now, or what was granted before. Throws `E_CONSENT` with all
 * that nobody has decided yet.
 */
export function decideGrants({ pluginId, version, asked, decided, granted, says }: Decision): Permissions {
  if (says === 'all') return asked
  if (says !== undefined) {
    const beyond = difference(says, asked)
    if (isNothing(beyond)) return intersection(says, asked)
    const [entry] = toEntries(beyond)
    throw userError('E_NOT_ASKED', `"${pluginId}" ${version} does not ask for ${entry?.permission}`, {
      hint: 'Grant only what the plugin asks for.',
      details: { permissions: toEntries(beyond) },
    })
  }
  const open = difference(asked, decided)
  if (isNothing(open)) return intersection(granted, asked)
  const isFirst = isNothing(decided)
  throw userError(
    'E_CONSENT',
    `"${pluginId}" ${version} asks for ${isFirst ? 'permissions' : 'more permissions'} that nobody has granted`,
    {
      status: 409,
      hint: 'Read what it asks for, then grant all of it or the part that you agree to.',
      details: { version, permissions: toEntries(open, isFirst ? undefined : version) },
    },
  )
}

function build(value: (name: Name) => string[] | boolean): Permissions {
  return Object.fromEntries(
    names.flatMap((name) => {
      const part = value(name)
      return part === false || (Array.isArray(part) && part.length === 0) ? [] : [[name, part]]
    }),
  ) as Permissions
}

function isWithin(name: string, patterns: unknown): boolean {
  return Array.isArray(patterns) && patterns.some((pattern: string) => fits(pattern, name))
}

/** Whether `name`, which may be a pattern itself, is within `pattern`. Linear, whatever the pattern holds. */
function fits(pattern: string, name: string): boolean {
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
