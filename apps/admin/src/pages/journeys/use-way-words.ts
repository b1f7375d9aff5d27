import { useLocalized } from '@huitou/admin-kit'
import type { JourneyNode } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import type { useJourneyPoints } from './use-journey-points.ts'
import type { usePhraseWords } from './use-phrase-words.ts'

type Case = Extract<JourneyNode, { type: 'branch' }>['cases'][number]

/** Says the ways out of steps in the reader's language. */
export function useWayWords(
  { ruleText, whereText }: ReturnType<typeof usePhraseWords>,
  { conditionTitle }: ReturnType<typeof useJourneyPoints>,
) {
  const { t } = useI18n()
  const localized = useLocalized()

  function caseText({ rule, where, condition }: Case): string {
    return [
      rule ? ruleText(rule) : '',
      where?.length ? whereText(undefined, where) : '',
      condition ? conditionTitle(condition.id) : '',
    ]
      .filter((text) => text !== '')
      .join(t('segments.joined.all'))
  }

  /** What a way out of a step is called, as it stands on its line; empty for the only one. */
  function wayText(node: JourneyNode, port: string): string {
    const [kind, key = ''] = port.split('.')
    if (node.type === 'branch') {
      if (kind === 'otherwise') return t(node.cases.length === 1 ? 'journeys.ways.no' : 'journeys.ways.else')
      return node.cases.length === 1
        ? t('journeys.ways.yes')
        : t('journeys.ways.case', { n: Number(key) + 1 })
    }
    if (node.type === 'split') return node.arms[Number(key)]?.name ?? ''
    if (node.type === 'action') return kind === 'otherwise' ? t('journeys.ways.failed') : ''
    if (node.type === 'wait_event')
      return t(kind === 'otherwise' ? 'journeys.ways.timeout' : 'journeys.ways.came')
    if (node.type === 'task') {
      if (kind === 'outcome') return outcomeTitle(node, key)
      return t(kind === 'otherwise' ? 'journeys.ways.nobody' : 'journeys.ways.done')
    }
    return ''
  }

  function outcomeTitle(node: Extract<JourneyNode, { type: 'task' }>, id: string): string {
    const { outcomeTitles } = node as { outcomeTitles?: Record<string, string> }
    return localized(outcomeTitles?.[id]) || id
  }

  return { caseText, outcomeTitle, wayText }
}
