import { cancelJob, isOpen, queryKeys, toastError, useJob } from '@huitou/admin-kit'
import type { Delivery } from '@huitou/admin-kit'
import { getRehearsal, rehearseJourney } from '@huitou/admin-kit/api/journeys.ts'
import type { JourneyDefinition } from '@huitou/admin-kit/api/journeys.ts'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { journeyKeys } from './use-journeys.ts'

export interface Rehearsal {
  from: number
  to: number
  entered: number
  heldOut: number
  goals: { treated: number; holdout: number }
  messages: { node: string; channel: string; sent: number; refused: number; waiting: number }[]
  refusals: { reason: string; count: number }[]
  /** Left out by rehearsals of older versions. */
  choices?: { choice: NonNullable<Delivery['choice']>; count: number }[]
  actions: number
  days: { day: string; entered: number; sent: number; refused: number }[]
}

/** The latest rehearsal of a journey's draft, whoever asked for it and on whatever device; another, and an end to it. */
export function useRehearsal(journeyId: () => string) {
  const { t } = useI18n()
  const client = useQueryClient()
  const query = useQuery({
    queryKey: computed(() => journeyKeys.part(journeyId(), 'rehearsal')),
    queryFn: ({ signal }) => getRehearsal(journeyId(), signal),
    refetchInterval: ({ state }) => (state.data?.job && isOpen(state.data.job) ? 2_000 : false),
    retry: false,
  })
  const stored = computed(() => query.data.value?.job ?? undefined)
  // Fresher while it runs; of what is over only the server keeps the result for good.
  const live = useJob(() => stored.value?.id)
  const job = computed(() => live.value ?? stored.value)
  const result = computed(() =>
    job.value?.state === 'done' ? (job.value.result as unknown as Rehearsal) : undefined,
  )
  const cancelling = ref(false)

  async function refresh() {
    await client.invalidateQueries({ queryKey: queryKeys.jobs })
    await query.refetch()
  }

  async function start(definition: JourneyDefinition) {
    try {
      await rehearseJourney(journeyId(), definition)
      await refresh()
    } catch (error) {
      toastError(error, t('journeys.notRehearsed'))
    }
  }

  async function cancel() {
    if (!job.value) return
    cancelling.value = true
    try {
      await cancelJob(job.value.id)
      await refresh()
    } catch (error) {
      toastError(error, t('journeys.notChanged'))
    } finally {
      cancelling.value = false
    }
  }

  return { query, job, result, start, cancel, cancelling }
}
