import { AppError, permissionError } from '@huitou/plugin-api'
import type { AggregateQuery, CustomerKey, PermissionName, Permissions } from '@huitou/plugin-api'
import type { EffectMethod, EffectMethods } from './effects.ts'
import { fitsHost } from './host-pattern.ts'

export interface Grantee {
  readonly id: string
  readonly columnPrefix: string
  readonly permissions: Permissions
}

/** A permission that a call needs, and for what. `names` is absent for a permission that is given or not. */
export interface Need {
  permission: PermissionName
  names?: string[]
}

type Query<Method extends EffectMethod> = Parameters<EffectMethods[Method]>[0]
type Needs = { [Method in EffectMethod]: (query: Query<Method>, plugin: Grantee) => Need[] }

const columns = (names: string[]): Need[] => [{ permission: 'profile.read', names }]
const events = ({ events: names }: { events: string[] }): Need[] => [{ permission: 'events.read', names }]
const secrets = (): Need[] => [{ permission: 'secrets' }]
const nothing = (): Need[] => []

/** Its own collections need no permission. */
function records({ collection }: { collection: string }, { id }: Grantee): Need[] {
  return collection.startsWith(`${id}/`) ? [] : [{ permission: 'collections', names: [collection] }]
}

/**
 * What each method needs. A method that is not listed here is refused. The core checks further what only it knows:
 * which columns and properties hold personal data, which canonical event a name stands for, and what a query of
 * `huitou.db` touches.
 */
const needs: Needs = {
  'customers.read': ({ columns: names }) => columns(names),
  'customers.aggregate': (query) => columns(aggregateColumns(query)),
  'customers.find': ({ key }) => identifierNeeds(key),
  'customers.tag': () => [{ permission: 'customers.tag' }],
  'customers.untag': () => [{ permission: 'customers.tag' }],
  'events.perCustomer': events,
  'events.series': events,
  'events.query': events,
  'events.append': ({ events: appended }) => [
    {
      permission: 'events.append',
      names: appended.map(({ type, event }) => (type === 'identify' ? 'profile.updated' : String(event))),
    },
  ],
  'tasks.create': () => [{ permission: 'tasks.create' }],
  'db.query': nothing,
  'storage.get': nothing,
  'storage.set': nothing,
  'storage.delete': nothing,
  'storage.list': nothing,
  'secrets.get': secrets,
  'secrets.set': secrets,
  'secrets.delete': secrets,
  fetch: ({ url }) => [{ permission: 'network', names: [url] }],
  'collections.find': records,
  'collections.get': records,
  'collections.insert': records,
  'collections.update': records,
  'collections.delete': records,
  'collections.count': records,
  'commands.execute': nothing,
  'extensions.list': ownPoint,
  'extensions.call': ownPoint,
  progress: nothing,
  log: nothing,
}

/** Throws `E_PERMISSION` unless the owner granted all that `method` would touch, as far as its arguments say. */
export function authorise(
  plugin: Grantee,
  method: string,
  args: readonly unknown[],
): asserts method is EffectMethod {
  for (const need of needsOf(plugin, method, args)) {
    const refused = refusedName(plugin, need)
    if (refused !== undefined) throw permissionError(plugin.id, need.permission, refused)
  }
}

/** Permissions that a call makes use of. Throws when there is no such method, or its arguments are not what it takes. */
export function needsOf(plugin: Grantee, method: string, [query]: readonly unknown[]): Need[] {
  if (!Object.hasOwn(needs, method)) {
    throw new AppError(
      'bug',
      'E_UNKNOWN_EFFECT',
      `Plugin "${plugin.id}" called "${method.slice(0, 100)}", which does not exist`,
    )
  }
  if (typeof query !== 'object' || query === null) throw argumentsError(plugin, method)
  try {
    return needs[method as EffectMethod](query as never, plugin)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw argumentsError(plugin, method)
  }
}

/** The first thing that was not granted. */
function refusedName(
  { permissions, columnPrefix }: Grantee,
  { permission, names }: Need,
): string | undefined {
  const granted = permissions[permission]
  if (names === undefined) return granted === true ? undefined : permission
  const patterns = Array.isArray(granted) ? granted : []
  return names.find((name) => {
    if (permission === 'network') return !patterns.some((pattern) => fitsHost(pattern, name))
    if (permission !== 'profile.read') return !matchesAny(patterns, name)
    return !matchesAny([...patterns, `${columnPrefix}_*`], name) && !isGrantedTrait(permissions, name)
  })
}

/** Traits with personal data are granted by their key under another permission. */
function isGrantedTrait(permissions: Permissions, column: string): boolean {
  return column.startsWith('t_') && matchesAny(permissions['profile.pii'] ?? [], column.slice(2))
}

/** Whether `name` fits one of the patterns, in which `*` stands for any run of characters. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
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
  })
}

function aggregateColumns({ groupBy = [], measures, having = [] }: AggregateQuery): string[] {
  const measured = Object.values(measures).flatMap((measure) =>
    Object.values(measure).filter((of) => of !== true),
  )
  return [...groupBy, ...measured, ...having]
}

function identifierNeeds(key: CustomerKey): Need[] {
  return 'identifier' in key ? [{ permission: 'profile.pii', names: [key.identifier.kind] }] : []
}

/** Only who defines a point hears of its contributors. */
function ownPoint({ point }: { point: string }, { id }: Grantee): Need[] {
  if (point.startsWith(`${id}/`)) return []
  throw new AppError('bug', 'E_UNDECLARED', `Plugin "${id}" does not define the extension point "${point}"`, {
    hint: 'Declare it under contributes.extensionPoints in package.json.',
  })
}

function argumentsError({ id }: Grantee, method: string): AppError {
  return new AppError(
    'bug',
    'E_ARGUMENTS',
    `Plugin "${id}" called "${method}" with something else than it takes`,
  )
}
