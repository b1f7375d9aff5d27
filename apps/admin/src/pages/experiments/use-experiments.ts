import { listExperiments, queryKeys, useColumns, useFormat, useLocalized } from '@huitou/admin-kit'
import { listJourneys } from '@huitou/admin-kit/api/journeys.ts'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { HOLDOUT } from './experiment-model.ts'
import type { DraftMetric } from './experiment-model.ts'

export function useExperiments() {
  const query = useQuery({
    queryKey: queryKeys.experiments,
    queryFn: ({ signal }) => listExperiments(signal),
  })
  return { query, experiments: computed(() => query.data.value?.experiments ?? []) }
}

export function useJourneyNames() {
  const { data } = useQuery({
    queryKey: ['journeys'],
    queryFn: ({ signal }) => listJourneys(signal),
    staleTime: 60_000,
  })
  return computed(() => data.value?.journeys ?? [])
}

interface Arm {
  key: string
  name?: string | undefined
}

/** Names of arms and metrics, and figures in their unit. */
export function useExperimentWords() {
  const { t } = useI18n()
  const format = useFormat()
  const localized = useLocalized()
  const { findEvent } = useColumns()
  const eventName = (name: string) => localized(findEvent(name)?.title) || name

  function armName({ arms }: { arms: readonly Arm[] }, key: string): string {
    if (key === HOLDOUT) return t('experiments.holdout')
    if (key === 'treated') return t('experiments.treated')
    return arms.find((arm) => arm.key === key)?.name ?? key.toUpperCase()
  }

  function metricName(metric: DraftMetric): string {
    if (metric.name) return metric.name
    const days = { days: metric.withinDays }
    if (metric.kind === 'ratio')
      return t('experiments.metricNames.ratio', {
        ...days,
        a: eventName(metric.numerator.event),
        b: eventName(metric.denominator.event),
      })
    return t(`experiments.metricNames.${metric.kind}`, { ...days, event: eventName(metric.event) })
  }

  function isMoney(metric: DraftMetric): boolean {
    if (metric.kind === 'value') return findEvent(metric.event)?.money ?? false
    return (
      metric.kind === 'ratio' &&
      metric.numerator.of === 'value' &&
      metric.denominator.of === 'count' &&
      (findEvent(metric.numerator.event)?.money ?? false)
    )
  }

  /** A figure of one customer; a share for conversions. */
  function figure(metric: DraftMetric, value: number): string {
    if (metric.kind === 'conversion') return format.percent(value, { decimals: 2 })
    return isMoney(metric) ? format.money(value) : format.number(value, { decimals: 3 })
  }

  /** A difference, always with its sign; of shares in points. */
  function change(metric: DraftMetric, value: number): string {
    const sign = value > 0 ? '+' : value < 0 ? '−' : ''
    const size = Math.abs(value)
    if (metric.kind === 'conversion')
      return t('experiments.points', { n: `${sign}${format.number(size * 100, { decimals: 2 })}` })
    return `${sign}${isMoney(metric) ? format.money(size) : format.number(size, { decimals: 3 })}`
  }

  /** A sum over customers: how many more bought, or how much more money came in. */
  function total(metric: DraftMetric, value: number): string {
    const sign = value > 0 ? '+' : value < 0 ? '−' : ''
    const size = Math.abs(value)
    return `${sign}${isMoney(metric) ? format.money(size, { whole: true }) : format.number(size)}`
  }

  return { armName, metricName, eventName, figure, change, total }
}
