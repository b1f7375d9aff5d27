import type { ErrorObject } from 'ajv'
import { userError } from '@huitou/plugin-api'
import type { AppError } from '@huitou/plugin-api'

/** One thing wrong in a file: where, what stands there and how to mend it. */
export interface Finding {
  path: string
  value: unknown
  fix: string
}

const mostShown = 100

/** The error for a manifest or settings file with `findings`; the message names the first, `details` the first hundred. */
export function findingsError(code: string, file: string, findings: readonly Finding[]): AppError {
  const [first] = findings
  if (!first) throw new Error('findingsError needs at least one finding')
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : ''
  return userError(code, `${file}: ${first.path} is ${show(first.value)}${more}`, {
    hint: capitalise(first.fix),
    details: {
      file,
      findings: findings.slice(0, mostShown).map((finding) => ({ ...finding, value: show(finding.value) })),
    },
  })
}

/** What ajv complained about, in words an author can act on. */
export function toFinding(error: ErrorObject, root: unknown): Finding {
  const path = toPath(error.instancePath)
  return {
    path: path === '' ? 'the file' : path,
    value: valueAtPointer(root, error.instancePath),
    fix: toFix(error),
  }
}

/** `/contributes/scorers/0/id` as `contributes.scorers[0].id`. */
export function toPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    )
}

function toFix(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'required':
      return `add ${show(params.missingProperty)}`
    case 'additionalProperties':
      return `remove ${show(params.additionalProperty)} or correct its name`
    case 'enum':
      return `use one of ${(params.allowedValues as unknown[]).map(show).join(', ')}`
    case 'const':
      return `use ${show(params.allowedValue)}`
    case 'type':
      return `make it ${[params.type].flat().join(' or ')}`
    case 'pattern':
      return `write it so that it matches ${String(params.pattern)}${explained(error)}`
    default:
      return `it ${error.message ?? 'does not fit the schema'}`
  }
}

/** The description that the schema has for the value, when ajv was told to be verbose. */
function explained({ parentSchema }: ErrorObject): string {
  const description: unknown = parentSchema?.['description']
  return typeof description === 'string' ? `. It stands for: ${description}` : ''
}

function valueAtPointer(root: unknown, pointer: string): unknown {
  let value = root
  for (const part of pointer.split('/').slice(1))
    value = (value as Record<string, unknown> | undefined)?.[part]
  return value
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
