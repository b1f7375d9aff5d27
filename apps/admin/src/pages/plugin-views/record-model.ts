import type {
  Collection,
  CollectionField,
  FormSchema,
  RecordFilter,
  RecordNames,
  StoredRecord,
} from '@huitou/admin-kit'

/** Schema of a collection as a form draws it: references become pickers. */
export function recordFormSchema(
  { schema, fields }: Collection,
  only?: readonly string[] | null,
): FormSchema {
  const properties = schema['properties'] as Record<string, object>
  const chosen = only ? fields.filter(({ name }) => only.includes(name)) : fields
  return {
    ...schema,
    properties: Object.fromEntries(
      chosen.map(({ name, kind, target }) => [
        name,
        {
          ...properties[name],
          ...(kind === 'customer' ? { reference: 'customer' } : target ? { reference: target } : {}),
        },
      ]),
    ),
  }
}

/** What changed between two versions of a record, as a change is sent: null takes a value out. */
export function changesOf(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries(
    [...names]
      .filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null))
      .map((name) => [name, after[name] ?? null]),
  )
}

/** Fields of a view in its order; all when it names none. */
export function shownFields(
  { fields }: Collection,
  names: readonly string[] | null | undefined,
): CollectionField[] {
  if (!names) return fields
  return names.flatMap((name) => fields.find((field) => field.name === name) ?? [])
}

/** What to call a record: its title field, or the end of its id. */
export function recordTitle(
  { titleField, fields }: Collection,
  record: Pick<StoredRecord, 'id' | 'data'>,
  names?: RecordNames,
): string {
  const value = titleField ? record.data[titleField] : undefined
  const field = fields.find(({ name }) => name === titleField)
  if (field?.kind === 'customer') return names?.customers[String(value)] ?? `#${record.id.slice(-6)}`
  return value === undefined || value === null || value === '' ? `#${record.id.slice(-6)}` : String(value)
}

/** Several filters as one; undefined when there is none. */
export function allOf(...filters: (RecordFilter | undefined)[]): RecordFilter | undefined {
  const given = filters.filter((filter) => filter !== undefined)
  return given.length > 1 ? { all: given } : given[0]
}

/** The field that says whose record it is. */
export function customerField({ fields }: Collection): CollectionField | undefined {
  return fields.find(({ kind }) => kind === 'customer')
}
