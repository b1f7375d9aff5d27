import type { JourneyDefinition } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import type { Setting } from './model/diff.ts'
import { useStepWords } from './use-step-words.ts'

/** Says what is set for a journey as a whole. */
export function useChangeWords() {
  const { t } = useI18n()
  const words = useStepWords()

  const texts: Record<Setting, (definition: JourneyDefinition) => string> = {
    trigger: ({ trigger }) => words.triggerText(trigger),
    filter: ({ filter }) => (filter ? words.ruleText(filter) : t('journeys.form.everybody')),
    reentry: ({ reentry }) => words.reentryText(reentry),
    holdout: ({ holdout }) => t('journeys.holdout', { n: holdout.percent }),
    goal: ({ goal }) => (goal ? words.goalText(goal) : t('journeys.noGoal')),
    exits: ({ exits }) => exits.map(words.exitText).join(t('journeys.comma')) || t('journeys.noExits'),
    start: ({ nodes, start }) => {
      const node = nodes[start]
      return node ? words.stepText(node) : ''
    },
  }
  return { settingText: (definition: JourneyDefinition, part: Setting) => texts[part](definition) }
}
