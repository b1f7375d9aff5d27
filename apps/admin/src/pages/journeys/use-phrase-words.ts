import { useColumns, useLocalized } from '@huitou/admin-kit'
import type { Duration, EventFilter } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import { toDraft } from '../segments/rule-model.ts'
import type { Rule } from '../segments/rule-model.ts'
import { useRuleWords } from '../segments/use-rule-words.ts'

/** Says lengths of time, rules, events and messages in the reader's language. */
export function usePhraseWords() {
  const { t } = useI18n()
  const localized = useLocalized()
  const rules = useRuleWords()
  const { findColumn } = useColumns()

  /** Templates count in minutes what people say in hours. */
  function durationText(given: Duration): string {
    const seconds = given.seconds ?? 0
    const minutes = (given.minutes ?? 0) + Math.floor(seconds / 60)
    const hours = (given.hours ?? 0) + Math.floor(minutes / 60)
    const duration = { days: given.days, hours, minutes: minutes % 60, seconds: seconds % 60 }
    const parts = (['days', 'hours', 'minutes', 'seconds'] as const).flatMap((unit) =>
      duration[unit] ? [t(`journeys.units.${unit}`, { n: duration[unit] })] : [],
    )
    return parts.join(' ') || t('journeys.noTime')
  }

  const minutesText = (minutes: number) => {
    const days = Math.floor(minutes / 1440)
    const hours = Math.floor((minutes % 1440) / 60)
    return durationText({ days, hours, minutes: minutes % 60 })
  }

  const ruleText = (rule: unknown) => {
    const draft = toDraft(rule as Rule)
    return draft.sentences.map(rules.sentenceText).join(t(`segments.joined.${draft.join}`))
  }

  function whereText(event: string | undefined, where: readonly EventFilter[]): string {
    return where
      .map(({ property, op, value }) => {
        const type = op === 'gt' || op === 'gte' || op === 'lt' || op === 'lte' ? 'number' : 'text'
        const words = {
          property: rules.propertyTitle(event, property),
          op: rules.opTitle(op, type),
          value: rules.valueTitle('', type, op, value as never),
        }
        return t('segments.texts.where', words).trim()
      })
      .join(t('segments.joined.all'))
  }

  function eventText(event: string, where?: readonly EventFilter[]): string {
    const title = rules.eventTitle(event) || t('journeys.noEvent')
    return where?.length ? t('journeys.eventWhere', { event: title, where: whereText(event, where) }) : title
  }

  /** The words of a message, variables by their titles. */
  function plainText(text: string): string {
    return text.replaceAll(/\{\{-?\s*([\w.]+)[^}]*\}\}/g, (_, path: string) => {
      const [root, name = ''] = path.split('.')
      const title = root === 'customer' ? localized(findColumn(name)?.title) : ''
      return `[${title || name || root}]`
    })
  }

  function contentText(content: Record<string, unknown>): string {
    const first = ['title', 'subject', 'text', 'body', 'html']
      .map((key) => content[key])
      .find((value) => typeof value === 'string' && value.trim() !== '')
    const any = first ?? Object.values(content).find((value) => typeof value === 'string' && value !== '')
    return typeof any === 'string' ? plainText(any.replaceAll(/<[^>]+>/g, ' ')).trim() : ''
  }

  return { contentText, durationText, eventText, minutesText, ruleText, rules, whereText }
}
