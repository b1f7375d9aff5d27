import { AppError } from '@huitou/plugin-api'
import type { AggregateQuery, EventTableQuery, Permissions } from '@huitou/plugin-api'
import type { EffectMethod } from './effects.ts'

export interface Grantee {
  readonly id: string
  readonly columnPrefix: string
  readonly permissions: Permissions
}

interface Need {
  permission: 'profile.read' | 'events.read'
  names: string[]
}

/** What each method needs. A method that is not listed here is refused. */
const needs: Record<EffectMethod, (query: never) => Need[]> = {
  'customers.read': ({ columns }: { columns: string[] }) => [{ permission: 'profile.read', names: columns }],
  'customers.aggregate': (query: AggregateQuery) => [
    { permission: 'profile.read', names: aggregateColumns(query) },
  ],
  'events.perCustomer': ({ events }: EventTableQuery) => [{ permission: 'events.read', names: events }],
  'events.series': ({ events }: EventTableQuery) => [{ permission: 'events.read', names: events }],
  log: () => [],
}

/** Throws `E_PERMISSION` unless the owner granted all that `method` would touch. A plugin's own columns always are. */
export function authorise(
  plugin: Grantee,
  method: string,
  args: readonly unknown[],
): asserts method is EffectMethod {
  if (!Object.hasOwn(needs, method)) {
    throw new AppError(
      'bug',
      'E_UNKNOWN_EFFECT',
      `Plugin "${plugin.id}" called "${method}", which does not exist`,
    )
  }
  for (const { permission, names } of needs[method as EffectMethod](args[0] as never)) {
    const granted = [...(plugin.permissions[permission] ?? [])]
    if (permission === 'profile.read') granted.push(`${plugin.columnPrefix}_*`)
    const refused = names.find((name) => !matchesAny(granted, name))
    if (refused !== undefined) throw permissionError(plugin.id, permission, refused)
  }
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

function permissionError(pluginId: string, permission: string, name: string): AppError {
  return new AppError(
    'user',
    'E_PERMISSION',
    `Plugin "${pluginId}" may not use "${name}": it lacks ${permission}`,
    {
      status: 403,
      hint: `Ask for it in its package.json under permissions["${permission}"], then grant it in Extensions → ${pluginId} → Permissions.`,
      details: { pluginId, permission, name },
    },
  )
}
