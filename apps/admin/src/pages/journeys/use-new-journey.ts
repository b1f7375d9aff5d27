import { toastError, useColumns } from '@huitou/admin-kit'
import { createJourney } from '@huitou/admin-kit/api/journeys.ts'
import { useQueryClient } from '@tanstack/vue-query'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { blankJourney } from './model/new-steps.ts'
import { journeyKeys } from './use-journeys.ts'

/** Returns a function that makes an empty journey and opens it. */
export function useNewJourney() {
  const { t } = useI18n()
  const router = useRouter()
  const client = useQueryClient()
  const { findEvent, eventKinds } = useColumns()
  return async () => {
    const event = ['order.created', 'order.paid'].find(findEvent) ?? eventKinds.value[0]?.name ?? 'order.paid'
    try {
      const journey = await createJourney({ name: t('journeys.untitled'), definition: blankJourney(event) })
      client.setQueryData(journeyKeys.one(journey.id), journey)
      void client.invalidateQueries({ queryKey: journeyKeys.all, exact: true })
      await router.push(`/journeys/${journey.id}`)
    } catch (error) {
      toastError(error, t('journeys.notCreated'))
    }
  }
}
