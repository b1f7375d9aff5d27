import type { JourneyDefinition, Trigger } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import { withoutGaps } from '../segments/use-rule-words.ts'
import type { useJourneyPoints } from './use-journey-points.ts'
import type { usePhraseWords } from './use-phrase-words.ts'

type Exit = JourneyDefinition['exits'][number]
type Goal = NonNullable<JourneyDefinition['goal']>

/** Says in the reader's language when a journey begins, when it is left and what it is for. */
export function useTriggerWords(
  { eventText, rules }: ReturnType<typeof usePhraseWords>,
  points: ReturnType<typeof useJourneyPoints>,
) {
  const { t } = useI18n()

  const triggerTexts: { [T in Trigger['type']]: (trigger: Extract<Trigger, { type: T }>) => string } = {
    event: ({ event, where }) => t('journeys.triggers.eventText', { event: eventText(event, where) }),
    segment: ({ segment, on }) =>
      t(`journeys.triggers.${on}Text`, { segment: rules.segmentName(segment) || t('journeys.noSegment') }),
    date: ({ column, offsetDays, at, calendar, repeat }) => {
      const key = offsetDays === 0 ? 'dateText' : offsetDays < 0 ? 'dateBefore' : 'dateAfter'
      const n = Math.abs(offsetDays)
      const text = t(`journeys.triggers.${key}`, { date: rules.columnTitle(column), n, time: at }, n)
      const notes = [
        calendar === 'lunar' ? t('journeys.triggers.lunar') : '',
        repeat === 'once' ? t('journeys.triggers.once') : '',
      ].filter(Boolean)
      return notes.length > 0 ? `${text} (${notes.join(t('journeys.comma'))})` : text
    },
    schedule: ({ cron, festival, offsetDays, at }) => {
      if (festival === undefined) return cronText(cron ?? '')
      const key = offsetDays === 0 ? 'dateText' : offsetDays < 0 ? 'dateBefore' : 'dateAfter'
      const n = Math.abs(offsetDays)
      return t(`journeys.triggers.${key}`, { date: points.festivalTitle(festival), n, time: at }, n)
    },
  }

  function cronText(cron: string): string {
    const [minute = '', hour = '', day, month, weekday] = cron.split(/\s+/)
    const isTime = /^\d+$/.test(minute) && /^\d+$/.test(hour)
    const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
    if (isTime && month === '*' && day === '*' && weekday === '*')
      return t('journeys.triggers.daily', { time })
    if (isTime && month === '*' && day === '*' && /^[0-7]$/.test(weekday ?? ''))
      return t('journeys.triggers.weekly', { time, day: t(`journeys.weekdays.${Number(weekday) || 7}`) })
    if (isTime && month === '*' && weekday === '*' && /^\d+$/.test(day ?? ''))
      return t('journeys.triggers.monthly', { time, n: day ?? '' })
    return t('journeys.triggers.cronText', { cron })
  }

  const triggerText = (trigger: Trigger) =>
    withoutGaps((triggerTexts[trigger.type] as (of: Trigger) => string)(trigger))

  const goalText = (goal: Goal) =>
    t('journeys.goalText', { event: eventText(goal.event, goal.where), n: goal.withinDays }, goal.withinDays)

  const exitText = (exit: Exit) =>
    'event' in exit
      ? eventText(exit.event, exit.where)
      : t(`journeys.triggers.${exit.on}Text`, { segment: rules.segmentName(exit.segment) })

  const reentryText = (reentry: JourneyDefinition['reentry']) =>
    reentry === 'once'
      ? t('journeys.reentry.onceText')
      : reentry.afterDays === 0
        ? t('journeys.reentry.againText')
        : t('journeys.reentry.afterText', { n: reentry.afterDays }, reentry.afterDays)

  return { exitText, goalText, reentryText, triggerText }
}
