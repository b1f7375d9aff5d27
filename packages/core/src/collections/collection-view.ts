import { userError } from '@huitou/plugin-api'
import type { Role } from '../http/env.ts'
import type { Text } from '../points/points.ts'
import type { FieldDeclaration } from './declaration.ts'
import type { Definition } from './definition.ts'
import type { Vault } from '../people/vault.ts'
import { isSealedField } from './sealed-fields.ts'

/** A collection as the API tells of it. */
export interface CollectionView {
  /** `publisher.name/id` */
  id: string
  plugin: string
  name: string
  title: Text
  description: Text | null
  /** JSON Schema whose titles are in every language. */
  schema: Record<string, unknown>
  fields: (FieldDeclaration & {
    /** Its values are sealed in the database: they are compared whole, and not sorted by. */
    sealed: boolean
  })[]
  titleField: string | null
  searchable: string[]
  /** Fields that lists are quick to be sorted and filtered by. */
  indexed: string[]
  /** Ids of its views, in the order in which they are offered. */
  views: string[]
  canWrite: boolean
}

export function toCollectionView(
  { id, plugin, declaration, fields }: Definition,
  role: Role,
  vault: Vault,
): CollectionView {
  return {
    id,
    plugin,
    name: id.slice(plugin.length + 1),
    title: declaration.title,
    description: declaration.description,
    schema: declaration.schema,
    fields: fields.map((field) => {
      const { column: _, storage: __, ...shown } = field
      return { ...shown, sealed: isSealedField(vault, field) }
    }),
    titleField: declaration.titleField ?? fields.find(({ kind }) => kind === 'text')?.name ?? null,
    searchable: declaration.searchable,
    indexed: [
      ...new Set([...declaration.indexes.map(([first]) => first), ...Object.keys(declaration.references)]),
    ].filter((name) => name !== undefined),
    views: declaration.views,
    canWrite: mayWrite(declaration, role),
  }
}

type Permitted = Pick<Definition['declaration'], 'permissions'>

export function mayRead({ permissions }: Permitted, role: Role): boolean {
  return (
    role === 'owner' ||
    permissions.read === null ||
    [...permissions.read, ...permissions.write].includes(role)
  )
}

export function mayWrite({ permissions }: Permitted, role: Role): boolean {
  return role === 'owner' || permissions.write.includes(role)
}

/** Throws `E_FORBIDDEN` naming the roles that may. */
export function checkRole({ id, declaration }: Definition, role: Role, what: 'read' | 'write'): void {
  if (what === 'read' ? mayRead(declaration, role) : mayWrite(declaration, role)) return
  const roles = declaration.permissions[what] ?? []
  throw userError('E_FORBIDDEN', `Your role "${role}" may not ${what} records of "${id}"`, {
    status: 403,
    details: { role, collection: id, roles: ['owner', ...roles] },
    hint: `It needs the role ${['owner', ...roles].join(' or ')}; ask an owner of this Huitou.`,
  })
}
