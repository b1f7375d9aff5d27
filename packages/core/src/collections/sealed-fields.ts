import type { Vault } from '../people/vault.ts'
import type { CollectionField } from './definition.ts'

type Field = Pick<CollectionField, 'name' | 'storage' | 'kind'>

/** Whether every value of the field is sealed in the database, so that only whole values can be compared there. */
export function isSealedField(vault: Vault, { name, storage, kind }: Field): boolean {
  return vault.isOpen && storage === 'text' && kind === 'text' && vault.personal.isPersonalName(name)
}

/** What is stored for a column's value: phone numbers and e-mail addresses are sealed in any field. */
export function sealField(vault: Vault, field: Field, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (field.storage === 'json')
    return vault.personal.isPersonalName(field.name)
      ? vault.sealPersonalDocument(value)
      : vault.sealParts(value)
  if (field.storage !== 'text' || field.kind !== 'text') return value
  return isSealedField(vault, field) ? vault.sealText(value) : vault.sealPersonalText(value)
}
