import { useStorage } from '@vueuse/core'

/** The last rehearsal of each journey that was asked for on this device, by its job. */
const jobs = useStorage<Record<string, string>>('huitou.journeys.rehearsals', {})

export function rememberRehearsal(journeyId: string, jobId: string): void {
  jobs.value = Object.fromEntries([...Object.entries(jobs.value).slice(-30), [journeyId, jobId]])
}

export const rehearsalOf = (journeyId: string): string | undefined => jobs.value[journeyId]
