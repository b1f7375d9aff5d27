import type { JourneyDefinition, JourneyMistake } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import { useStepWords } from './use-step-words.ts'
import { placeOfMistake } from './use-steps.ts'

/** Says what keeps a journey from being published, and at which step. */
export function useMistakeWords() {
  const { t, te, locale } = useI18n()
  const words = useStepWords()

  function mistakeText({ code, path, message }: JourneyMistake): string {
    const field = path.split('.').findLast((part) => Number.isNaN(Number(part))) ?? ''
    if (code === 'malformed') {
      const key = `journeys.fields.${field}`
      return te(key)
        ? t('journeys.mistakes.malformedField', { field: t(key) })
        : t('journeys.mistakes.malformed', { field: path })
    }
    const what = /"([^"]*)"|(\{\{[^}]*\}\})/.exec(message)
    const named = what?.[1] ?? what?.[2] ?? ''
    const key = `journeys.mistakes.${code}`
    if (code === 'bad_rule' && !locale.value.startsWith('zh')) return message
    return te(key) ? t(key, { what: named, message }) : message
  }

  function placeText(mistake: JourneyMistake, definition: JourneyDefinition): string {
    const node = definition.nodes[placeOfMistake(mistake)]
    return node ? `${words.kindTitle(node)} · ${words.stepText(node)}` : t('journeys.trigger')
  }

  return { mistakeText, placeText }
}
