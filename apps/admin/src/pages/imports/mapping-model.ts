import type { ImportMapping, ImportProblem, MaybeLocalized } from '@huitou/admin-kit'

/** One column of the file and what becomes of it. */
export interface ColumnRow {
  position: number
  heading: string
  /** First value that is not empty. */
  example: string
  /** Field it fills; empty when it is left out. */
  field: string
  doubt: MaybeLocalized
}

interface ImportFacts {
  headers: readonly string[]
  sample: readonly (readonly string[])[]
  doubts: readonly { position: number; reason: MaybeLocalized }[]
}

/** The columns with those in doubt first, each group in the order of the file. */
export function columnRows(file: ImportFacts, mapping: ImportMapping): ColumnRow[] {
  const fieldOf = new Map<number, string>()
  for (const [field, positions] of Object.entries(mapping.fields)) {
    for (const position of positions) if (!fieldOf.has(position)) fieldOf.set(position, field)
  }
  const doubtOf = new Map(file.doubts.map((doubt) => [doubt.position, doubt.reason]))
  const rows = file.headers.map((heading, position) => ({
    position,
    heading,
    example: file.sample.map((row) => row[position]?.trim() ?? '').find(Boolean) ?? '',
    field: fieldOf.get(position) ?? '',
    doubt: doubtOf.get(position),
  }))
  return [...rows.filter((row) => row.doubt), ...rows.filter((row) => !row.doubt)]
}

/** The mapping with column `position` filling `field`, or left out when `field` is empty. */
export function assignColumn(mapping: ImportMapping, position: number, field: string): ImportMapping {
  const fields: Record<string, number[]> = {}
  for (const [id, positions] of Object.entries(mapping.fields)) {
    const left = positions.filter((known) => known !== position)
    if (left.length > 0) fields[id] = left
  }
  if (field) fields[field] = [...(fields[field] ?? []), position]
  return { ...mapping, fields }
}

/** Required fields that no column fills. */
export function missingFields(
  fields: readonly { id: string; required?: boolean }[],
  mapping: ImportMapping,
): string[] {
  return fields
    .filter((field) => field.required && !mapping.fields[field.id]?.length)
    .map((field) => field.id)
}

/** How many columns of the file fill something. */
export function mappedCount(mapping: ImportMapping): number {
  return new Set(Object.values(mapping.fields).flat()).size
}

type Choice = Pick<ImportProblem['choices'][number], 'options'>

/** Position of what is done about a kind of problem; the first choice stands where nobody chose. */
export function chosenAt(choices: readonly Choice[], { options }: Pick<ImportMapping, 'options'>): number {
  const at = choices.findIndex((choice) =>
    Object.entries(choice.options).every(([name, value]) => options[name] === value),
  )
  return Math.max(0, at)
}

/** The mapping with another choice of what to do about a kind of problem. */
export function withChoice(mapping: ImportMapping, choice: Choice): ImportMapping {
  return { ...mapping, options: { ...mapping.options, ...choice.options } }
}
