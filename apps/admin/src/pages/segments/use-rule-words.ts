import { useColumns, useFormat, useLocalized } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'
import { valueShape, valuesOf } from './rule-model.ts'
import type { ColumnNode, ColumnOp, RuleValue, Sentence, ValueType } from './rule-model.ts'
import type { RuleContext } from './rule-problems.ts'
import { useSegments } from './use-segments.ts'

/** Words for rules in the reader's language: titles of columns, events and segments, operators, values, sentences. */
export function useRuleWords() {
  const { t, te } = useI18n()
  const localized = useLocalized()
  const format = useFormat()
  const columns = useColumns()
  const { query, segments, findSegment } = useSegments()

  const typeOf = (column: string): ValueType | undefined => columns.findColumn(column)?.type
  const isSealed = (column: string): boolean => columns.findColumn(column)?.sealed ?? false
  const columnTitle = (column: string) => localized(columns.findColumn(column)?.title) || column
  const eventTitle = (event: string) => localized(columns.findEvent(event)?.title) || event
  const propertyTitle = (event: string | undefined, property: string) =>
    localized(columns.propertyTitle(event, property))
  const segmentName = (id: string) => findSegment(id)?.name ?? id
  const ownerTitle = (owner: string) => localized(columns.ownerTitle(owner))

  /** Operators read differently for text, numbers and times. */
  function opTitle(op: ColumnOp, type: ValueType): string {
    const kind =
      type === 'text' || type === 'label'
        ? 'text'
        : type === 'time'
          ? 'time'
          : type === 'boolean'
            ? 'boolean'
            : 'number'
    const own = `segments.ops.${kind}.${op}`
    return te(own) ? t(own) : t(`segments.ops.any.${op}`)
  }

  function oneValue(column: string, type: ValueType, value: string | number): string {
    const option = columns.findOption(column, value)
    if (option) return localized(option.title)
    return type === 'text' || type === 'label' ? String(value) : format.value(value, type)
  }

  function valueTitle(column: string, type: ValueType, op: ColumnOp, value: RuleValue | undefined): string {
    const values = valuesOf(value)
    const shape = valueShape(op)
    if (shape === 'none') return ''
    if (shape === 'days') return t('segments.days', { n: values[0] ?? 0 })
    if (shape === 'range') return values.map((one) => oneValue(column, type, one)).join(' – ')
    return values.map((one) => oneValue(column, type, one)).join(t('segments.or'))
  }

  function conditionText({ column, op, value }: ColumnNode): string {
    const type = typeOf(column) ?? 'text'
    const key = `segments.texts.${op}`
    const words = {
      column: columnTitle(column),
      op: opTitle(op, type),
      value: valueTitle(column, type, op, value),
    }
    return te(key) ? t(key, words) : t('segments.texts.column', words).trim()
  }

  /** The whole sentence as a person would say it, for screen readers, summaries and explanations. */
  function sentenceText(sentence: Sentence): string {
    const text = plainText(sentence)
    return withoutGaps(sentence.negated ? t('segments.texts.not', { text }) : text)
  }

  function plainText(sentence: Sentence): string {
    if (sentence.kind === 'segment')
      return t('segments.texts.segment', { name: segmentName(sentence.segment) })
    if (sentence.kind === 'column') return conditionText(sentence)
    if (sentence.kind === 'group') {
      const joined = sentence.sentences.map(sentenceText).join(t(`segments.joined.${sentence.join}`))
      return t('segments.texts.group', { text: joined })
    }
    const where = (sentence.where ?? []).map((filter) =>
      t('segments.texts.where', {
        property: propertyTitle(sentence.event, filter.property),
        op: opTitle(filter.op, 'text'),
        value: valueTitle('', 'text', filter.op, filter.value),
      }),
    )
    return t(sentence.within ? 'segments.texts.eventWithin' : 'segments.texts.event', {
      days: sentence.within?.days ?? 0,
      event: eventTitle(sentence.event),
      where:
        where.length > 0 ? t('segments.texts.wheres', { text: where.join(t('segments.joined.all')) }) : '',
      count: t(`segments.counts.${countKey(sentence.count.op)}`),
      n: sentence.count.value,
    })
  }

  const context = (self?: string): RuleContext => ({
    typeOf,
    hasEvent: (event) => columns.findEvent(event) !== undefined,
    hasSegment: (id) => query.data.value === undefined || findSegment(id) !== undefined,
    ...(self === undefined ? {} : { self }),
  })

  return {
    columns,
    segments,
    findSegment,
    typeOf,
    isSealed,
    columnTitle,
    eventTitle,
    propertyTitle,
    segmentName,
    ownerTitle,
    opTitle,
    oneValue,
    valueTitle,
    sentenceText,
    context,
  }
}

/** Locale key of a counting operator. */
export function countKey(op: '>=' | '<=' | '='): 'atLeast' | 'atMost' | 'exactly' {
  return op === '>=' ? 'atLeast' : op === '<=' ? 'atMost' : 'exactly'
}

/** Chinese words stand side by side; the spaces between the parts of a sentence are for other scripts. */
export function withoutGaps(text: string): string {
  return text
    .replaceAll(/(?<=[\p{Script=Han}）」，：、]) +(?=[\p{Script=Han}（「])/gu, '')
    .replaceAll(/(?<=[，：、）]) +/gu, '')
}
