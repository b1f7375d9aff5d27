import { useColumns } from '@huitou/admin-kit'
import type { JourneyMistake } from '@huitou/admin-kit/api/journeys.ts'
import { useI18n } from 'vue-i18n'
import { newStep, type StepType } from './model/new-steps.ts'
import { TRIGGER } from './model/ports.ts'
import { useJourneyPoints } from './use-journey-points.ts'

/** Returns a function that makes a step of a kind, begun with what there is here. */
export function useNewStep() {
  const { t } = useI18n()
  const { channels, actions } = useJourneyPoints()
  const { findEvent, eventKinds } = useColumns()
  return (type: StepType) => {
    const names = ['order.paid', 'order.created']
    const step = newStep(type, {
      channel: channels.value[0]?.id ?? 'none',
      action: actions.value[0]?.id ?? 'none',
      event: names.find(findEvent) ?? eventKinds.value[0]?.name ?? 'order.paid',
      tag: t('journeys.newTag'),
      task: t('journeys.newTask'),
      arms: ['A', 'B'],
    })
    return step
  }
}

/** Part of a journey that a mistake belongs to: a step, or the trigger with everything that is said beside it. */
export function placeOfMistake({ path }: JourneyMistake): string {
  const [, node] = /^nodes\.([^.]+)/.exec(path) ?? []
  return node ?? TRIGGER
}

export function mistakesByPlace(mistakes: readonly JourneyMistake[]): Map<string, JourneyMistake[]> {
  return Map.groupBy(mistakes, placeOfMistake)
}
