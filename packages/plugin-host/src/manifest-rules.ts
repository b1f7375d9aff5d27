import { columnPrefix, ruleColumns } from '@huitou/plugin-api'
import type { ColumnRule, ColumnSentence, ColumnType, Contributions, Manifest } from '@huitou/plugin-api'
import type { Finding } from './manifest-errors.ts'

type ValueClass = 'text' | 'number' | 'time' | 'boolean'

const always = ['is_set', 'is_not_set']
const numeric = ['gt', 'gte', 'lt', 'lte', 'between']
const equal = ['is', 'is_not', 'in', 'not_in']
const operators: Record<ValueClass, readonly string[]> = {
  text: [...always, ...equal, 'contains', 'not_contains', 'starts_with'],
  number: [...always, ...equal, ...numeric],
  time: [...always, ...numeric, 'within_days', 'before_days', 'on_or_after', 'before'],
  boolean: [...always, 'true', 'false', 'is', 'is_not'],
}

/** Findings for labels by rules: who lacks one, columns that are no inputs, comparisons that cannot be made. */
export function checkRules(manifest: Manifest): Finding[] {
  const types = columnTypes(manifest)
  return (manifest.contributes?.segmenters ?? []).flatMap(({ labels, inputs }, index) =>
    labels.flatMap(({ rule }, position) => {
      const path = `contributes.segmenters[${index}].labels[${position}]`
      if (!rule) {
        const mixed = labels.some((label) => label.rule)
        return mixed ? [{ path, value: 'without a rule', fix: 'give every label a rule, or none' }] : []
      }
      const unknown = ruleColumns(rule).filter((column) => !inputs.includes(column))
      return [
        ...unknown.map((column) => ({
          path: `${path}.rule`,
          value: column,
          fix: `add "${column}" to the inputs`,
        })),
        ...sentencesOf(rule, `${path}.rule`).flatMap(([at, sentence]) =>
          checkSentence(at, sentence, types.get(sentence.column)),
        ),
      ]
    }),
  )
}

function checkSentence(path: string, { column, op, value }: ColumnSentence, type?: ColumnType): Finding[] {
  const allowed = type && operators[classOf(type)]
  if (allowed && !allowed.includes(op)) {
    const fix = `"${column}" holds ${type}; compare it by one of ${allowed.join(', ')}`
    return [{ path: `${path}.op`, value: op, fix }]
  }
  const wanted = problemWith(op, value)
  return wanted ? [{ path: `${path}.value`, value, fix: `"${op}" needs ${wanted}` }] : []
}

/** What `op` needs instead of `value`; nothing when it fits. */
function problemWith(op: string, value: ColumnSentence['value']): string | undefined {
  if ([...always, 'true', 'false'].includes(op)) return undefined
  if (op === 'between') {
    return Array.isArray(value) && value.length === 2 && value.every(isBound)
      ? undefined
      : 'two numbers or days'
  }
  if (op === 'within_days' || op === 'before_days') {
    const fits = Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 36_500
    return fits ? undefined : 'a number of days from 1 to 36500'
  }
  if (numeric.includes(op) || op === 'on_or_after' || op === 'before') {
    return isBound(value) ? undefined : 'a number, or a day such as 2026-11-21'
  }
  if (op === 'in' || op === 'not_in') {
    return [value ?? []].flat().length > 0 ? undefined : 'at least one value'
  }
  if (equal.includes(op)) return value === undefined || value === '' ? 'a value' : undefined
  return typeof value === 'string' && value !== '' ? undefined : 'a text'
}

function isBound(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

function sentencesOf(rule: ColumnRule, path: string): [string, ColumnSentence][] {
  if ('column' in rule) return [[path, rule]]
  if ('not' in rule) return sentencesOf(rule.not, `${path}.not`)
  const [key, parts] = 'all' in rule ? (['all', rule.all] as const) : (['any', rule.any] as const)
  return parts.flatMap((part, index) => sentencesOf(part, `${path}.${key}[${index}]`))
}

function classOf(type: ColumnType): ValueClass {
  if (type === 'text' || type === 'label') return 'text'
  return type === 'time' || type === 'boolean' ? type : 'number'
}

/** Types of the columns that the plugin makes itself; those of others are not known here. */
function columnTypes(manifest: Manifest): Map<string, ColumnType> {
  const { features = [], scorers = [], segmenters = [] }: Contributions = manifest.contributes ?? {}
  const prefix = columnPrefix(manifest)
  const labels = segmenters.map(({ id }) => ({ id, type: 'label' as const }))
  return new Map(
    [...features, ...scorers.flatMap(({ outputs }) => outputs), ...labels].map(({ id, type }) => [
      `${prefix}_${id}`,
      type,
    ]),
  )
}
