import { useColumns, useFormat, useLocalized } from '@huitou/admin-kit'
import type { JourneyNode } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import { withoutGaps } from '../segments/use-rule-words.ts'
import { useJourneyPoints } from './use-journey-points.ts'
import { usePhraseWords } from './use-phrase-words.ts'
import { useTriggerWords } from './use-trigger-words.ts'
import { useWayWords } from './use-way-words.ts'

/** Says steps, their ways out and the rest of a journey in sentences of the reader's language. */
export function useStepWords() {
  const { t } = useI18n()
  const format = useFormat()
  const localized = useLocalized()
  const { findColumn } = useColumns()
  const points = useJourneyPoints()
  const phrases = usePhraseWords()
  const ways = useWayWords(phrases, points)
  const { contentText, durationText, eventText, minutesText } = phrases

  function kindTitle(node: JourneyNode): string {
    if (node.type === 'send') return points.channelTitle(node.channel)
    if (node.type === 'action') return points.actionTitle(node.action)
    return t(`journeys.kinds.${node.type}`)
  }

  const texts: { [T in JourneyNode['type']]: (node: Extract<JourneyNode, { type: T }>) => string } = {
    send: (node) => {
      const template = (node as { template?: string }).template
      const text = contentText(node.content ?? {})
      if (text) return t('journeys.texts.send', { text })
      return template
        ? t('journeys.texts.sendTemplate', { name: points.templateName(template) })
        : t('journeys.texts.sendEmpty')
    },
    wait: (node) => t('journeys.texts.wait', { time: durationText(node.for) }),
    wait_until: (node) => {
      const days = node.weekdays?.map((day) => t(`journeys.weekdays.${day}`)).join(t('journeys.comma'))
      if (node.workingDays) return t('journeys.texts.untilWorking', { time: node.time })
      return days
        ? t('journeys.texts.untilDays', { time: node.time, days })
        : t('journeys.texts.until', { time: node.time })
    },
    wait_event: (node) =>
      t('journeys.texts.waitEvent', {
        event: eventText(node.event, node.where),
        time: durationText(node.timeout),
      }),
    branch: (node) => {
      const [first] = node.cases
      const text = first ? ways.caseText(first) : ''
      return node.cases.length > 1
        ? t('journeys.texts.branchMany', { n: node.cases.length })
        : t('journeys.texts.branch', { text: text || t('journeys.noRule') })
    },
    split: (node) =>
      t('journeys.texts.split', {
        arms: node.arms.map((arm) => arm.name).join(' / '),
      }),
    action: (node) => contentText(node.input) || t('journeys.texts.action'),
    tag: (node) => t(node.on ? 'journeys.texts.tag' : 'journeys.texts.untag', { tag: node.tag }),
    set_trait: (node) =>
      node.value === null
        ? t('journeys.texts.clearTrait', { trait: traitTitle(node.trait) })
        : t('journeys.texts.setTrait', { trait: traitTitle(node.trait), value: String(node.value) }),
    task: (node) => localized(node.title as string),
    end: (node) => node.reason ?? t('journeys.texts.end'),
  }

  const stepText = (node: JourneyNode) =>
    withoutGaps((texts[node.type] as (of: JourneyNode) => string)(node).replaceAll(/\s+/g, ' ').trim())

  /** Small words at a step's upper right corner. */
  function stepNote(node: JourneyNode): string {
    if (node.type === 'task') return t('journeys.within', { time: minutesText(node.dueMinutes) })
    if (node.type === 'send' && node.alternatives.length > 0)
      return t('journeys.orElse', { channel: points.channelTitle(node.alternatives[0]!.channel) })
    if (node.type === 'split') {
      const total = node.arms.reduce((sum, arm) => sum + arm.weight, 0)
      return node.arms.map((arm) => format.percent(arm.weight / total, { decimals: 0 })).join(' / ')
    }
    return ''
  }

  const traitTitle = (trait: string) => localized(findColumn(`t_${trait}`)?.title) || trait

  return { kindTitle, points, stepNote, stepText, ...phrases, ...ways, ...useTriggerWords(phrases, points) }
}
