import type { CollectionHooks } from '@huitou/plugin-api'
import type { Core } from '../core.ts'
import type { Collections } from './collections.ts'
import type { CollectionDeclaration } from './declaration.ts'

/** Complaints of customers: one field of every kind. */
export const complaints: CollectionDeclaration = {
  id: 'complaint',
  title: 'Complaints',
  titleField: 'subject',
  searchable: ['subject', 'note'],
  indexes: [['state', 'due'], ['cost']],
  references: { customer: 'customer', parent: 'complaint' },
  schema: {
    type: 'object',
    required: ['subject', 'state'],
    properties: {
      subject: { type: 'string', minLength: 1, maxLength: 120 },
      state: {
        type: 'string',
        default: 'open',
        oneOf: [
          { const: 'open', title: 'Open' },
          { const: 'waiting', title: 'Waiting' },
          { const: 'closed', title: 'Closed' },
        ],
      },
      note: { type: 'string' },
      due: { type: 'string', format: 'date' },
      heardAt: { type: 'string', format: 'date-time' },
      cost: { type: 'integer', format: 'money', minimum: 0 },
      mood: { type: 'number' },
      urgent: { type: 'boolean' },
      topics: { type: 'array', items: { type: 'string' } },
      place: { type: 'object', properties: { city: { type: 'string' } } },
      code: { type: 'string', pattern: '^C-[0-9]+$' },
      customer: { type: 'integer' },
      parent: { type: 'string' },
    },
  },
}

export const plugin = 'acme.desk'
export const complaintId = `${plugin}/complaint`
export const owner = {
  plugin,
  prefix: 'desk',
  text: (text: string | { en: string; 'zh-CN': string }) =>
    typeof text === 'string' ? { en: text, 'zh-CN': text } : text,
}

/** Declares collections as an enabled plugin would; returns what disables it. */
export async function declare(
  core: Core,
  declarations: readonly CollectionDeclaration[],
  hooks: CollectionHooks = {},
): Promise<() => void> {
  await core.collections.apply(plugin, declarations)
  const undos = declarations.map((declared) =>
    core.points.collections.add(owner, `${plugin}/${declared.id}`, { ...declared, run: hooks } as never),
  )
  return () => undos.forEach((undo) => undo())
}

/** Writes records one after the other and returns their ids. */
export async function insertAll(
  collections: Collections,
  records: readonly Record<string, unknown>[],
  collection = complaintId,
): Promise<string[]> {
  const ids: string[] = []
  for (const data of records) ids.push((await collections.insert(collection, data, { by: 'person:p1' })).id)
  return ids
}
