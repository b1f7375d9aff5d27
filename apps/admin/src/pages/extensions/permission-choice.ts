import type { PluginGrants, PluginPermission } from '@huitou/admin-kit'
import { permissionCatalogue } from '@huitou/plugin-api'

/** What was ticked: names of a permission that lists some, or whether one that lists none is given. */
export type PermissionChoice = Record<string, string[] | boolean>

/** Everything that `permissions` ask for in plain words, in the order in which an owner reads it. */
export function permissionEntries(permissions: PluginGrants): PluginPermission[] {
  return permissionCatalogue.flatMap(({ id, title, description }) => {
    const value = permissions[id]
    if (!value || (Array.isArray(value) && value.length === 0)) return []
    return [{ permission: id, names: Array.isArray(value) ? [...value] : [], title, description }]
  })
}

/** Everything of `entries`, ticked. */
export function wholeChoice(entries: readonly PluginPermission[]): PermissionChoice {
  return Object.fromEntries(
    entries.map(({ permission, names }) => [permission, names.length > 0 ? [...names] : true]),
  )
}

/** What of `entries` is granted already, ticked. */
export function grantedChoice(
  entries: readonly PluginPermission[],
  missing: readonly PluginPermission[],
): PermissionChoice {
  const lacks = new Map(missing.map(({ permission, names }) => [permission, names]))
  return Object.fromEntries(
    entries.map(({ permission, names }) => {
      const lacking = lacks.get(permission)
      if (names.length === 0) return [permission, lacking === undefined]
      return [permission, names.filter((name) => !lacking?.includes(name))]
    }),
  )
}

/** Ticks or clears `name` of a permission, or the whole of it. */
export function toggled(
  choice: PermissionChoice,
  { permission, names }: PluginPermission,
  name?: string,
): PermissionChoice {
  const before = choice[permission]
  if (names.length === 0) return { ...choice, [permission]: before !== true }
  const ticked = Array.isArray(before) ? before : []
  if (name === undefined) return { ...choice, [permission]: ticked.length === names.length ? [] : [...names] }
  const after = ticked.includes(name) ? ticked.filter((other) => other !== name) : [...ticked, name]
  return { ...choice, [permission]: names.filter((one) => after.includes(one)) }
}

/** A choice as it is sent, together with what was granted before and stays. */
export function toGrants(choice: PermissionChoice, kept: PluginGrants = {}): PluginGrants {
  const grants: Record<string, string[] | boolean> = { ...kept }
  for (const [permission, ticked] of Object.entries(choice)) {
    if (ticked === true) grants[permission] = true
    else if (Array.isArray(ticked) && ticked.length > 0) {
      const before = grants[permission]
      grants[permission] = [...new Set([...(Array.isArray(before) ? before : []), ...ticked])]
    }
  }
  return grants as PluginGrants
}

/** How many things are ticked, and of how many. */
export function countChoice(
  entries: readonly PluginPermission[],
  choice: PermissionChoice,
): { chosen: number; all: number } {
  let chosen = 0
  let all = 0
  for (const { permission, names } of entries) {
    const ticked = choice[permission]
    all += Math.max(1, names.length)
    chosen += Array.isArray(ticked) ? ticked.length : ticked ? 1 : 0
  }
  return { chosen, all }
}

/** Personal data in clear, and ways out of the house. */
export const riskOf: Readonly<Record<string, 'clear' | 'outside' | 'customers' | 'cost'>> = {
  'profile.pii': 'clear',
  network: 'outside',
  'deliveries.send': 'customers',
  ai: 'cost',
}

export const permissionIcons: Readonly<Record<string, string>> = {
  'profile.read': 'user',
  'profile.pii': 'fingerprint',
  'events.read': 'list',
  'events.append': 'plus',
  'customers.tag': 'tag',
  'deliveries.send': 'send',
  network: 'globe',
  collections: 'database',
  'tasks.create': 'check',
  secrets: 'key',
  schedule: 'clock',
  ai: 'sparkles',
}
