import {
  listPlugins,
  listReports,
  listSegments,
  queryKeys,
  rank,
  searchCustomers,
  useCommandSearch,
  useFormat,
  useMay,
  useLocalized,
} from '@huitou/admin-kit'
import { useQueryClient } from '@tanstack/vue-query'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'

const LIMIT = 6

/** Lets the palette find segments, reports and customers from everywhere. */
export function useShellSearches(): void {
  const { t } = useI18n()
  const router = useRouter()
  const client = useQueryClient()
  const format = useFormat()
  const localized = useLocalized()
  const may = useMay()

  useCommandSearch({
    id: 'segments',
    minimum: 1,
    async search(text) {
      if (!may('segments.read')) return []
      const { segments } = await client.ensureQueryData({
        queryKey: queryKeys.segments,
        queryFn: () => listSegments(),
      })
      return rank(text, segments, (segment) => [segment.name])
        .slice(0, LIMIT)
        .map((segment) => ({
          id: `segment.${segment.id}`,
          title: segment.name,
          icon: 'blend',
          note: `${t('segments.title')} · ${format.number(segment.count)}`,
          run: () => router.push(`/segments/${encodeURIComponent(segment.id)}`),
        }))
    },
  })
  useCommandSearch({
    id: 'plugins',
    minimum: 1,
    async search(text) {
      if (!may('plugins.read')) return []
      const { plugins } = await client.ensureQueryData({
        queryKey: queryKeys.plugins,
        queryFn: () => listPlugins(),
      })
      return rank(text, plugins, (plugin) => [localized(plugin.displayName), plugin.id])
        .slice(0, LIMIT)
        .map((plugin) => ({
          id: `plugin.${plugin.id}`,
          title: localized(plugin.displayName),
          icon: 'blocks',
          note: t('extensions.one'),
          run: () => router.push(`/extensions/${plugin.id}`),
        }))
    },
  })
  useCommandSearch({
    id: 'reports',
    minimum: 1,
    async search(text) {
      if (!may('reports.read')) return []
      const { reports } = await client.ensureQueryData({
        queryKey: queryKeys.reports,
        queryFn: () => listReports(),
      })
      return rank(text, reports, (report) => [localized(report.title), report.id])
        .slice(0, LIMIT)
        .map((report) => ({
          id: `report.${report.id}`,
          title: localized(report.title),
          icon: 'chart-no-axes-column',
          note: t('reports.title'),
          run: () => router.push(`/reports/${encodeURIComponent(report.id)}`),
        }))
    },
  })
  useCommandSearch({
    id: 'customers',
    async search(text, signal) {
      if (!may('customers.read')) return []
      const { rows } = await searchCustomers({ search: text, limit: LIMIT }, signal)
      return rows.map((row) => ({
        id: `customer.${row.id}`,
        title: row.name,
        icon: 'user',
        note: t('customers.title'),
        run: () => router.push(`/customers/${row.id}`),
      }))
    },
  })
}
