import { listBulkActions, queryKeys, useLocalized, useMe } from '@huitou/admin-kit'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { PickItem } from '../segments/pick-menu.vue'

/** What can be done to all customers of a list, and whether whoever reads it may. */
export function useBulkActions() {
  const { t } = useI18n()
  const localized = useLocalized()
  const me = useMe()
  const mayAct = computed(() => ['owner', 'operator'].includes(me.data.value?.role ?? ''))
  const query = useQuery({
    queryKey: [...queryKeys.plugins, 'bulk-actions'],
    queryFn: ({ signal }) => listBulkActions(signal),
    staleTime: 60_000,
    enabled: mayAct,
  })
  const actions = computed(() => query.data.value?.actions ?? [])
  const items = computed((): PickItem<string>[] => [
    { value: 'tag', title: t('customers.bulk.tag'), icon: 'tag' },
    { value: 'untag', title: t('customers.bulk.untag'), icon: 'x' },
    ...actions.value.map(({ id, title, icon }) => ({
      value: id,
      title: localized(title),
      icon: icon ?? 'zap',
    })),
  ])
  const findAction = (id: string) => actions.value.find((action) => action.id === id)
  return { mayAct, items, findAction }
}
